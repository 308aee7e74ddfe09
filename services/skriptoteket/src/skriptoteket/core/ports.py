"""Clock, ids, unit of work: what every part of the domain needs from outside."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

Unit_co = TypeVar("Unit_co", covariant=True)


class Clock(Protocol):
    """Time as the domain sees it: aware, UTC."""

    def now(self) -> datetime: ...


class Ids(Protocol):
    """New identifiers, UUIDv7: later ids sort behind earlier ones."""

    def new(self) -> UUID: ...


class UnitOfWork(Protocol[Unit_co]):
    """Opens transactions: committed when the block ends, rolled back when it raises.

    ``write`` takes the writer's lock at the start (``BEGIN IMMEDIATE``), so that a decision and its write see the same
    rows.
    The stores of a unit are named by each part of the domain for itself (``RunUnit``, ``VersionUnit`` …); one adapter
    has them
    all. No unit is open while a script runs.
    """

    def read(self) -> AbstractAsyncContextManager[Unit_co]: ...

    def write(self) -> AbstractAsyncContextManager[Unit_co]: ...
