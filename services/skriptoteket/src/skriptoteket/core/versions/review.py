"""Submit, withdraw, request changes; the reason stays in the decision record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import PUBLISH, REVIEW, Actor
from skriptoteket.core.versions.authorship import head_moved, writable_tool
from skriptoteket.core.versions.draft_lock import refuse_if_locked
from skriptoteket.core.versions.models import (
    ArchivedReason,
    ToolVersion,
    Verdict,
    VersionDecision,
    VersionState,
)
from skriptoteket.core.versions.ports import VersionUnit

MAX_RATIONALE = 4000
MAX_NOTE = 1000


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """A version under review with what a reviewer looks at."""

    tool: Tool
    version: ToolVersion
    active: ToolVersion | None
    chain: Sequence[ToolVersion]
    decisions: Sequence[VersionDecision]
    versions: Sequence[ToolVersion]
    tried: bool = False


class Reviewing:
    """The verbs *submit*, *withdraw* and *request changes*, and the review queue. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[VersionUnit], clock: Clock, ids: Ids, *, require_trial: bool = False) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids
        self._require_trial = require_trial

    async def submit(self, actor: Actor, version_id: VersionId, note: str = "") -> ToolVersion:
        """Freeze the head for review.

        Raises:
            NotFound: no such version for this actor.
            Conflict: ``wrong_state``, ``draft_head_moved``, ``draft_locked``, or ``review_pending`` when another waits.
            ValidationFailed: the note is too long, or this text never succeeded in the sandbox and has to.
        """
        if len(note) > MAX_NOTE:
            raise ValidationFailed([FieldIssue("submit_note", "max_length", f"may have at most {MAX_NOTE} characters")])
        async with self._work.write() as unit:
            version = await unit.versions.get(version_id)
            tool = await writable_tool(unit, actor, version.tool_id, lock=True, kind="version")
            version = await unit.versions.get(version_id)  # another decision may have come in before the lock
            in_state(version, VersionState.DRAFT)
            if tool.draft_head_version_id != version_id:
                raise head_moved(tool)
            await refuse_if_locked(unit, tool.id, actor.subject, self._clock.now())
            if self._require_trial and not await unit.runs.tried(tool.id, version.behaviour_hash):
                rule = "must have succeeded in the sandbox as it stands; try it, then submit"
                raise ValidationFailed([FieldIssue("version", "untried", rule)])
            waiting = [each for each in await unit.versions.of_tool(tool.id) if each.state is VersionState.IN_REVIEW]
            if waiting:
                facts = {"version_id": str(waiting[0].id)}
                raise Conflict(
                    "review_pending", "Another version of this tool waits for review. Withdraw it first.", facts
                )
            now = self._clock.now()
            submitted = replace(
                version, state=VersionState.IN_REVIEW, submitted_by=actor.subject, submitted_at=now, submit_note=note
            )
            await unit.versions.update(submitted)
            await unit.tools.update(replace(tool, draft_head_version_id=None, updated_at=now))
            await unit.locks.release(tool.id)
            return submitted

    async def withdraw(self, actor: Actor, version_id: VersionId, rationale: str) -> tuple[ToolVersion, ToolVersion]:
        """Take a version out of review; the answer is the archived row and the new draft.

        Raises:
            NotFound, Conflict (``wrong_state``), ValidationFailed.
        """
        text = rationale_of(rationale)
        async with self._work.write() as unit:
            version = await unit.versions.get(version_id)
            tool = await unit.tools.lock(version.tool_id)
            version = await unit.versions.get(version_id)  # as above
            if version.submitted_by != actor.subject and not actor.may_write(await unit.tools.maintainers(tool.id)):
                raise NotFound("version", version_id)
            return await self._back_to_draft(unit, actor, tool, version, Verdict.WITHDRAW, text)

    async def request_changes(
        self, actor: Actor, version_id: VersionId, rationale: str
    ) -> tuple[ToolVersion, ToolVersion]:
        """Send a version back; the answer is the archived row and the new draft with all of its behaviour.

        Raises:
            NotFound, Conflict (``wrong_state``), ValidationFailed.
        """
        text = rationale_of(rationale)
        async with self._work.write() as unit:
            version = await unit.versions.get(version_id)
            tool = await unit.tools.lock(version.tool_id)
            version = await unit.versions.get(version_id)  # as above
            if not actor.holds(REVIEW):
                raise NotFound("version", version_id)
            return await self._back_to_draft(unit, actor, tool, version, Verdict.REQUEST_CHANGES, text)

    async def queue(self) -> Sequence[tuple[Tool, ToolVersion]]:
        """Every version that waits for review, oldest submission first."""
        async with self._work.read() as unit:
            waiting = await unit.versions.in_state(VersionState.IN_REVIEW)
            return [(await unit.tools.get(version.tool_id), version) for version in waiting]

    async def case(self, actor: Actor, version_id: VersionId) -> ReviewCase:
        """What a reviewer looks at.

        Raises:
            NotFound: no such version, or the actor does not review.
        """
        async with self._work.read() as unit:
            version = await unit.versions.get(version_id)
            if not (actor.holds(REVIEW) or actor.holds(PUBLISH)):
                raise NotFound("version", version_id)
            tool = await unit.tools.get(version.tool_id)
            versions = await unit.versions.of_tool(tool.id)
            active = next((each for each in versions if each.state is VersionState.ACTIVE), None)
            return ReviewCase(
                tool,
                version,
                active,
                draft_chain(versions, version),
                await unit.versions.decisions(tool.id),
                versions,
                await unit.runs.tried(tool.id, version.behaviour_hash),
            )

    async def decisions(self, actor: Actor, tool_id: ToolId) -> Sequence[VersionDecision]:
        """The verdicts on a tool's versions, for those who may read its source.

        Raises:
            NotFound: no such tool for this actor.
        """
        async with self._work.read() as unit:
            await writable_tool(unit, actor, tool_id)
            return await unit.versions.decisions(tool_id)

    async def _back_to_draft(
        self, unit: VersionUnit, actor: Actor, tool: Tool, version: ToolVersion, verdict: Verdict, rationale: str
    ) -> tuple[ToolVersion, ToolVersion]:
        in_state(version, VersionState.IN_REVIEW)
        now = self._clock.now()
        withdrawn = verdict is Verdict.WITHDRAW
        reason = ArchivedReason.WITHDRAWN if withdrawn else ArchivedReason.CHANGES_REQUESTED
        archived = replace(version, state=VersionState.ARCHIVED, archived_reason=reason)
        if not withdrawn:
            archived = replace(archived, reviewed_by=actor.subject, reviewed_at=now)
        draft = ToolVersion(
            id=VersionId(self._ids.new()),
            tool_id=tool.id,
            version_number=await unit.versions.highest_number(tool.id) + 1,
            state=VersionState.DRAFT,
            behaviour=version.behaviour,
            content_hash=version.content_hash,
            behaviour_hash=version.behaviour_hash,
            created_by=version.created_by,
            created_at=now,
            derived_from=version.id,
            change_summary=version.change_summary,
        )
        await unit.versions.update(archived)
        await unit.versions.add(draft)
        if tool.draft_head_version_id is None:
            await unit.tools.update(replace(tool, draft_head_version_id=draft.id, updated_at=now))
        await unit.versions.add_decision(
            record(self._ids, version, verdict, rationale, actor.subject, now, resulting=draft.id)
        )
        return archived, draft


def in_state(version: ToolVersion, *wanted: VersionState) -> None:
    """Nothing, if the version is in one of the states.

    Raises:
        Conflict: ``wrong_state`` with the actual one.
    """
    if version.state not in wanted:
        words = " or ".join(state.replace("_", " ") for state in wanted)
        message = (
            f"Version {version.version_number} is {version.state.replace('_', ' ')}, and this is for versions that are "
            f"{words}. Load the page to see what was decided."
        )
        raise Conflict("wrong_state", message, {"state": version.state})


def rationale_of(text: str) -> str:
    """The reason of a decision, trimmed.

    Raises:
        ValidationFailed: empty or longer than 4 000 characters.
    """
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= MAX_RATIONALE:
        message = f"write the reason, 1 to {MAX_RATIONALE} characters"
        raise ValidationFailed([FieldIssue("rationale", "length", message)])
    return trimmed


def record(
    ids: Ids,
    version: ToolVersion,
    verdict: Verdict,
    rationale: str,
    by: str,
    at: datetime,
    resulting: VersionId | None,
) -> VersionDecision:
    """The append-only record of a verdict."""
    return VersionDecision(
        ids.new(), version.id, version.tool_id, verdict, rationale, by, at, version.behaviour_hash, resulting
    )


def draft_chain(versions: Sequence[ToolVersion], version: ToolVersion) -> Sequence[ToolVersion]:
    """The version and what it was derived from, back to the last one that was published."""
    known = {each.id: each for each in versions}
    chain = [version]
    while chain[-1].derived_from is not None and chain[-1].derived_from in known:
        parent = known[chain[-1].derived_from]
        if parent.activated_at is not None or parent in chain:
            break
        chain.append(parent)
    return chain
