"""Who has left leaves no preferences behind."""

from typing import Any
from uuid import uuid4

from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.preferences.models import UserSettings
from skriptoteket.core.runs.oversight.leaving import Leaving

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
        await Leaving(work).forget(ANNA)
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
