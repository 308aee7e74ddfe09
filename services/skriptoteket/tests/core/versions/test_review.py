"""A version waits for a verdict: submitted, sent back, tried."""

from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.errors import (
    Conflict,
    ValidationFailed,
)
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.versions.models import ArchivedReason, VersionState
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
