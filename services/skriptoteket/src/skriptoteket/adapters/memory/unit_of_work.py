"""One transaction at a time over a state; a failed one leaves the state as it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skriptoteket.adapters.memory.catalog import MemoryTaxonomyStore, MemoryToolStore
from skriptoteket.adapters.memory.environments import MemoryEnvironmentStore
from skriptoteket.adapters.memory.nominations import MemoryNominationStore
from skriptoteket.adapters.memory.personal.names import MemoryNameStore
from skriptoteket.adapters.memory.personal.preferences import MemoryPreferenceStore
from skriptoteket.adapters.memory.personal.schedules import MemoryScheduleStore
from skriptoteket.adapters.memory.personal.sessions import MemorySessionStore
from skriptoteket.adapters.memory.run_queue import MemoryRunQueue
from skriptoteket.adapters.memory.runs import MemoryRunStore, MemoryWorkerStore
from skriptoteket.adapters.memory.state import State
from skriptoteket.adapters.memory.streams import MemoryStreamStore
from skriptoteket.adapters.memory.suggestions import MemoryStewardshipStore, MemorySuggestionStore
from skriptoteket.adapters.memory.versions import MemoryDraftLockStore, MemorySnapshotStore, MemoryVersionStore


class MemoryUnit:
    """The stores of one transaction."""

    def __init__(self, state: State) -> None:
        self.tools = MemoryToolStore(state)
        self.taxonomy = MemoryTaxonomyStore(state)
        self.versions = MemoryVersionStore(state)
        self.locks = MemoryDraftLockStore(state)
        self.snapshots = MemorySnapshotStore(state)
        self.preferences = MemoryPreferenceStore(state)
        self.sessions = MemorySessionStore(state)
        self.schedules = MemoryScheduleStore(state)
        self.names = MemoryNameStore(state)
        self.nominations = MemoryNominationStore(state)
        self.suggestions = MemorySuggestionStore(state)
        self.stewardship = MemoryStewardshipStore(state)
        self.runs = MemoryRunStore(state)
        self.queue = MemoryRunQueue(state)
        self.workers = MemoryWorkerStore(state)
        self.streams = MemoryStreamStore(state)
        self.environments = MemoryEnvironmentStore(state)


class MemoryUnitOfWork:
    """Opens transactions on a state of its own."""

    def __init__(self) -> None:
        self._state = State()
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryUnit]:
        """Stores that see the state as it is."""
        yield MemoryUnit(self._state)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryUnit]:
        """Stores with the only right to write; put back when the block raises."""
        async with self._writer:
            before = self._state.copies()
            try:
                yield MemoryUnit(self._state)
            except BaseException:
                self._state.put_back(before)
                raise
