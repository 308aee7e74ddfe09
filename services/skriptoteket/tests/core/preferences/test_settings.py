"""Settings follow the schema field by field; instructions are shown until they were seen."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, ValidationFailed
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.preferences.models import SettingsView
from skriptoteket.core.preferences.settings import Preferences, settings_of_a_run
from skriptoteket.core.versions.models import Behaviour

FIELDS: tuple[Mapping[str, JsonValue], ...] = (
    {"kind": "string", "name": "school", "required": True},
    {"kind": "integer", "name": "rows", "min": 1, "max": 9, "default": 3},
    {"kind": "enum", "name": "form", "options": [{"value": "csv"}, {"value": "ods"}]},
)
BEHAVIOUR = Behaviour("x = 1\n", settings_schema=FIELDS, usage_instructions="Read **this**.")
ANNA = "urn:fsp:person:anna"


@pytest.fixture
async def tool(work: Any, clock: StandingClock) -> ToolId:
    """A tool to have settings of."""
    now = clock.now()
    made = Tool(ToolId(uuid4()), "counter", "Counter", "", "urn:o", now, now)
    async with work.write() as unit:
        await unit.tools.add(made)
    return made.id


@pytest.fixture
def kept(work: Any) -> Preferences:
    """The verbs."""
    return Preferences(work)


async def test_nothing_saved_gives_defaults_and_says_what_is_missing(kept: Preferences, tool: ToolId) -> None:
    """The default counts; the required field without one is named."""
    view = await kept.look(tool, BEHAVIOUR, ANNA)
    assert (view.values, view.rev) == ({"rows": 3}, 0)
    assert [issue.field for issue in view.missing] == ["settings.school"]


async def test_saved_settings_reach_the_run(kept: Preferences, tool: ToolId, work: Any) -> None:
    """As they were accepted, with defaults beside them; another person's run does not get them."""
    await kept.save(tool, BEHAVIOUR, ANNA, {"school": " Ekskolan ", "form": "ods"}, 0)
    async with work.read() as unit:
        found = await settings_of_a_run(unit.preferences, tool, BEHAVIOUR, ANNA)
        with pytest.raises(ValidationFailed, match=r"settings\.school"):
            await settings_of_a_run(unit.preferences, tool, BEHAVIOUR, "urn:fsp:person:bob")
    assert dict(found) == {"school": "Ekskolan", "rows": 3, "form": "ods"}


async def test_a_changed_schema_keeps_what_fits_and_names_the_rest_once(kept: Preferences, tool: ToolId) -> None:
    """A field that went, one whose bounds moved, and one that still fits."""
    await kept.save(tool, BEHAVIOUR, ANNA, {"school": "Ekskolan", "rows": 9, "form": "ods"}, 0)
    narrower = replace(BEHAVIOUR, settings_schema=(FIELDS[0], {**FIELDS[1], "max": 5}))
    first = await kept.look(tool, narrower, ANNA)
    assert (first.dropped, first.values, first.rev) == (("form", "rows"), {"school": "Ekskolan", "rows": 3}, 2)
    again = await kept.look(tool, narrower, ANNA)
    assert (again.dropped, again.rev) == ((), 2)


async def test_every_wrong_field_is_told_and_nothing_is_saved(kept: Preferences, tool: ToolId) -> None:
    """Unknown, missing and out of bounds, one issue each."""
    with pytest.raises(ValidationFailed) as refused:
        await kept.save(tool, BEHAVIOUR, ANNA, {"rows": "12", "colour": "red"}, 0)
    assert {("colour", "unknown"), ("school", "required"), ("rows", "max")} == {
        (issue.field, issue.code) for issue in refused.value.issues
    }
    assert (await kept.look(tool, BEHAVIOUR, ANNA)).rev == 0


async def test_of_two_saves_over_one_rev_one_wins(kept: Preferences, tool: ToolId) -> None:
    """First saves and later ones alike; the loser is told the present rev."""
    for rev in (0, 1):
        answers = await asyncio.gather(
            *(kept.save(tool, BEHAVIOUR, ANNA, {"school": name}, rev) for name in ("Ek", "Alm")), return_exceptions=True
        )
        won = [answer for answer in answers if isinstance(answer, SettingsView)]
        lost = [answer for answer in answers if isinstance(answer, Conflict)]
        assert [rev + 1] == [answer.rev for answer in won]
        assert [("settings_rev_stale", {"rev": rev + 1})] == [(answer.reason, answer.facts) for answer in lost]


async def test_instructions_come_back_when_they_change(kept: Preferences, tool: ToolId) -> None:
    """Seen once is seen; other words are not; none need no seeing."""
    assert not await kept.has_seen(tool, BEHAVIOUR, ANNA)
    for _ in range(2):
        await kept.see(tool, BEHAVIOUR, ANNA)
    assert await kept.has_seen(tool, BEHAVIOUR, ANNA)
    assert not await kept.has_seen(tool, replace(BEHAVIOUR, usage_instructions="Read that."), ANNA)
    assert await kept.has_seen(tool, replace(BEHAVIOUR, usage_instructions=" \n"), ANNA)


async def test_everything_somebody_kept_can_be_forgotten(
    kept: Preferences, tool: ToolId, work: Any, clock: StandingClock
) -> None:
    """Settings, seen instructions and favourites of one person; the others keep theirs."""
    for subject in (ANNA, "urn:fsp:person:bob"):
        await kept.save(tool, BEHAVIOUR, subject, {"school": "Ek"}, 0)
        await kept.see(tool, BEHAVIOUR, subject)
        async with work.write() as unit:
            await unit.tools.set_favourite(tool, subject, True, clock.now())
    async with work.write() as unit:
        assert await unit.preferences.forget(ANNA) == 3
    assert (await kept.look(tool, BEHAVIOUR, ANNA)).rev == 0
    assert (await kept.look(tool, BEHAVIOUR, "urn:fsp:person:bob")).rev == 1
