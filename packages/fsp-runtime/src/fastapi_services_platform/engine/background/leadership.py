"""Which of several processes runs the background jobs: the holder of a lease, a row in the database that they share.

A lease ends when it is not renewed, so a leader that was killed, cut off or paused is replaced. The end is judged by
the database's clock; the leader itself gives up earlier, because it counts from before it asked. Each change of holder
raises the token: whoever keeps the highest token that it has seen can refuse a leader of yesterday.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.shared_state import SCHEMA, SharedTables

if TYPE_CHECKING:
    from sqlalchemy import TextClause
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

_log = get_logger(__name__)
_NOW = {
    "postgresql": "extract(epoch FROM clock_timestamp())::float8",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}
_TABLE = {"postgresql": f"{SCHEMA}.leases", "sqlite": "fsp_leases"}
_MADE = (
    "CREATE TABLE IF NOT EXISTS fsp_leases "
    "(name text PRIMARY KEY, holder text NOT NULL, token integer NOT NULL, until real NOT NULL)"
)
_LOOK = "SELECT holder, until - {now} FROM {table} WHERE name = :name"
_CLAIM = (
    "INSERT INTO {table} AS lease (name, holder, token, until) VALUES (:name, :holder, 1, {now} + :seconds) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, token = lease.token + "
    "CASE WHEN lease.holder = excluded.holder AND lease.until >= {now} THEN 0 ELSE 1 END "
    "WHERE lease.holder = excluded.holder OR lease.until < {now} RETURNING token"
)
_GIVE_BACK = "UPDATE {table} SET until = 0 WHERE name = :name AND holder = :holder"

_token: ContextVar[int | None] = ContextVar("fsp_fencing_token", default=None)


def fencing_token() -> int | None:
    """Inside a job: a number that grows with each change of the leader. ``None`` outside, and in a job that runs on
    every process or that somebody started by hand.

    What a job writes elsewhere may carry it, so that the place refuses a lower one than it has seen: a leader that was
    paused in the middle of a job does one more step before it learns that it leads no more.
    """
    return _token.get()


class LeaseLost(Exception):
    """Another process may lead by now; what this one did as the leader was cancelled."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the lease of {name} was lost")


class Lease:
    """The lease of one process. It is asked for at the first :meth:`is_mine` and renewed three times in its life."""

    def __init__(self, database: Database, name: str = "jobs", seconds: float = 15.0) -> None:
        self._database = database
        self._name = name
        self._seconds = seconds
        self._patience = seconds / 3
        self._shared = SharedTables(database)
        self._is_made = False
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._until = 0.0
        self._asking = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self._end: asyncio.TimerHandle | None = None
        self._silent = False
        self._terms: dict[asyncio.Task[Any], bool] = {}  # Any: whatever a task gives; whether it was cancelled here
        self.token = 0

    @property
    def leads(self) -> bool:
        """Whether the lease has time left, as this process counts it."""
        return monotonic() < self._until

    async def is_mine(self) -> bool:
        """Whether this process leads; it becomes the leader when nobody is."""
        if self._keeper is None:
            async with self._asking:
                if self._keeper is None:
                    await self._ask()
                    self._keeper = asyncio.create_task(self._keep(), name=f"lease {self._name}")
        return self.leads

    @asynccontextmanager
    async def term(self) -> AsyncIterator[None]:
        """A piece of work of the leader. It is cancelled when the lease is lost.

        Raises:
            LeaseLost: that happened.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a term needs a task")
        cancelling, before = task.cancelling(), _token.set(self.token)
        self._terms[task] = False
        try:
            yield
        except asyncio.CancelledError:
            if self._terms[task] and task.uncancel() <= cancelling:
                raise LeaseLost(self._name) from None
            raise
        finally:
            del self._terms[task]
            _token.reset(before)

    async def release(self) -> None:
        """Let another process lead at once."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        led = self.leads
        self._set(0, 0.0)
        if not led:
            return
        try:
            async with asyncio.timeout(self._patience), self._writing() as writing:
                await writing.execute(self._statement(_GIVE_BACK), {"name": self._name, "holder": self._holder})
        except Exception as error:  # whatever a driver raises: the lease runs out by itself
            _log.warning("lease.not_given_back", lease=self._name, error=repr(error))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            await self._ask()

    async def _ask(self) -> None:
        _ = self._database.engine  # what is imported for the first question is no fault of the database
        asked = monotonic()
        try:
            async with asyncio.timeout(self._patience):
                token = await self._claim()
        except Exception as error:  # as above
            if not self._silent:
                _log.warning("lease.not_renewed", lease=self._name, error=repr(error))
            self._silent = True
            return
        self._silent = False
        before, changed = self.token, token != self.token
        self._set(token, asked + self._seconds if token else 0.0)
        if token and changed:
            _log.info("lease.taken", lease=self._name)
        if before and changed:
            self._tell_lost()

    async def _claim(self) -> int:
        """The token, or 0 while somebody else holds the lease."""
        given = {"name": self._name, "holder": self._holder, "seconds": self._seconds}
        if not self.leads and await self._is_held():
            return 0
        async with self._writing() as writing:
            token = (await writing.execute(self._statement(_CLAIM), given)).scalar()
        return token or 0

    async def _is_held(self) -> bool:
        """Whether a look shows that somebody else leads, so that those who wait do not take turns at writing SQLite."""
        if not self._is_made or self._database.dialect != "sqlite":
            return False
        async with self._database.session(read_only=True) as reading:
            found = (await reading.execute(self._statement(_LOOK), {"name": self._name})).first()
        return found is not None and found[0] != self._holder and found[1] > 0

    @asynccontextmanager
    async def _writing(self) -> "AsyncIterator[AsyncConnection | AsyncSession]":
        if self._database.dialect == "postgresql":
            async with self._shared.connection() as connection:
                yield connection
            return
        async with self._database.transaction() as session:
            if not self._is_made:
                await session.execute(self._statement(_MADE))
            yield session
        self._is_made = True

    def _statement(self, template: str) -> "TextClause":
        from sqlalchemy import text

        dialect = self._database.dialect
        return text(template.format(table=_TABLE[dialect], now=_NOW[dialect]))

    def _set(self, token: int, until: float) -> None:
        self.token, self._until = token, until
        if self._end is not None:
            self._end.cancel()
        left = until - monotonic()
        self._end = asyncio.get_running_loop().call_later(left, self._run_out) if left > 0 else None

    def _run_out(self) -> None:
        self._end = None
        self._tell_lost()

    def _tell_lost(self) -> None:
        _log.warning("lease.lost", lease=self._name, works=len(self._terms))
        for task in self._terms:
            self._terms[task] = True
            task.cancel()
