"""From draft to published and back again, on every kind of store."""

from dataclasses import replace
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.errors import (
    Conflict,
    FourEyesRequired,
    StepUpRequired,
)
from skriptoteket.core.roles import Actor, Strength
from skriptoteket.core.runs.models import RunState
from skriptoteket.core.versions.drafting import DraftChange
from skriptoteket.core.versions.models import ArchivedReason, VersionState
from skriptoteket.core.versions.publication import Expected, Publication

from .desk import Desk, waiting_run


async def test_what_was_reviewed_is_what_is_active(desk: Desk) -> None:
    """Publishing copies the reviewed row byte for byte under the next number, and shows the tool when asked to."""
    tool = await desk.tool()
    active = await desk.published(tool, "def run_tool(a, b): return 'å'\n")
    found, versions = await desk.drafting.versions(desk.people["author"], tool.id)
    reviewed = versions[1]
    assert (active.state, reviewed.state) == (VersionState.ACTIVE, VersionState.ARCHIVED)
    assert reviewed.archived_reason == ArchivedReason.CONSUMED
    assert reviewed.behaviour == active.behaviour
    assert (2, True, active.id) == (active.version_number, found.is_visible, found.active_version_id)


async def test_a_second_publication_supersedes_the_first(desk: Desk) -> None:
    """There is one active version: the newest; the one before is archived as superseded."""
    tool = await desk.tool()
    first = await desk.published(tool, "x = 1\n")
    second = await desk.published(tool, "x = 2\n")
    _, versions = await desk.drafting.versions(desk.people["author"], tool.id)
    states = {version.id: version.state for version in versions}
    assert [second.id] == [key for key, state in states.items() if state is VersionState.ACTIVE]
    assert next(each for each in versions if each.id == first.id).archived_reason == ArchivedReason.SUPERSEDED


async def test_an_old_hash_publishes_nothing(desk: Desk) -> None:
    """A decision on something else than what is there is refused with the actual hash."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    await desk.reviewing.submit(desk.people["author"], draft.id)
    with pytest.raises(Conflict) as refused:
        await desk.publication.publish(desk.people["reviewer"], draft.id, Expected("0" * 64), "Fine.")
    assert refused.value.reason == "hash_mismatch"
    assert draft.behaviour_hash == refused.value.facts["behaviour_hash"]


async def test_a_draft_cannot_be_published(desk: Desk) -> None:
    """Only what is in review can become active."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    with pytest.raises(Conflict) as refused:
        await desk.publication.publish(desk.people["reviewer"], draft.id, Expected(draft.behaviour_hash), "Fine.")
    assert refused.value.reason == "wrong_state"


async def test_rollback_brings_back_what_was_published(desk: Desk) -> None:
    """A rollback copies the target under a new number and names it; the target stays as it is."""
    tool = await desk.tool()
    first = await desk.published(tool, "x = 1\n")
    second = await desk.published(tool, "x = 2\n")
    done = await desk.publication.roll_back(
        desk.people["boss"], first.id, Expected(first.behaviour_hash), "Version 4 loses rows."
    )
    back = (await desk.drafting.version(desk.people["boss"], done.new_active_version_id))[1]
    assert first.behaviour == back.behaviour
    assert f"Rolled back to version {first.version_number}." == back.change_summary
    assert second.id == done.previous_active_version_id


async def test_rollback_only_to_what_was_published(desk: Desk) -> None:
    """A version that was sent back can never become active by a rollback, and the active one cannot either."""
    tool = await desk.tool()
    active = await desk.published(tool, "x = 1\n")
    draft = await desk.draft(tool, "x = 2\n")
    await desk.reviewing.submit(desk.people["author"], draft.id)
    rejected, _ = await desk.reviewing.request_changes(desk.people["reviewer"], draft.id, "Add a check.")
    for target, reason in ((rejected, "never_published"), (active, "already_active")):
        with pytest.raises(Conflict) as refused:
            await desk.publication.roll_back(
                desk.people["boss"], target.id, Expected(target.behaviour_hash), "Because."
            )
        assert reason == refused.value.reason


@pytest.mark.parametrize("role", ["author", "submitter"])
async def test_four_eyes(work: Any, clock: Any, people: dict[str, Actor], role: str) -> None:
    """Who wrote any draft of the chain, or submitted it, cannot publish it; somebody else can."""
    desk = Desk(work, clock, people, "publish")
    author, reviewer = people["author"], people["reviewer"]
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    if role == "author":
        draft = await desk.drafting.save(reviewer, draft.id, DraftChange({"source_code": "x = 2\n"}), draft.id)
        clock.pass_(minutes=11)
        draft = await desk.drafting.save(author, draft.id, DraftChange({"source_code": "x = 3\n"}))
    await desk.reviewing.submit(author if role == "author" else reviewer, draft.id)
    with pytest.raises(FourEyesRequired) as refused:
        await desk.publication.publish(reviewer, draft.id, Expected(draft.behaviour_hash), "Fine.")
    assert role == refused.value.role
    await desk.publication.publish(people["boss"], draft.id, Expected(draft.behaviour_hash), "Fine.")


async def test_an_unsure_sign_in_publishes_nothing(desk: Desk, clock: Any) -> None:
    """Where a second factor is demanded, a password is not enough to publish or to roll back."""
    tool = await desk.tool()
    first = await desk.published(tool, "x = 1\n")
    await desk.published(tool, "x = 2\n")
    careful = Publication(desk.work, clock, TimeOrderedIds(), assurance="multi")
    cases: tuple[tuple[Strength, bool], ...] = (("password", True), ("multi", False))
    for strength, refused in cases:
        boss = replace(desk.people["boss"], strength=strength)
        try:
            await careful.roll_back(boss, first.id, Expected(first.behaviour_hash), "Back.")
            told = False
        except StepUpRequired:
            told = True
        assert refused == told, strength


async def test_every_illegal_move_is_told_the_state(desk: Desk) -> None:
    """A draft, one under review, the active one, and those that were sent back, superseded or consumed: each verb that
    does not fit is a conflict, and afterwards everything is as it was."""
    tool = await desk.tool()
    author, reviewer, boss = (desk.people[name] for name in ("author", "reviewer", "boss"))
    old = await desk.published(tool, "x = 1\n")
    active = await desk.published(tool, "x = 2\n")
    consumed = active.derived_from
    sent = await desk.draft(tool, "x = 3\n")
    await desk.reviewing.submit(author, sent.id)
    rejected, head = await desk.reviewing.request_changes(reviewer, sent.id, "No.")
    await desk.reviewing.submit(author, head.id)
    waiting = head
    head = await desk.draft(tool, "x = 4\n")
    assert consumed is not None
    before = (await desk.drafting.versions(author, tool.id))[1]
    hashes = {each.id: Expected(each.behaviour_hash) for each in before}
    verbs: dict[str, Any] = {  # Any: six verbs of as many signatures
        "save": lambda one: desk.drafting.save(author, one, DraftChange({"source_code": "y"})),
        "submit": lambda one: desk.reviewing.submit(author, one),
        "withdraw": lambda one: desk.reviewing.withdraw(author, one, "Why."),
        "request_changes": lambda one: desk.reviewing.request_changes(reviewer, one, "Why."),
        "publish": lambda one: desk.publication.publish(reviewer, one, hashes[one], "Why."),
        "roll_back": lambda one: desk.publication.roll_back(boss, one, hashes[one], "Why."),
    }
    wrong, moved = "wrong_state", "draft_head_moved"
    expected: dict[Any, dict[str, str]] = {
        head.id: {"submit": "review_pending", "withdraw": wrong, "request_changes": wrong, "publish": wrong, "roll_back": "never_published"},  # noqa: E501 - one row of the table
        waiting.id: {"save": moved, "submit": wrong, "roll_back": "never_published"},
        active.id: {"save": moved, "submit": wrong, "withdraw": wrong, "request_changes": wrong, "publish": wrong, "roll_back": "already_active"},  # noqa: E501 - as above
        rejected.id: {"save": moved, "submit": wrong, "withdraw": wrong, "request_changes": wrong, "publish": wrong, "roll_back": "never_published"},  # noqa: E501 - as above
        old.id: {"save": moved, "submit": wrong, "withdraw": wrong, "request_changes": wrong, "publish": wrong},
        consumed: {"save": moved, "submit": wrong, "withdraw": wrong, "request_changes": wrong, "publish": wrong, "roll_back": "already_active"},  # noqa: E501 - as above
    }  # fmt: skip
    for version, table in expected.items():
        for name, reason in table.items():
            with pytest.raises(Conflict) as refused:
                await verbs[name](version)
            assert reason == refused.value.reason, (name, version)
            assert len(str(refused.value).split(". ")) > 1 or reason != wrong, "says what to do"
    assert before == (await desk.drafting.versions(author, tool.id))[1]


async def test_rolling_back_cancels_what_waits_for_the_bad_version(desk: Desk, work: Any, clock: Any) -> None:
    """Publishing lets waiting runs finish on the version that they were submitted for; rolling back does not."""
    tool = await desk.tool()
    first = await desk.published(tool, "x = 1\n")
    run = await waiting_run(work, clock, first)
    second = await desk.published(tool, "x = 2\n")
    later = await waiting_run(work, clock, second)
    async with work.read() as unit:
        assert RunState.QUEUED is (await unit.runs.get(run)).state
    await desk.publication.roll_back(desk.people["boss"], first.id, Expected(first.behaviour_hash), "Bad.")
    async with work.read() as unit:
        for each in (run, later):
            gone = await unit.runs.get(each)
            assert (gone.state, gone.cancel_reason) == (RunState.CANCELLED, "version_retired")


async def test_four_eyes_on_a_roll_back(work: Any, clock: Any, people: dict[str, Actor]) -> None:
    """Where two pairs of eyes roll back as well, whoever wrote the target may not bring it back."""
    desk = Desk(work, clock, people, "publish_and_rollback")
    writer = people["author"] = Actor("urn:fsp:person:writer", people["boss"].rights)
    tool = await desk.tool()
    first = await desk.published(tool, "x = 1\n")
    await desk.published(tool, "x = 2\n")
    expected = Expected(first.behaviour_hash)
    with pytest.raises(FourEyesRequired):
        await desk.publication.roll_back(writer, first.id, expected, "Back.")
    await desk.publication.roll_back(people["boss"], first.id, expected, "Back.")
