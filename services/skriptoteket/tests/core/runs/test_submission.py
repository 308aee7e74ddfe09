"""Submitting: one key is one run, also in the same moment."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from skriptoteket.adapters.memory.artifacts import RememberedBell
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import NotFound, RunnerUnavailable
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.admission import AdmissionRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.core.runs.submission import RunSubmission, Submission
from skriptoteket.core.versions.behaviour import LIMIT_CEILINGS, reduced
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState


class Counter:
    """A published tool without input, a live worker, and the verb."""

    def __init__(self, work: Any, clock: Any) -> None:
        self.work, self.clock, self.ids, self.bell = work, clock, TimeOrderedIds(), RememberedBell()
        self.verb = RunSubmission(work, clock, self.bell, AdmissionRules())

    async def open(self) -> None:
        """Put tool and worker in place."""
        now = self.clock.now()
        tool_id, version_id = ToolId(uuid4()), VersionId(uuid4())
        behaviour = Behaviour("x = 1\n", input_schema=(), limits={"memory_mib": 2048, "wall_seconds": 30})
        hashes = content_hash(behaviour), behaviour_hash(behaviour)
        worker = Worker(WorkerId("w"), "h", "b", 1, 0.0, "1", "test", DEFAULT_REQUIREMENTS, ("standard@1",), 4096, 0, False, now, now)  # fmt: skip  # noqa: E501 - one record
        tool = Tool(tool_id, "counter", "Counter", "", "urn:o", now, now, is_visible=True)
        async with self.work.write() as unit:
            await unit.tools.add(tool)
            await unit.versions.add(
                ToolVersion(version_id, tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:o", now)
            )
            await unit.tools.update(replace(tool, active_version_id=version_id))
            await unit.workers.save(worker)

    async def submit(self, key: str | None = None, user: str = "urn:a") -> Any:
        """One submission."""
        return await self.verb.submit(Submission(RunId(self.ids.new()), "counter", user, {}, idempotency_key=key))


@pytest.fixture
async def counter(work: Any, clock: Any) -> Counter:
    """The counter over each kind of store."""
    made = Counter(work, clock)
    await made.open()
    return made


async def test_the_same_key_in_the_same_moment_is_one_run(counter: Counter) -> None:
    """Eight requests with one key: one run, one ring of the bell, seven replays."""
    answers = await asyncio.gather(*(counter.submit("k") for _ in range(8)))
    assert len({answer.run.id for answer in answers}) == 1
    assert (sum(answer.replayed for answer in answers), len(counter.bell.rung)) == (7, 1)


async def test_a_key_is_forgotten_after_a_day(counter: Counter) -> None:
    """The next day the same key is a new request."""
    first = await counter.submit("k")
    counter.clock.pass_(hours=25)
    async with counter.work.write() as unit:
        [worker] = await unit.workers.all()
        await unit.workers.save(replace(worker, heartbeat_at=counter.clock.now()))
    assert first.run.id != (await counter.submit("k")).run.id


async def test_a_stale_worker_counts_as_none(counter: Counter) -> None:
    """A record that nobody renews runs nothing."""
    counter.clock.pass_(minutes=5)
    with pytest.raises(RunnerUnavailable, match="no worker is running"):
        await counter.submit()


async def test_hidden_tools_cannot_be_run(counter: Counter) -> None:
    """Once hidden, the tool does not exist for users."""
    async with counter.work.write() as unit:
        tool = await unit.tools.by_slug("counter")
        await unit.tools.update(replace(tool, is_visible=False))
    with pytest.raises(NotFound):
        await counter.submit()


async def test_ceilings_that_were_lowered_since(counter: Counter) -> None:
    """A version that was published with more than the operator allows now runs with what is allowed; less stays."""
    assert limits(await counter.submit()) == (2048, 30)
    lowered = {**LIMIT_CEILINGS, "memory_mib": (64, 1024), "wall_seconds": (1, 60), "cpu": (0.1, 0.5)}
    rules = AdmissionRules(ceilings=lowered)
    counter.verb = RunSubmission(counter.work, counter.clock, counter.bell, rules)
    later = await counter.submit()
    assert (limits(later), later.run.limits.cpu) == ((1024, 30), 0.5)
    assert reduced({"memory_mib": 2048, "wall_seconds": 30}, lowered) == {"memory_mib": 1024}


def limits(submitted: Any) -> tuple[int, int]:
    """Memory and time of a run."""
    return submitted.run.limits.memory_mib, submitted.run.limits.wall_seconds
