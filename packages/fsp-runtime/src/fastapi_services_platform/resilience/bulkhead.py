"""Keep one slow thing from taking everything: a limit on calls under way and on calls that wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi_services_platform.errors import PlatformError


class BulkheadFull(PlatformError):
    """As many calls as may wait do so already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has as many calls under way and waiting as it takes on.", "try again in a moment.")


class Bulkhead:
    """At most ``at_once`` calls under way and ``waiting`` behind them."""

    def __init__(self, name: str, at_once: int = 20, waiting: int = 40) -> None:
        self.name = name
        self.rejected = 0
        self._places = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self.inside = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a place inside the block.

        Raises:
            BulkheadFull: there is no place to wait either.
        """
        if self.inside >= self._most:
            self.rejected += 1
            raise BulkheadFull(self.name)
        self.inside += 1
        try:
            async with self._places:
                yield
        finally:
            self.inside -= 1
