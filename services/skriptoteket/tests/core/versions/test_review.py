"""A version waits for a verdict: submitted, sent back, tried."""

from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.curation import ToolTexts
from skriptoteket.core.errors import (
    Conflict,
    NotFound,
    ValidationFailed,
)
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.versions.drafting import DraftChange
from skriptoteket.core.versions.models import ArchivedReason, VersionState, came_back
from skriptoteket.core.versions.review import Reviewing

from .desk import Desk


async def test_request_changes_keeps_everything_but_the_reason(desk: Desk) -> None:
    """The new draft has all behaviour fields and the author; the reason stands in the decision only."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    await desk.reviewing.submit(desk.people["author"], draft.id, "Please look.")
    archived, again = await desk.reviewing.request_changes(desk.people["reviewer"], draft.id, "Name the column.")
    decisions = await desk.reviewing.decisions(desk.people["author"], tool.id)
    assert (draft.behaviour, draft.created_by) == (again.behaviour, again.created_by)
    assert archived.archived_reason == ArchivedReason.CHANGES_REQUESTED
    assert [("request_changes", "Name the column.", again.id)] == [
        (each.verdict, each.rationale, each.resulting_version_id) for each in decisions
    ]


async def test_only_one_version_waits_for_review(desk: Desk) -> None:
    """A second submission is refused while one waits."""
    tool = await desk.tool()
    first = await desk.draft(tool, "x = 1\n")
    await desk.reviewing.submit(desk.people["author"], first.id)
    second = await desk.draft(tool, "x = 2\n")
    with pytest.raises(Conflict) as refused:
        await desk.reviewing.submit(desk.people["author"], second.id)
    assert refused.value.reason == "review_pending"


async def test_the_gate_wants_a_trial(desk: Desk, work: Any, clock: Any) -> None:
    """Where the library asks for it, only text that succeeded in the sandbox as it stands can be submitted."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    gated = Reviewing(work, clock, TimeOrderedIds(), require_trial=True)
    with pytest.raises(ValidationFailed) as refused:
        await gated.submit(desk.people["author"], draft.id)
    assert [issue.code for issue in refused.value.issues] == ["untried"]
    now = clock.now()
    tried = Run(
        RunId(TimeOrderedIds().new()), RunKind.SANDBOX, RunContext.SANDBOX, Lane.SANDBOX, RunState.SUCCEEDED, tool.id,
        draft.id, None, draft.behaviour_hash, "urn:a", now, "standard@1", finished_at=now,
    )  # fmt: skip
    async with work.write() as unit:
        await unit.runs.add(tried)
    assert (await gated.submit(desk.people["author"], draft.id)).state == VersionState.IN_REVIEW
    assert (await gated.case(desk.people["reviewer"], draft.id)).tried


async def test_what_is_withdrawn_comes_back_as_a_draft(desk: Desk) -> None:
    """With all of its behaviour, as the head if there is none, and beside the one there is; nobody else withdraws."""
    tool = await desk.tool()
    author = desk.people["author"]
    first = await desk.draft(tool, "x = 1\n")
    await desk.reviewing.submit(author, first.id)
    stranger = Actor("urn:fsp:person:stranger", author.rights)
    with pytest.raises(NotFound):
        await desk.reviewing.withdraw(stranger, first.id, "Mine.")
    archived, again = await desk.reviewing.withdraw(author, first.id, "Not ready.")
    assert (archived.archived_reason, archived.reviewed_by) == (ArchivedReason.WITHDRAWN, None)
    assert (first.behaviour, author.subject, first.id) == (again.behaviour, again.created_by, again.derived_from)
    found, _ = await desk.drafting.versions(author, tool.id)
    assert again.id == found.draft_head_version_id
    await desk.reviewing.submit(author, again.id)
    beside = await desk.draft(tool, "x = 2\n")
    await desk.reviewing.withdraw(author, again.id, "Once more.")
    found, versions = await desk.drafting.versions(author, tool.id)
    assert beside.id == found.draft_head_version_id
    returned = came_back(found.draft_head_version_id, versions)
    assert returned is not None
    assert first.behaviour == returned.behaviour
    assert [each.verdict for each in await desk.reviewing.decisions(author, tool.id)] == ["withdraw", "withdraw"]


async def test_a_decision_needs_its_reason(desk: Desk) -> None:
    """Empty or too long, for whoever withdraws and whoever sends back; the version still waits."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    await desk.reviewing.submit(desk.people["author"], draft.id)
    for verb, who in ((desk.reviewing.withdraw, "author"), (desk.reviewing.request_changes, "reviewer")):
        for rationale in (" ", "x" * 4001):
            with pytest.raises(ValidationFailed) as refused:
                await verb(desk.people[who], draft.id, rationale)
            assert [issue.field for issue in refused.value.issues] == ["rationale"]
    assert [draft.id] == [version.id for _, version in await desk.reviewing.queue()]


async def test_the_queue_is_oldest_first(desk: Desk) -> None:
    """Every version that waits, in the order of submission; nothing else."""
    tools = [await desk.tool()]
    tools += [await desk.curation.create(desk.people["reviewer"], ToolTexts(title=f"T{n}")) for n in range(2)]
    boss = desk.people["boss"]
    drafts = [await desk.drafting.create(boss, tool.id, DraftChange({"source_code": "x"})) for tool in tools]
    for draft in (drafts[2], drafts[0]):
        await desk.reviewing.submit(boss, draft.id)
        desk.clock.pass_(minutes=1)
    assert [drafts[2].id, drafts[0].id] == [version.id for _, version in await desk.reviewing.queue()]
