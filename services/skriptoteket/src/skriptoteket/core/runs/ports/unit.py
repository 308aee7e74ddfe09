"""One transaction with every store that the verbs of runs use."""

from typing import Protocol

from skriptoteket.core.catalog.ports import ToolStore
from skriptoteket.core.preferences.ports import PreferenceStore
from skriptoteket.core.runs.ports.neighbours import RunSchedules, RunSessions
from skriptoteket.core.runs.ports.queue import RunQueue
from skriptoteket.core.runs.ports.records import RunStore
from skriptoteket.core.runs.ports.workers import WorkerStore
from skriptoteket.core.versions.ports import VersionStore
from skriptoteket.core.versions.snapshots import SnapshotStore


class RunUnit(Protocol):
    """One transaction as the verbs of runs see it."""

    @property
    def runs(self) -> RunStore: ...

    @property
    def queue(self) -> RunQueue: ...

    @property
    def workers(self) -> WorkerStore: ...

    @property
    def versions(self) -> VersionStore: ...

    @property
    def tools(self) -> ToolStore: ...

    @property
    def snapshots(self) -> SnapshotStore: ...

    @property
    def preferences(self) -> PreferenceStore: ...

    @property
    def sessions(self) -> RunSessions: ...

    @property
    def schedules(self) -> RunSchedules: ...
