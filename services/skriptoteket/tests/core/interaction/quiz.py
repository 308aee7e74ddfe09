"""An interactive tool over one library, with a worker that a test plays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from skriptoteket.adapters.memory.artifacts import RememberedBell
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.interaction.actions import Interaction, WantedAction
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.models import Ended, Outcome, OutcomeCode, Run, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.admission import AdmissionRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.core.runs.submission import RunSubmission, Submission
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

ANNA = "urn:fsp:person:anna"


MORE = {
    "action_id": "more",
    "label": "More",
    "fields": [{"kind": "integer", "name": "rows", "min": 1, "max": 9, "required": True}],
    "prefill": {"rows": 3},
}


class Quiz:
    """A published tool without input, a live worker that this test plays, and both verbs."""

    def __init__(self, work: Any, clock: Any) -> None:
        self.work, self.clock, self.ids, self.bell = work, clock, TimeOrderedIds(), RememberedBell()
        rules = AdmissionRules()
        self.submission = RunSubmission(work, clock, self.bell, rules)
        self.steps = Interaction(work, clock, self.bell, rules)
        self.tool_id = ToolId(uuid4())

    async def open(self) -> None:
        """Put tool and worker in place."""
        now = self.clock.now()
        behaviour = Behaviour("x = 1\n", input_schema=())
        hashes = content_hash(behaviour), behaviour_hash(behaviour)
        worker = Worker(WorkerId("w"), "h", "b", 1, 0.0, "1", "test", DEFAULT_REQUIREMENTS, ("standard@1",), 4096, 0, False, now, now)  # fmt: skip  # noqa: E501 - one record
        tool = Tool(self.tool_id, "quiz", "Quiz", "", "urn:o", now, now, is_visible=True)
        version = ToolVersion(
            VersionId(uuid4()), self.tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:o", now
        )
        async with self.work.write() as unit:
            await unit.tools.add(tool)
            await unit.versions.add(version)
            await unit.tools.update(replace(tool, active_version_id=version.id))
            await unit.workers.save(worker)

    async def begin(self) -> Run:
        """A production run, succeeded with an offer and a state."""
        run = (await self.submission.submit(Submission(RunId(self.ids.new()), "quiz", ANNA, {}))).run
        return await self.end(run, offer=(MORE,), state={"page": 1})

    async def end(self, run: Run, offer: Any = (), state: Any = None, code: OutcomeCode = OutcomeCode.OK) -> Run:
        """Play the worker."""
        rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
        async with self.work.write() as unit:
            claimed = await unit.queue.claim(WorkerId("w"), rules, self.clock.now(), timedelta(seconds=30))
            assert (run.id, True) == (claimed.id, claimed.claim is not None)
            for step in (RunState.RUNNING, RunState.COLLECTING):
                await unit.queue.move(claimed.claim, step, self.clock.now())
            ended = Ended(Outcome(code), next_actions=offer, state=state)
            done: Run = await unit.queue.finish(claimed.claim, ended, self.clock.now())
            return done

    async def act(self, rev: int, action: str = "more", **values: object) -> Run:
        """One step."""
        wanted = WantedAction(RunId(self.ids.new()), self.tool_id, Actor(ANNA), action, values, rev)
        return await self.steps.act(wanted)

    async def session(self) -> Any:
        """As it stands."""
        return await self.steps.look(self.tool_id, ANNA)
