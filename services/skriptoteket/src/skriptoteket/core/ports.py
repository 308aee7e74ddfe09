"""Clock, ids, unit of work: what every part of the domain needs from outside."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from skriptoteket.core.catalog.ports import TaxonomyStore, ToolStore
from skriptoteket.core.runs.ports import RunQueue, RunStore, WorkerStore
from skriptoteket.core.versions.ports import VersionStore


class Clock(Protocol):
    """Time as the domain sees it: aware, UTC."""

    def now(self) -> datetime: ...


class Ids(Protocol):
    """New identifiers, UUIDv7: later ids sort behind earlier ones."""

    def new(self) -> UUID: ...


class Unit(Protocol):
    """One transaction, with every store inside it."""

    @property
    def tools(self) -> ToolStore: ...

    @property
    def taxonomy(self) -> TaxonomyStore: ...

    @property
    def versions(self) -> VersionStore: ...

    @property
    def runs(self) -> RunStore: ...

    @property
    def queue(self) -> RunQueue: ...

    @property
    def workers(self) -> WorkerStore: ...


class UnitOfWork(Protocol):
    """Opens transactions: committed when the block ends, rolled back when it raises.

    ``write=True`` takes the writer's lock at the start (``BEGIN IMMEDIATE``), so that a decision and its write see the
    same rows.
    No unit is open while a script runs.
    """

    def read(self) -> AbstractAsyncContextManager[Unit]: ...

    def write(self) -> AbstractAsyncContextManager[Unit]: ...
