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
from skriptoteket.core.versions.drafting import DraftChange
from skriptoteket.core.versions.models import ArchivedReason, VersionState
from skriptoteket.core.versions.publication import Expected, Publication

from .desk import Desk


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


@pytest.mark.parametrize("who", ["reviewer"])
async def test_four_eyes(work: Any, clock: Any, people: dict[str, Actor], who: str) -> None:
    """Who wrote any draft of the chain, or submitted it, cannot publish it."""
    desk = Desk(work, clock, people, "publish")
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    saved = await desk.drafting.save(desk.people[who], draft.id, DraftChange({"source_code": "x = 2\n"}), draft.id)
    await desk.reviewing.submit(desk.people["author"], saved.id)
    with pytest.raises(FourEyesRequired):
        await desk.publication.publish(desk.people[who], saved.id, Expected(saved.behaviour_hash), "Fine.")
    await desk.publication.publish(desk.people["boss"], saved.id, Expected(saved.behaviour_hash), "Fine.")


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
