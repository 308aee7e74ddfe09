"""Saves, publications, roll-backs and take-overs at the same moment: one wins, the other is told."""

import asyncio
from typing import Any

import pytest

from skriptoteket.core.errors import (
    Conflict,
    SkriptoteketError,
)
from skriptoteket.core.roles import Actor
from skriptoteket.core.versions.draft_lock import DraftLocking
from skriptoteket.core.versions.drafting import DraftChange
from skriptoteket.core.versions.models import ToolVersion, VersionState
from skriptoteket.core.versions.publication import Expected

from ...core.versions.desk import Desk  # noqa: TID252 - tests have no absolute name


@pytest.fixture
def desk(work: Any, clock: Any, people: dict[str, Actor]) -> Desk:  # Any: either unit of work, a clock that tests turn
    """The verbs over each library."""
    return Desk(work, clock, people)


async def test_two_publications_have_one_winner(desk: Desk) -> None:
    """Of two reviewers who publish at once one wins, the other is told the state."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    await desk.reviewing.submit(desk.people["author"], draft.id)
    expected = Expected(draft.behaviour_hash)
    answers = await asyncio.gather(
        *(desk.publication.publish(desk.people["reviewer"], draft.id, expected, "Fine.") for _ in range(2)),
        return_exceptions=True,
    )
    losers = [answer for answer in answers if isinstance(answer, SkriptoteketError)]
    assert [loser.reason for loser in losers if isinstance(loser, Conflict)] == ["wrong_state"]
    _, versions = await desk.drafting.versions(desk.people["author"], tool.id)
    assert sum(version.state is VersionState.ACTIVE for version in versions) == 1


async def test_twenty_parallel_saves_have_one_winner(desk: Desk) -> None:
    """One save follows the head, nineteen are told the new head; numbers have no gap."""
    tool = await desk.tool()
    head = await desk.draft(tool, "x = 0\n")
    saves = [
        desk.drafting.save(desk.people["author"], head.id, DraftChange({"source_code": f"x = {number}\n"}))
        for number in range(1, 21)
    ]
    answers = await asyncio.gather(*saves, return_exceptions=True)
    won = [answer for answer in answers if isinstance(answer, ToolVersion)]
    lost = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(won), len(lost)) == (1, 19)
    assert {("draft_head_moved", str(won[0].id))} == {
        (each.reason, each.facts["draft_head_version_id"]) for each in lost
    }
    assert won[0].version_number == 2


async def test_a_rollback_and_a_publication_at_once(desk: Desk) -> None:
    """Both may win, one after the other, or one is told the state; there is always exactly one active version."""
    tool = await desk.tool()
    first = await desk.published(tool, "x = 1\n")
    await desk.published(tool, "x = 2\n")
    draft = await desk.draft(tool, "x = 3\n")
    await desk.reviewing.submit(desk.people["author"], draft.id)
    answers = await asyncio.gather(
        desk.publication.roll_back(desk.people["boss"], first.id, Expected(first.behaviour_hash), "Back."),
        desk.publication.publish(desk.people["reviewer"], draft.id, Expected(draft.behaviour_hash), "Fine."),
        desk.drafting.create(desk.people["author"], tool.id, DraftChange({"source_code": "x = 4\n"})),
        return_exceptions=True,
    )
    assert [each for each in answers if isinstance(each, BaseException) and not isinstance(each, Conflict)] == []
    found, versions = await desk.drafting.versions(desk.people["author"], tool.id)
    active = [each.id for each in versions if each.state is VersionState.ACTIVE]
    assert [found.active_version_id] == active
    numbers = sorted(each.version_number for each in versions)
    assert list(range(1, len(numbers) + 1)) == numbers


async def test_a_save_against_a_take_over(desk: Desk, clock: Any) -> None:
    """The author's save either came first or is told who edits now; her text is never written beside theirs."""
    tool = await desk.tool()
    head = await desk.draft(tool, "x = 0\n")
    locking = DraftLocking(desk.work, clock)
    await locking.acquire(desk.people["author"], tool.id, head.id)
    answers = await asyncio.gather(
        desk.drafting.save(desk.people["author"], head.id, DraftChange({"source_code": "x = 1\n"})),
        locking.acquire(desk.people["reviewer"], tool.id, head.id, force=True),
        return_exceptions=True,
    )
    lost = [each for each in answers if isinstance(each, Conflict)]
    assert [each.reason for each in lost] in (["draft_locked"], ["draft_head_moved"])
    assert len([each for each in answers if isinstance(each, BaseException)]) == 1
