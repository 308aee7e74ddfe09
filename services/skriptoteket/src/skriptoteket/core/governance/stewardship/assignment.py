"""Add and remove maintainers, change the owner; each change is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import FieldIssue, Forbidden, NotFound, ValidationFailed
from skriptoteket.core.governance.stewardship.models import StewardshipAction, StewardshipRecord
from skriptoteket.core.governance.stewardship.ports import StewardshipUnit
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import CURATE, REASSIGN_OWNER, Actor


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may become maintainer or owner; ``may_author`` was asked of the platform."""

    subject: str
    may_author: bool


class Stewardship:
    """The verbs *add*, *remove* and *change owner*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[StewardshipUnit], clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def people(self, actor: Actor, tool_id: ToolId) -> tuple[Tool, frozenset[str], Sequence[StewardshipRecord]]:
        """The tool, its maintainers, and how they came to be.

        Raises:
            NotFound: no such tool for this actor.
        """
        async with self._work.read() as unit:
            tool = await unit.tools.get(tool_id)
            maintainers = await unit.tools.maintainers(tool_id)
            if not actor.may_write(maintainers) and not actor.holds(CURATE):
                raise NotFound("tool", tool_id)
            return tool, maintainers, await unit.stewardship.of_tool(tool_id)

    async def add(self, actor: Actor, tool_id: ToolId, candidate: Candidate) -> None:
        """Make somebody a maintainer; idempotent.

        Raises:
            NotFound, Forbidden: not the owner's nor a curator's.
            ValidationFailed: the candidate may not author tools.
        """
        _ensure_author(candidate)
        async with self._work.write() as unit:
            await self._assignable(unit, actor, tool_id)
            if candidate.subject in await unit.tools.maintainers(tool_id):
                return
            await unit.tools.add_maintainer(tool_id, candidate.subject)
            await self._record(unit, actor, tool_id, StewardshipAction.ADDED, candidate.subject, "")

    async def remove(self, actor: Actor, tool_id: ToolId, subject: str, reason: str) -> None:
        """Take a maintainer away.

        Raises:
            NotFound, Forbidden (the owner stays; changing the owner needs ``reassign_owner``), ValidationFailed (no
            reason).
        """
        text = _reason(reason)
        async with self._work.write() as unit:
            tool = await self._assignable(unit, actor, tool_id)
            if subject == tool.owner:
                raise Forbidden("The owner is always a maintainer. Give the tool another owner first.")
            if subject not in await unit.tools.maintainers(tool_id):
                raise NotFound("maintainer", subject)
            await unit.tools.remove_maintainer(tool_id, subject)
            await self._record(unit, actor, tool_id, StewardshipAction.REMOVED, subject, text)

    async def change_owner(self, actor: Actor, tool_id: ToolId, candidate: Candidate, reason: str) -> Tool:
        """Give the tool another owner, who becomes a maintainer too.

        Raises:
            NotFound, ValidationFailed.
        """
        text = _reason(reason)
        _ensure_author(candidate)
        if not actor.holds(REASSIGN_OWNER):
            raise NotFound("tool", tool_id)
        async with self._work.write() as unit:
            tool = replace(await unit.tools.lock(tool_id), owner=candidate.subject, updated_at=self._clock.now())
            await unit.tools.update(tool)
            await unit.tools.add_maintainer(tool_id, candidate.subject)
            await self._record(unit, actor, tool_id, StewardshipAction.OWNER_CHANGED, candidate.subject, text)
            return tool

    async def _assignable(self, unit: StewardshipUnit, actor: Actor, tool_id: ToolId) -> Tool:
        tool = await unit.tools.lock(tool_id)
        if actor.holds(CURATE) or tool.owner == actor.subject:
            return tool
        if actor.may_write(await unit.tools.maintainers(tool_id)):
            raise Forbidden("Only the owner and curators choose maintainers. Ask one of them.")
        raise NotFound("tool", tool_id)

    async def _record(
        self, unit: StewardshipUnit, actor: Actor, tool_id: ToolId, action: StewardshipAction, subject: str, reason: str
    ) -> None:
        record = StewardshipRecord(self._ids.new(), tool_id, action, subject, actor.subject, self._clock.now(), reason)
        await unit.stewardship.add(record)


def _ensure_author(candidate: Candidate) -> None:
    if not candidate.may_author:
        text = "does not hold the right to write tools; grant skriptoteket:contributor first"
        raise ValidationFailed([FieldIssue("subject", "not_an_author", text)])


def _reason(text: str) -> str:
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= 1000:
        raise ValidationFailed([FieldIssue("reason", "length", "write the reason, 1 to 1000 characters")])
    return trimmed
