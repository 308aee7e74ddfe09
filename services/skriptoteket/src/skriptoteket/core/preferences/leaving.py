"""Forget what somebody kept who is here no more. What they did stays: runs, versions and decisions are records."""

from datetime import datetime
from typing import Protocol

from skriptoteket.core.catalog.ports import ToolStore
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.preferences.ports import PreferenceStore


class LeavingUnit(Protocol):
    """One transaction as this verb sees it."""

    @property
    def preferences(self) -> PreferenceStore: ...

    @property
    def tools(self) -> ToolStore: ...


class Leaving:
    """Idempotent: whoever has left may be told of again."""

    def __init__(self, work: UnitOfWork[LeavingUnit], clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def forget(self, subject: str) -> None:
        """Settings, seen instructions and favourites of a person, by their URN."""
        async with self._work.write() as unit:
            await unit.preferences.forget(subject)
            await _forget_favourites(unit.tools, subject, self._clock.now())


async def _forget_favourites(tools: ToolStore, subject: str, now: datetime) -> None:
    for tool_id in await tools.favourites(subject):
        await tools.set_favourite(tool_id, subject, False, now)
