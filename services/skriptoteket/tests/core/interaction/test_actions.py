"""Interactive tools: one step at a time, only what was offered, only the version that offered it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from skriptoteket.core.errors import Conflict, Expired, NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId, VersionId
from skriptoteket.core.interaction.actions import WantedAction
from skriptoteket.core.roles import CONTRIBUTOR_RIGHTS, Actor
from skriptoteket.core.runs.inputs import Upload
from skriptoteket.core.runs.models import OutcomeCode, RunKind, SessionFiles
from skriptoteket.core.runs.queueing.admission import AdmissionRules
from skriptoteket.core.runs.submission import Submission, input_files
from skriptoteket.core.runs.trials import Trial, Trials
from skriptoteket.core.runs.watching import RunWatching

from .quiz import ANNA, MORE, Quiz


@pytest.fixture
async def quiz(work: Any, clock: Any) -> Quiz:
    """The quiz over each kind of store."""
    made = Quiz(work, clock)
    await made.open()
    return made


async def test_an_offer_leads_to_a_run_that_gets_state_and_input(quiz: Quiz) -> None:
    """The step carries what the tool remembered, and its end offers anew."""
    await quiz.begin()
    first = await quiz.session()
    assert (first.rev, first.offer, first.pending_run_id) == (2, (MORE,), None)
    run = await quiz.act(2, rows="4")
    assert (run.kind, run.action) == (RunKind.ACTION, {"action_id": "more", "input": {"rows": 4}})
    assert run.session_state == {"page": 1}
    assert [run.id] == quiz.bell.rung[-1:]
    await quiz.end(run, state={"page": 2})
    over = await quiz.session()
    assert (over.rev, over.offer, over.state) == (4, (), {"page": 2})


async def test_a_run_tells_the_rev_to_go_on_from(quiz: Quiz) -> None:
    """The same as the session once it is read, also before; an older run of it tells none."""
    begun = await quiz.begin()
    assert await told_rev(quiz, begun.id) == 2
    assert (await quiz.session()).rev == 2
    step = await quiz.act(2, rows=1)
    assert (await told_rev(quiz, step.id), await told_rev(quiz, begun.id)) == (3, None)
    await quiz.end(step, offer=(MORE,))
    assert await told_rev(quiz, step.id) == 4


async def told_rev(quiz: Quiz, run_id: RunId) -> int | None:
    """What the requester sees beside the run."""
    return (await RunWatching(quiz.work, quiz.clock, quiz.bell).see(run_id, Actor(ANNA))).state_rev


async def test_a_stale_rev_is_told_the_present_one(quiz: Quiz) -> None:
    """A window that did not see the last step cannot go on from an old result."""
    await quiz.begin()
    await quiz.end(await quiz.act(2, rows=1), offer=(MORE,))
    with pytest.raises(Conflict) as refused:
        await quiz.act(2, rows=1)
    assert (refused.value.reason, refused.value.facts) == ("state_rev_stale", {"state_rev": 4})


async def test_a_step_that_fails_leaves_the_old_offer(quiz: Quiz) -> None:
    """The rev grows, offer and state stay: it can be tried again."""
    await quiz.begin()
    await quiz.end(await quiz.act(2, rows=1), code=OutcomeCode.SCRIPT_ERROR)
    session = await quiz.session()
    assert (session.rev, session.offer, session.state) == (4, (MORE,), {"page": 1})
    assert (await quiz.act(4, rows=1)).session_state == {"page": 1}


async def test_a_fresh_run_forgets_the_session(quiz: Quiz) -> None:
    """While it runs nothing is offered; when it fails, nothing is."""
    await quiz.begin()
    assert ((found := await quiz.session()).rev, found.offer) == (2, (MORE,))
    run = (await quiz.submission.submit(Submission(RunId(quiz.ids.new()), "quiz", ANNA, {}))).run
    assert (3, (), run.id) == ((found := await quiz.session()).rev, found.offer, found.pending_run_id)
    await quiz.end(run, code=OutcomeCode.SCRIPT_ERROR)
    assert ((found := await quiz.session()).rev, found.offer, found.state) == (4, (), None)


@pytest.mark.parametrize(
    ("action", "values", "field"),
    [("less", {}, "action_id"), ("more", {}, "rows"), ("more", {"rows": 99}, "rows"), ("more", {"x": 1}, "x")],
)
async def test_what_was_not_offered_is_refused(quiz: Quiz, action: str, values: dict[str, object], field: str) -> None:
    """An unknown action, a missing, a wrong and an unknown field; the session stays as it was."""
    await quiz.begin()
    with pytest.raises(ValidationFailed) as refused:
        await quiz.act(2, action, **values)
    assert field in {issue.field for issue in refused.value.issues}
    assert ((session := await quiz.session()).rev, session.pending_run_id) == (2, None)


async def test_a_new_version_ends_the_session(quiz: Quiz) -> None:
    """What the old version remembered is not given to the new one."""
    await quiz.begin()
    async with quiz.work.write() as unit:
        tool = await unit.tools.get(quiz.tool_id)
        await unit.tools.update(replace(tool, active_version_id=VersionId(uuid4())))
    with pytest.raises(Conflict, match="new version"):
        await quiz.act(2, rows=1)


async def test_a_trial_goes_on_only_for_who_may_still_write(quiz: Quiz) -> None:
    """A maintainer goes on with a trial; once the right to write is gone, the session does not exist."""
    author = Actor(ANNA, frozenset(CONTRIBUTOR_RIGHTS))
    async with quiz.work.write() as unit:
        await unit.tools.add_maintainer(quiz.tool_id, ANNA)
        version = (await unit.tools.get(quiz.tool_id)).active_version_id
    trials = Trials(quiz.work, quiz.clock, quiz.ids, quiz.bell, AdmissionRules(), ("standard@1",))
    run = await trials.submit(author, Trial(RunId(quiz.ids.new()), quiz.tool_id, {}, version_id=version))
    await quiz.end(run, offer=(MORE,))
    session = await quiz.steps.look(quiz.tool_id, ANNA, run.session_context)
    assert session is not None
    wanted = WantedAction(
        RunId(quiz.ids.new()), quiz.tool_id, author, "more", {"rows": 1}, session.rev, run.session_context
    )
    with pytest.raises(NotFound):
        await quiz.steps.act(replace(wanted, actor=Actor(ANNA)))
    assert RunKind.ACTION is (await quiz.steps.act(wanted)).kind


async def test_a_trial_of_unsaved_text_goes_on_until_its_text_is_forgotten(quiz: Quiz) -> None:
    """Its author finds the session by the snapshot; others do not; a day later it has expired, and is then purged."""
    author = Actor(ANNA, frozenset(CONTRIBUTOR_RIGHTS))
    async with quiz.work.write() as unit:
        await unit.tools.add_maintainer(quiz.tool_id, ANNA)
    trials = Trials(quiz.work, quiz.clock, quiz.ids, quiz.bell, AdmissionRules(), ("standard@1",))
    fields = {"source_code": "x = 2\n", "input_schema": []}
    run = await trials.submit(author, Trial(RunId(quiz.ids.new()), quiz.tool_id, {}, fields=fields))
    await quiz.end(run, offer=(MORE,))
    assert run.snapshot_id is not None
    assert run.session_context == await quiz.steps.context_of_trial(author, quiz.tool_id, run.snapshot_id)
    for stranger in (Actor(ANNA), Actor("urn:else", author.rights)):
        with pytest.raises(NotFound):
            await quiz.steps.context_of_trial(stranger, quiz.tool_id, run.snapshot_id)
    quiz.clock.pass_(hours=25)
    with pytest.raises(Expired):
        await quiz.steps.context_of_trial(author, quiz.tool_id, run.snapshot_id)
    async with quiz.work.write() as unit:
        assert await unit.snapshots.forget_expired(quiz.clock.now()) == 1


async def test_sessions_end_by_themselves_and_on_request(quiz: Quiz) -> None:
    """After a day, or when somebody starts over; not while a step runs."""
    await quiz.begin()
    run = await quiz.act(2, rows=1)
    with pytest.raises(Conflict, match="still running"):
        await quiz.steps.start_over(quiz.tool_id, ANNA)
    await quiz.end(run, offer=(MORE,))
    await quiz.steps.start_over(quiz.tool_id, ANNA)
    assert None is await quiz.session()
    with pytest.raises(NotFound):
        await quiz.act(4, rows=1)
    await quiz.begin()
    quiz.clock.pass_(hours=25)
    assert None is await quiz.session()
    async with quiz.work.write() as unit:
        assert await unit.sessions.forget_unused(quiz.clock.now() - timedelta(hours=24)) == 1


async def test_files_wait_for_the_next_step(quiz: Quiz) -> None:
    """Kept while the tool offers to go on, used only by who asks, forgotten by clear and by an end without an offer."""
    upload = Upload("list", "a.csv", 3, "0" * 64, "runs/x/inputs/0", b"a;b")
    submission = Submission(RunId(quiz.ids.new()), "quiz", ANNA, {})
    with pytest.raises(ValidationFailed, match="no files are kept"):
        await quiz.submission.kept_files("quiz", ANNA)
    run = replace((await quiz.submission.submit(submission)).run, files=input_files([upload]))
    async with quiz.work.write() as unit:
        await unit.runs.update(run)
    ended = await quiz.end(run, offer=(MORE,))
    assert (ended.keeps_inputs, ended.files[0].blob_key) == (True, "runs/x/inputs/0")
    assert [file.original_name for file in await quiz.steps.kept_files(quiz.tool_id, ANNA)] == ["a.csv"]
    assert [file.original_name for file in await quiz.submission.kept_files("quiz", ANNA)] == ["a.csv"]

    step = await quiz.act(2, rows=4)
    assert step.files == ()
    await quiz.end(step, offer=(MORE,))
    assert [file.original_name for file in (await quiz.session()).files] == ["a.csv"]

    wanted = WantedAction(
        RunId(quiz.ids.new()), quiz.tool_id, Actor(ANNA), "more", {"rows": 1}, 4, session_files=SessionFiles.CLEAR
    )
    await quiz.end(await quiz.steps.act(wanted), offer=(MORE,))
    assert (await quiz.session()).files == ()


async def test_an_end_without_an_offer_keeps_no_files(quiz: Quiz) -> None:
    """Uploads of a run that offers nothing are forgotten when it ends."""
    submission = Submission(RunId(quiz.ids.new()), "quiz", ANNA, {})
    run = (await quiz.submission.submit(submission)).run
    upload = Upload("list", "a.csv", 3, "0" * 64, "runs/x/inputs/0", b"a;b")
    async with quiz.work.write() as unit:
        await unit.runs.update(replace(run, files=input_files([upload])))
    ended = await quiz.end(run)
    assert (ended.keeps_inputs, ended.files[0].blob_key) == (False, None)
    assert (await quiz.session()).files == ()
