"""Publish and roll back by copying: what was reviewed becomes a new active row, byte for byte."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from skriptoteket.core.catalog.curation import ensure_showable, shown
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, FourEyesRequired, NotFound, StepUpRequired
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import PUBLISH, ROLLBACK, Actor, Strength
from skriptoteket.core.versions.models import ArchivedReason, ToolVersion, Verdict, VersionState
from skriptoteket.core.versions.ports import VersionUnit
from skriptoteket.core.versions.review import draft_chain, in_state, rationale_of, record

FourEyes = Literal["off", "publish", "publish_and_rollback"]


@dataclass(frozen=True, slots=True)
class Expected:
    """The hashes of what the decider looked at."""

    behaviour_hash: str
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication changed."""

    tool_id: ToolId
    previous_active_version_id: VersionId | None
    new_active_version_id: VersionId
    archived_version_ids: tuple[VersionId, ...]


class Publication:
    """The verbs *publish* and *roll back*. Lives as long as the app."""

    def __init__(
        self,
        work: UnitOfWork[VersionUnit],
        clock: Clock,
        ids: Ids,
        four_eyes: FourEyes = "off",
        assurance: Strength = "mail",
    ) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids
        self._four_eyes = four_eyes
        self._assurance = assurance

    async def publish(
        self, actor: Actor, version_id: VersionId, expected: Expected, rationale: str, *, show: bool = False
    ) -> Published:
        """Make a copy of the reviewed version the active one; ``show`` also puts the tool into the catalogue.

        Raises:
            NotFound, Conflict (``wrong_state``, ``hash_mismatch``), FourEyesRequired, StepUpRequired, ValidationFailed.
        """
        text = rationale_of(rationale)
        async with self._work.write() as unit:
            version = await unit.versions.get(version_id)
            if not actor.holds(PUBLISH):
                raise NotFound("version", version_id)
            self._ensure_proved(actor)
            tool = await unit.tools.lock(version.tool_id)
            version = await unit.versions.get(version_id)  # another decision may have come in before the lock
            in_state(version, VersionState.IN_REVIEW)
            _ensure_expected(version, expected)
            if self._four_eyes != "off":
                _ensure_second_person(actor, version, draft_chain(await unit.versions.of_tool(tool.id), version))
            now = self._clock.now()
            previous = await _retire_active(unit, tool)
            consumed = replace(
                version,
                state=VersionState.ARCHIVED,
                archived_reason=ArchivedReason.CONSUMED,
                reviewed_by=actor.subject,
                reviewed_at=now,
                published_by=actor.subject,
                published_at=now,
            )
            await unit.versions.update(consumed)
            active = await self._activate(unit, actor, consumed, version.change_summary, now)
            tool = replace(tool, active_version_id=active.id, updated_at=now)
            if show:
                ensure_showable(tool)
                tool = shown(tool, now)
            await unit.tools.update(tool)
            await unit.versions.add_decision(
                record(self._ids, version, Verdict.PUBLISH, text, actor.subject, now, active.id)
            )
            archived = (version.id,) if previous is None else (previous.id, version.id)
            return Published(tool.id, previous.id if previous else None, active.id, archived)

    async def roll_back(self, actor: Actor, version_id: VersionId, expected: Expected, rationale: str) -> Published:
        """Make a copy of a version that was published once the active one; waiting runs of other versions are
        cancelled.

        Raises:
            NotFound, Conflict (``wrong_state``, ``never_published``, ``already_active``, ``hash_mismatch``),
            FourEyesRequired, StepUpRequired.
        """
        text = rationale_of(rationale)
        async with self._work.write() as unit:
            target = await unit.versions.get(version_id)
            if not actor.holds(ROLLBACK):
                raise NotFound("version", version_id)
            self._ensure_proved(actor)
            tool = await unit.tools.lock(target.tool_id)
            target = await unit.versions.get(version_id)  # as above
            if target.state is VersionState.ACTIVE:
                same = f"Version {target.version_number} is the active one already. There is nothing to do."
                raise Conflict("already_active", same)
            if target.published_at is None:
                message = (
                    f"Version {target.version_number} was never published; it can only become active through review."
                )
                raise Conflict("never_published", message)
            in_state(target, VersionState.ARCHIVED)
            _ensure_expected(target, expected)
            if self._four_eyes == "publish_and_rollback":
                _ensure_second_person(actor, target, draft_chain(await unit.versions.of_tool(tool.id), target))
            await _ensure_differs(unit, tool, target)
            now = self._clock.now()
            previous = await _retire_active(unit, tool)
            summary = f"Rolled back to version {target.version_number}."
            active = await self._activate(unit, actor, target, summary, now)
            await unit.tools.update(replace(tool, active_version_id=active.id, updated_at=now))
            await unit.queue.retire(tool.id, active.id, now)
            await unit.versions.add_decision(
                record(self._ids, target, Verdict.ROLLBACK, text, actor.subject, now, active.id)
            )
            archived = () if previous is None else (previous.id,)
            return Published(tool.id, previous.id if previous else None, active.id, archived)

    def _ensure_proved(self, actor: Actor) -> None:
        if not actor.proved(self._assurance):
            raise StepUpRequired(self._assurance)

    async def _activate(
        self, unit: VersionUnit, actor: Actor, source: ToolVersion, summary: str, now: datetime
    ) -> ToolVersion:
        active = ToolVersion(
            id=VersionId(self._ids.new()),
            tool_id=source.tool_id,
            version_number=await unit.versions.highest_number(source.tool_id) + 1,
            state=VersionState.ACTIVE,
            behaviour=source.behaviour,
            content_hash=source.content_hash,
            behaviour_hash=source.behaviour_hash,
            created_by=actor.subject,
            created_at=now,
            derived_from=source.id,
            change_summary=summary,
            submitted_by=source.submitted_by,
            submitted_at=source.submitted_at,
            submit_note=source.submit_note,
            reviewed_by=source.reviewed_by,
            reviewed_at=source.reviewed_at,
            published_by=actor.subject,
            published_at=now,
            activated_at=now,
        )
        await unit.versions.add(active)
        return active


def earlier_active(tool: Tool, versions: Sequence[ToolVersion]) -> Sequence[ToolVersion]:
    """What a roll-back may bring back: each behaviour that was active once and is not now, the newest first."""
    now = next((each.behaviour_hash for each in versions if each.id == tool.active_version_id), None)
    found: dict[str, ToolVersion] = {}
    for each in sorted(versions, key=lambda one: one.version_number, reverse=True):
        if each.state is VersionState.ARCHIVED and each.activated_at is not None and each.behaviour_hash != now:
            found.setdefault(each.behaviour_hash, each)
    return tuple(found.values())


async def _retire_active(unit: VersionUnit, tool: Tool) -> ToolVersion | None:
    if tool.active_version_id is None:
        return None
    previous = await unit.versions.get(tool.active_version_id)
    await unit.versions.update(
        replace(previous, state=VersionState.ARCHIVED, archived_reason=ArchivedReason.SUPERSEDED)
    )
    return previous


async def _ensure_differs(unit: VersionUnit, tool: Tool, target: ToolVersion) -> None:
    if tool.active_version_id is None:
        return
    active = await unit.versions.get(tool.active_version_id)
    if active.behaviour_hash == target.behaviour_hash:
        message = f"What is active now is the same as version {target.version_number}. There is nothing to do."
        raise Conflict("already_active", message)


def _ensure_expected(version: ToolVersion, expected: Expected) -> None:
    content_differs = expected.content_hash is not None and expected.content_hash != version.content_hash
    if expected.behaviour_hash != version.behaviour_hash or content_differs:
        facts = {"behaviour_hash": version.behaviour_hash, "content_hash": version.content_hash}
        raise Conflict(
            "hash_mismatch", "This is not the version that you looked at. Load the page and compare again.", facts
        )


def _ensure_second_person(actor: Actor, version: ToolVersion, chain: Sequence[ToolVersion]) -> None:
    if version.submitted_by == actor.subject:
        raise FourEyesRequired("submitter")
    if any(each.created_by == actor.subject for each in chain):
        raise FourEyesRequired("author")
