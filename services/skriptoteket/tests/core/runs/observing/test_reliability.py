"""How often runs of a tool fail because of the tool."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.runs.models import STATE_OF_OUTCOME, Lane, OutcomeCode, Run, RunContext, RunKind
from skriptoteket.core.runs.observing.reliability import Record, Reliability


async def test_what_counts(work: Any, clock: Any) -> None:  # Any: either unit of work
    """The tool's own failures of the 30 days among runs it answered; trials and others' faults do not count."""
    tool, idle = ToolId(uuid4()), ToolId(uuid4())
    now = clock.now()
    async with work.write() as unit:
        for tool_id in (tool, idle):
            await unit.tools.add(Tool(tool_id, f"t-{tool_id}", "T", "", "urn:o", now, now))
    ids = TimeOrderedIds()

    async def ended(code: OutcomeCode, context: RunContext = RunContext.PRODUCTION) -> None:
        at = clock.now()
        run = Run(
            RunId(ids.new()), RunKind.PRODUCTION, context, Lane.INTERACTIVE, STATE_OF_OUTCOME[code],
            tool, None, None, "h", "urn:a", at, "standard@1",
        )  # fmt: skip
        async with work.write() as unit:
            await unit.runs.add(replace(run, outcome=code, finished_at=at))

    await ended(OutcomeCode.SCRIPT_ERROR)
    clock.pass_(days=31)
    for code in (OutcomeCode.OK, OutcomeCode.OK, OutcomeCode.INPUT_REFUSED, OutcomeCode.TIMEOUT):
        await ended(code)
    for code in (OutcomeCode.INFRASTRUCTURE, OutcomeCode.CANCELLED, OutcomeCode.LOST, OutcomeCode.QUEUE_TIMEOUT):
        await ended(code)
    await ended(OutcomeCode.SCRIPT_ERROR, RunContext.SANDBOX)
    found = await Reliability(work, clock).of({tool, idle})
    assert {tool: Record(4, 1), idle: Record(0, 0)} == found
    assert (found[tool].failure_rate, found[idle].failure_rate) == (0.25, None)
