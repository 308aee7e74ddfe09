"""Save drafts: append-only and conflict-safe; a lost race is told with the current head and never retried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import Actor
from skriptoteket.core.versions.authorship import head_moved, writable_tool
from skriptoteket.core.versions.behaviour import LIMIT_CEILINGS, Ceilings, checked, reduced
from skriptoteket.core.versions.draft_lock import follow, refuse_if_locked
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState
from skriptoteket.core.versions.ports import VersionUnit

BEHAVIOUR_FIELDS = (
    "source_code",
    "entrypoint",
    "contract",
    "environment",
    "idempotent",
    "input_schema",
    "settings_schema",
    "usage_instructions",
    "requirements",
    "limits",
)


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What an author sends: only the fields that are given; the rest is inherited."""

    fields: Mapping[str, object]
    change_summary: str = ""


class Drafting:
    """The verbs *create draft* and *save*, and reading versions as an author. Lives as long as the app."""

    def __init__(
        self,
        work: UnitOfWork[VersionUnit],
        clock: Clock,
        ids: Ids,
        environments: Sequence[str],
        ceilings: Ceilings = LIMIT_CEILINGS,
    ) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids
        self._environments = environments
        self._ceilings = ceilings

    def reduced_limits(self, version: ToolVersion) -> dict[str, float]:
        """What runs of the version get where it asks for more than the operator allows by now."""
        return reduced(version.behaviour.limits, self._ceilings)

    async def create(
        self, actor: Actor, tool_id: ToolId, change: DraftChange, derived_from: VersionId | None = None
    ) -> ToolVersion:
        """A first draft, or a new one when there is none.

        Raises:
            NotFound: no such tool for this actor, or ``derived_from`` is another tool's.
            Conflict: ``draft_exists`` with the current head.
            ValidationFailed: a behaviour field is wrong.
        """
        async with self._work.write() as unit:
            tool = await writable_tool(unit, actor, tool_id, lock=True)
            if tool.draft_head_version_id is not None:
                head = {"draft_head_version_id": str(tool.draft_head_version_id)}
                raise Conflict("draft_exists", "There is a draft already. Open it and go on from there.", head)
            parent = await _parent(unit, tool, derived_from)
            start = parent.behaviour if parent is not None else Behaviour(source_code="")
            behaviour = checked(start, change.fields, self._environments, self._ceilings)
            return await self._append(unit, actor, tool, behaviour, change.change_summary, derived_from)

    async def save(
        self, actor: Actor, parent_id: VersionId, change: DraftChange, content_from: VersionId | None = None
    ) -> ToolVersion:
        """A new draft on the head; the old row stays as an earlier draft.

        Raises:
            NotFound: no such version for this actor.
            Conflict: ``draft_head_moved`` or ``draft_locked``.
            ValidationFailed: a behaviour field is wrong.
        """
        async with self._work.write() as unit:
            parent = await unit.versions.get(parent_id)
            tool = await writable_tool(unit, actor, parent.tool_id, lock=True, kind="version")
            if tool.draft_head_version_id != parent_id:
                raise head_moved(tool)
            now = self._clock.now()
            await refuse_if_locked(unit, tool.id, actor.subject, now)
            source = await _parent(unit, tool, content_from) if content_from is not None else parent
            behaviour = checked((source or parent).behaviour, change.fields, self._environments, self._ceilings)
            saved = await self._append(unit, actor, tool, behaviour, change.change_summary, parent_id)
            await follow(unit, tool.id, saved.id, actor.subject, now)
            return saved

    def hash_of(self, parent: ToolVersion | None, change: DraftChange) -> str:
        """The behaviour hash that a draft with this change would have.

        Raises:
            ValidationFailed: a behaviour field is wrong.
        """
        start = parent.behaviour if parent is not None else Behaviour(source_code="")
        return behaviour_hash(checked(start, change.fields, self._environments, self._ceilings))

    async def versions(self, actor: Actor, tool_id: ToolId) -> tuple[Tool, Sequence[ToolVersion]]:
        """A tool with all its versions, newest first.

        Raises:
            NotFound: no such tool for this actor.
        """
        async with self._work.read() as unit:
            tool = await writable_tool(unit, actor, tool_id)
            return tool, await unit.versions.of_tool(tool_id)

    async def version(self, actor: Actor, version_id: VersionId) -> tuple[Tool, ToolVersion]:
        """One version with its source.

        Raises:
            NotFound: no such version for this actor.
        """
        async with self._work.read() as unit:
            found = await unit.versions.get(version_id)
            return await writable_tool(unit, actor, found.tool_id, kind="version"), found

    async def _append(
        self,
        unit: VersionUnit,
        actor: Actor,
        tool: Tool,
        behaviour: Behaviour,
        summary: str,
        derived_from: VersionId | None,
    ) -> ToolVersion:
        draft = ToolVersion(
            id=VersionId(self._ids.new()),
            tool_id=tool.id,
            version_number=await unit.versions.highest_number(tool.id) + 1,
            state=VersionState.DRAFT,
            behaviour=behaviour,
            content_hash=content_hash(behaviour),
            behaviour_hash=behaviour_hash(behaviour),
            created_by=actor.subject,
            created_at=self._clock.now(),
            derived_from=derived_from,
            change_summary=summary,
        )
        await unit.versions.add(draft)
        await unit.tools.update(replace(tool, draft_head_version_id=draft.id, updated_at=draft.created_at))
        return draft


async def _parent(unit: VersionUnit, tool: Tool, version_id: VersionId | None) -> ToolVersion | None:
    if version_id is None:
        return None
    parent = await unit.versions.get(version_id)
    if parent.tool_id != tool.id:
        raise NotFound("version", version_id)
    return parent
