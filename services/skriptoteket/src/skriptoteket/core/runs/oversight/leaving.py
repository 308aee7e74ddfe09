"""Forget what somebody kept who is here no more. What they did stays: runs, versions and decisions are records."""

from typing import Protocol

from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.preferences.ports import PreferenceStore
from skriptoteket.core.runs.ports import RunSchedules, RunSessions


class LeavingUnit(Protocol):
    """One transaction as this verb sees it."""

    @property
    def preferences(self) -> PreferenceStore: ...

    @property
    def sessions(self) -> RunSessions: ...

    @property
    def schedules(self) -> RunSchedules: ...


class Leaving:
    """Idempotent: whoever has left may be told of again."""

    def __init__(self, work: UnitOfWork[LeavingUnit]) -> None:
        self._work = work

    async def forget(self, subject: str) -> None:
        """Settings, seen instructions, favourites, tool sessions and schedules of a person, by their URN."""
        async with self._work.write() as unit:
            await unit.preferences.forget(subject)
            await unit.sessions.forget(subject)
            await unit.schedules.forget(subject)
