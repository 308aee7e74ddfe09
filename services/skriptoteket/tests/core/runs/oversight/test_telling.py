"""What workers and the operator did is told once, however late its row is written."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.runs.execution import MISMATCH
from skriptoteket.core.runs.models import Lane, OutcomeCode, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.oversight.telling import Telling
from skriptoteket.core.runs.ports.workers import Worker


async def told(telling: Telling) -> list[tuple[str, str]]:
    """Look and note: actions with what they were about."""
    news = await telling.news()
    await telling.note(news)
    return [(fact.action, fact.resource) for fact in news.facts]


async def test_each_fact_once(work: Any, clock: Any) -> None:  # Any: either unit of work
    """A worker with its capabilities, a run whose version was tampered with, and retention that was set anew."""
    now = clock.now()
    tool = ToolId(uuid4())
    run = Run(
        RunId(TimeOrderedIds().new()), RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.FAILED,
        tool, None, None, "h", "urn:a", now, "standard@1", outcome=OutcomeCode.INFRASTRUCTURE, finished_at=now,
    )  # fmt: skip
    worker = Worker(WorkerId("w"), "host", "b", 1, 0.0, "1", "zygote", {"seccomp": "yes"}, (), 1, 0, False, now, now)
    telling = Telling(work, clock, {"retain_logs_days": 336})
    assert await told(telling) == []
    clock.pass_(minutes=2)
    async with work.write() as unit:
        await unit.tools.add(Tool(tool, "t", "T", "", "urn:o", now, now))
        await unit.workers.save(worker)
        await unit.runs.add(replace(run, author_detail=f"v: the source {MISMATCH}"))
        await unit.runs.add(replace(run, id=RunId(TimeOrderedIds().new()), author_detail="the disk is full"))
    assert (await telling.news()).facts[0].details["capabilities"] == {"seccomp": "yes"}
    assert [("worker.started", "host"), ("run.refused", str(run.id))] == await told(telling)
    clock.pass_(minutes=1)
    assert await told(telling) == []
    later = Telling(work, clock, {"retain_logs_days": 24})
    changed = await later.news()
    assert changed.facts[0].details == {"retain_logs_days": [336, 24]}
    assert await told(later) == [("retention.changed", "settings")]
    assert await told(later) == []
