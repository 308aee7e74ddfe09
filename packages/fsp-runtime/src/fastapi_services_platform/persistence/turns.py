"""Writers of one SQLite file take turns in the order in which they came.

SQLite lets waiting writers try again and again, and some never get in: under many writers one may wait for its whole
busy timeout while later ones pass. A queue in front of it is fair, and a waiting writer holds no connection.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform.errors import DatabaseBusy

if TYPE_CHECKING:
    from types import TracebackType


class Turns:
    """Lets one writer of this process in at a time, first come first served."""

    def __init__(self, database: str, patience_seconds: float) -> None:
        self._database = database
        self._patience = patience_seconds
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait for the turn.

        Raises:
            DatabaseBusy: it did not come in time.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._lock.acquire()
        except TimeoutError:
            raise DatabaseBusy(self._database, self._patience) from None

    def end(self) -> None:
        """Let the next one in."""
        self._lock.release()


class WritingSession(AsyncSession):
    """A session that begins when its turn has come and ends it when it is closed; use it as ``async with``."""

    def __init__(self, *positional: Any, turns: Turns, **options: Any) -> None:  # Any: SQLAlchemy's own parameters
        super().__init__(*positional, **options)
        self._turns = turns

    async def __aenter__(self) -> "WritingSession":
        await self._turns.take()
        return self

    async def __aexit__(
        self, kind: "type[BaseException] | None", error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self._turns.end()
