"""Who has left leaves no preferences behind; who was erased, no run and no name."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore, RememberedBell
from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.preferences.models import UserSettings
from skriptoteket.core.runs.models import InputFile, Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.oversight.leaving import Leaving
from skriptoteket.core.runs.oversight.removal import Removal
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, Verdict, VersionDecision, VersionState

ANNA, BOB = "urn:au:person:anna", "urn:au:person:bob"


async def test_a_person_who_left_is_forgotten_and_nobody_else(work: Any, clock: StandingClock) -> None:
    """Settings, seen instructions, favourites and sessions are gone; being told twice does no harm."""
    now = clock.now()
    tool = Tool(ToolId(uuid4()), "counter", "Counter", "", ANNA, now, now)
    async with work.write() as unit:
        await unit.tools.add(tool)
        for who in (ANNA, BOB):
            await unit.tools.set_favourite(tool.id, who, True, now)
            await unit.preferences.save_settings(UserSettings(tool.id, who, {"rows": 4}, 1), 0)
            await unit.preferences.see(tool.id, who, "hash")
            await unit.sessions.put(ToolSession(tool.id, who, "default", now))
    for _ in range(2):
        await Leaving(work, clock, TimeOrderedIds(), RememberedBell()).forget(ANNA)
    async with work.read() as unit:
        left = {
            who: (
                await unit.tools.favourites(who),
                dict((await unit.preferences.settings(tool.id, who)).values),
                await unit.preferences.seen(tool.id, who),
                await unit.sessions.get(tool.id, who, "default") is None,
            )
            for who in (ANNA, BOB)
        }
        kept = await unit.tools.by_slug("counter")
    assert left == {ANNA: (frozenset(), {}, "", True), BOB: (frozenset({tool.id}), {"rows": 4}, "hash", False)}
    assert kept is not None
    assert kept.owner == ANNA


async def test_an_erased_person_is_named_nowhere(work: Any, clock: StandingClock) -> None:
    """A waiting run is cancelled, a working one waited for, a finished one emptied with its files; then the name goes,
    also out of history, and others keep theirs."""
    now, ids, bell, files = clock.now(), TimeOrderedIds(), RememberedBell(), MemoryArtifactStore()
    leaving, removal = Leaving(work, clock, ids, bell), Removal(work, files, clock)
    tool = Tool(ToolId(uuid4()), "counter", "Counter", "", ANNA, now, now)
    behaviour = Behaviour("x = 1\n")
    hashes = content_hash(behaviour), behaviour_hash(behaviour)
    version = ToolVersion(VersionId(uuid4()), tool.id, 1, VersionState.DRAFT, behaviour, *hashes, ANNA, now)
    decision = VersionDecision(uuid4(), version.id, tool.id, Verdict.WITHDRAW, "No.", ANNA, now, hashes[1])

    async def content() -> Any:
        yield b"a;b"

    stored = await files.write("runs/x/inputs/0", content())
    given = InputFile("list", "a.csv", "a.csv", 3, stored.sha256, stored.key)
    kinds = RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE
    runs = [
        Run(RunId(ids.new()), *kinds, state, tool.id, version.id, None, hashes[1], who, now, "standard@1", files=kept)
        for state, who, kept in (
            (RunState.QUEUED, ANNA, ()),
            (RunState.SUCCEEDED, ANNA, (given,)),
            (RunState.RUNNING, ANNA, ()),
            (RunState.QUEUED, BOB, ()),
        )
    ]
    async with work.write() as unit:
        await unit.tools.add(tool)
        for who in (ANNA, BOB):
            await unit.tools.add_maintainer(tool.id, who)
        await unit.versions.add(version)
        await unit.versions.add_decision(decision)
        for run in runs:
            await unit.runs.add(replace(run, values={"who": "secret"}))

    with pytest.raises(Conflict, match="being stopped"):
        await leaving.erase(ANNA, removal)
    async with work.write() as unit:
        await unit.runs.update(replace(await unit.runs.get(runs[2].id), state=RunState.CANCELLED, finished_at=now))
    assert await leaving.erase(ANNA, removal) > 4
    assert await leaving.erase(ANNA, removal) == 0

    async with work.read() as unit:
        left = [await unit.runs.get(run.id) for run in runs]
        names = await unit.tools.maintainers(tool.id)
        kept = await unit.versions.get(version.id)
        told = (await unit.versions.decisions(tool.id))[0]
    assert [run.state for run in left] == [RunState.CANCELLED, RunState.SUCCEEDED, RunState.CANCELLED, RunState.QUEUED]
    assert [dict(run.values) for run in left] == [{}, {}, {}, {"who": "secret"}]
    pseudonyms = {run.requested_by for run in left[:3]} | {kept.created_by, told.by} | (names - {BOB})
    assert (len(pseudonyms), next(iter(pseudonyms)).startswith("urn:fsp:erased:")) == (1, True)
    assert [key async for key in files.keys("runs/")] == []
