"""From draft to published and back again, on every kind of store."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.curation import Curation, ToolTexts
from skriptoteket.core.errors import (
    Conflict,
    FourEyesRequired,
    NotFound,
    SkriptoteketError,
    StepUpRequired,
    ValidationFailed,
)
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import Actor, Strength
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.versions.bank.taxonomy import install_taxonomy
from skriptoteket.core.versions.draft_lock import DraftLocking
from skriptoteket.core.versions.drafting import DraftChange, Drafting
from skriptoteket.core.versions.models import ArchivedReason, ToolVersion, VersionState
from skriptoteket.core.versions.publication import Expected, FourEyes, Publication
from skriptoteket.core.versions.review import Reviewing

ENVIRONMENTS = ("standard@1",)


class Desk:
    """Every verb of versions over one library."""

    def __init__(self, work: Any, clock: Any, people: dict[str, Actor], four_eyes: FourEyes = "off") -> None:
        ids = TimeOrderedIds()
        self.work = work
        self.people = people
        self.curation = Curation(work, clock, ids)
        self.drafting = Drafting(work, clock, ids, ENVIRONMENTS)
        self.reviewing = Reviewing(work, clock, ids)
        self.publication = Publication(work, clock, ids, four_eyes)

    async def tool(self) -> Any:
        """A hidden tool that the author maintains."""
        await install_taxonomy(self.work)
        texts = ToolTexts(slug="counter", title="Counter", professions=("larare",), categories=("ovrigt",))
        tool = await self.curation.create(self.people["reviewer"], texts)
        async with self.work.write() as unit:
            await unit.tools.add_maintainer(tool.id, self.people["author"].subject)
        return tool

    async def draft(self, tool: Any, source: str) -> ToolVersion:
        """A first draft by the author."""
        return await self.drafting.create(self.people["author"], tool.id, DraftChange({"source_code": source}))

    async def published(self, tool: Any, source: str) -> ToolVersion:
        """A draft taken all the way."""
        draft = await self.draft(tool, source)
        await self.reviewing.submit(self.people["author"], draft.id)
        done = await self.publication.publish(
            self.people["reviewer"], draft.id, Expected(draft.behaviour_hash), "Looks good.", show=True
        )
        return (await self.drafting.version(self.people["reviewer"], done.new_active_version_id))[1]


@pytest.fixture
def desk(work: Any, clock: Any, people: dict[str, Actor]) -> Desk:
    """The verbs over each library."""
    return Desk(work, clock, people)


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


async def test_strangers_see_no_versions(desk: Desk, people: dict[str, Actor]) -> None:
    """For somebody who does not maintain the tool its versions do not exist."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    stranger = Actor("urn:fsp:person:stranger", people["author"].rights)
    with pytest.raises(NotFound):
        await desk.drafting.versions(stranger, tool.id)
    with pytest.raises(NotFound):
        await desk.drafting.save(stranger, draft.id, DraftChange({}))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"source_code": "  "}, "source_code"),
        ({"source_code": "x" * 600_000}, "source_code"),
        ({"source_code": "x = '\x00'"}, "source_code"),
        ({"source_code": "x", "entrypoint": "class"}, "entrypoint"),
        ({"source_code": "x", "environment": "mars@1"}, "environment"),
        ({"source_code": "x", "limits": {"memory_mib": 9000}}, "limits.memory_mib"),
        ({"source_code": "x", "requirements": ["magic"]}, "requirements"),
        ({"source_code": "x", "colour": "red"}, "colour"),
        (
            {"source_code": "x", "input_schema": [{"kind": "integer", "name": "n", "min": 5, "max": 1}]},
            "input_schema.0.min",
        ),
    ],
)
async def test_wrong_behaviour_is_named(desk: Desk, fields: dict[str, object], wrong: str) -> None:
    """A wrong field is named with its rule and nothing is saved."""
    tool = await desk.tool()
    with pytest.raises(ValidationFailed) as refused:
        await desk.drafting.create(desk.people["author"], tool.id, DraftChange(fields))
    assert [wrong] == [issue.field for issue in refused.value.issues]
    assert list((await desk.drafting.versions(desk.people["author"], tool.id))[1]) == []


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
