"""Flags: typed evaluation with rules, read anew within a second, the last good version in force."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from fastapi import APIRouter

from fastapi_services_platform import FeatureFlag, RouterMount, Tier, access, create_app
from fastapi_services_platform.config.feature_flags import FeatureFlags, Flag, FlagContext, read_flags
from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.fastapi import flag
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

BETA = {"type": "boolean", "default": False, "description": "Beta", "owner": "team"}


def flags(folder: Path, **content: Any) -> FeatureFlags:
    (folder / "feature_flags.json").write_text(json.dumps(content))
    found = FeatureFlags(folder / "feature_flags.json")
    found.load()
    return found


def test_rules_decide_in_order(tmp_path: Path) -> None:
    """Subject, role, tenant and time window; the first rule that fits wins, else the default."""
    rules = [
        {"value": "gold", "subjects": ["urn:ada"]},
        {"value": "red", "roles": ["tester"], "tenants": ["north"]},
        {"value": "blue", "starts": "2030-01-01T00:00:00Z", "ends": "2031-01-01T00:00:00Z"},
    ]
    found = flags(tmp_path, colour={**BETA, "type": "string", "default": "grey", "rules": rules})
    north = FlagContext("urn:eve", "north", frozenset({"tester"}))
    later = FlagContext("urn:eve", now=datetime(2030, 6, 1, tzinfo=UTC))
    results = [found.evaluate("colour", "x", context) for context in (FlagContext("urn:ada"), north, later, None)]
    assert [(result.value, result.reason) for result in results] == [
        ("gold", "TARGETING_MATCH"),
        ("red", "TARGETING_MATCH"),
        ("blue", "TARGETING_MATCH"),
        ("grey", "DEFAULT"),
    ]


def test_a_value_of_the_operators_stands_instead_of_the_default(tmp_path: Path) -> None:
    """It outlives a change of the file; one of another type or of no flag counts nothing."""
    found = flags(tmp_path, page=BETA, colour={**BETA, "type": "string", "default": "grey"})
    found.override({"page": True, "colour": 3, "gone": True})
    assert [found.evaluate(name, default).value for name, default in (("page", False), ("colour", ""))] == [
        True,
        "grey",
    ]
    (tmp_path / "feature_flags.json").write_text(json.dumps({"page": {**BETA, "description": "Changed"}}))
    assert (found.refresh(), found.is_on("page"), sorted(found.flags)) == (True, True, ["page"])


def test_a_percentage_is_stable_and_about_right(tmp_path: Path) -> None:
    """The same subject always gets the same answer; a quarter of many gets it."""
    found = flags(tmp_path, beta={**BETA, "rules": [{"value": True, "percentage": 25}]})
    people = [FlagContext(f"urn:{number}") for number in range(2000)]
    first = [found.is_on("beta", person) for person in people]
    assert first == [found.is_on("beta", person) for person in people]
    assert 400 < sum(first) < 600


def test_unknown_and_wrongly_asked_flags_give_the_default(tmp_path: Path) -> None:
    """Evaluation never raises."""
    found = flags(tmp_path, beta=BETA)
    assert (found.evaluate("nope", 3).value, found.evaluate("nope", 3).error) == (3, "FLAG_NOT_FOUND")
    assert found.evaluate("beta", "text").error == "TYPE_MISMATCH"


def test_expired_flags_are_named(tmp_path: Path) -> None:
    """A flag is a finding from the day after its last one."""
    found = flags(tmp_path, old={**BETA, "expires": "2026-01-01"}, new={**BETA, "expires": "2026-01-02"})
    assert found.expired(date(2026, 1, 2)) == ["old"]


BAD = [
    ("{", ":1: not valid JSON"),
    ('{"a": {"default": true, "owner": "x"}}', "a.description: Field required"),
    ('{"a": {"type": "number", "default": true, "description": "d", "owner": "o"}}', "a: True is not a number"),
    ('{"a": {"default": false, "description": "d", "owner": "o", "colour": 1}}', "a.colour: Extra inputs"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_files_name_flag_and_field(tmp_path: Path, text: str, message: str) -> None:
    """What is wrong, and where."""
    file = tmp_path / "feature_flags.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_flags(file)
    assert message in str(caught.value)


def test_a_change_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A value of the wrong type leaves the file as it was."""
    found = flags(tmp_path, beta=BETA)
    found.change("beta", True)
    assert found.is_on("beta")
    with pytest.raises(ConfigurationError):
        found.change("beta", "yes")
    assert json.loads((tmp_path / "feature_flags.json").read_text())["beta"]["default"] is True


async def test_a_running_platform_follows_the_file_within_a_second(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """A route behind a flag appears, and stays when the file turns bad, which /health tells."""
    router = APIRouter()

    @router.get("/beta", dependencies=[flag("beta")])
    @access(public=True)
    async def beta() -> dict[str, str]:
        return {"beta": "on"}

    file = tmp_path / "feature_flags.json"
    file.write_text(json.dumps({"beta": BETA}))
    capability = sample(routers=(RouterMount("api", router, Tier.API),))
    settings = settings_for(tmp_path, config_dir=tmp_path)
    async with started_app(settings=settings, capabilities=[capability]) as client:
        assert (await client.get("/beta")).status_code == 404
        file.write_text(json.dumps({"beta": {**BETA, "default": True}}))
        begun = monotonic()
        while (await client.get("/beta")).status_code == 404 and monotonic() - begun < 5:
            await asyncio.sleep(0.02)
        assert monotonic() - begun < 1.0
        file.write_text("{ broken")
        await asyncio.sleep(0.6)
        assert (await client.get("/beta")).status_code == 200
        assert (await client.get("/health")).json()["status"] == "degraded"


async def test_a_flag_of_a_capability_is_changed_without_any_file(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """Where there is no configuration folder: the change is in force at once, and after the next start."""
    router = APIRouter()

    @router.get("/beta", dependencies=[flag("demo.beta")])
    @access(public=True)
    async def beta() -> dict[str, str]:
        return {"beta": "on"}

    async def found() -> tuple[int, int]:
        demo = sample(
            routers=(RouterMount("api", router, Tier.API),),
            flags=(FeatureFlag("demo.beta", "The new page.", "team-a"),),
        )
        async with started_app(settings=settings_for(tmp_path), capabilities=[demo, believing_identity()]) as client:
            before = (await client.get("/beta")).status_code
            change = {"flag": "demo.beta", "value": True}
            listed = await client.put("/platform/api/v1/flags", json=change, headers={"authorization": "Bearer ada"})
            named = {item["name"]: (item["declared_by"], item["owner"]) for item in listed.json()}
            assert named["demo.beta"] == ("demo", "team-a")
            return before, (await client.get("/beta")).status_code

    assert [await found(), await found()] == [(404, 200), (200, 200)]


async def test_a_bad_file_at_the_start_leaves_the_last_good_version(tmp_path: Path) -> None:
    """The platform starts with it and says that it is degraded; without one the flags are off."""
    file, settings = tmp_path / "feature_flags.json", settings_for(tmp_path / "data", config_dir=tmp_path)
    file.write_text(json.dumps({"beta": {**BETA, "default": True}}))
    app = create_app(settings, capabilities=[])
    kept = tmp_path / "data" / "feature_flags.last-good.json"
    async with started_app(app), asyncio.timeout(10):
        while not kept.is_file():
            await asyncio.sleep(0.01)
    file.write_text("{ broken")
    app = create_app(settings, capabilities=[])
    platform: Any = app.state.platform
    async with started_app(app) as client:
        health = (await client.get("/health")).json()
    assert (platform.flags.is_on("beta"), health["status"]) == (True, "degraded")
    assert "feature_flags.json:1: not valid JSON" in platform.flags.problem


def test_the_file_describes_a_contributed_flag_anew(tmp_path: Path) -> None:
    """With rules and another default; one of another type counts nothing and is named."""
    known = flags(tmp_path, **{"demo.beta": {**BETA, "default": True}, "demo.limit": BETA})
    known.contribute(
        {
            "demo.beta": Flag(description="New", owner="a"),
            "demo.limit": Flag(type="number", default=3, description="Most", owner="a"),
        }
    )
    assert (known.is_on("demo.beta"), known.evaluate("demo.limit", 1).value) == (True, 3)
    assert "demo.limit: its capability declares a number, the file a boolean." in known.problem


def test_a_change_of_a_contributed_flag_goes_into_the_file(tmp_path: Path) -> None:
    """With what the capability says of it."""
    known = flags(tmp_path)
    known.contribute({"demo.limit": Flag(type="number", default=3, description="Most", owner="team-a")})
    known.change("demo.limit", 5.0)
    kept = json.loads((tmp_path / "feature_flags.json").read_text())["demo.limit"]
    assert kept == {"type": "number", "default": 5.0, "description": "Most", "owner": "team-a"}
    assert known.evaluate("demo.limit", 1).value == 5.0


def test_who_asks_for_a_flag_that_nobody_declares_is_told_once(tmp_path: Path) -> None:
    """Its name is told and kept, and it is off."""
    told: list[str] = []
    known = flags(tmp_path, beta=BETA)
    known.tell_unknown = told.append
    assert (known.is_on("betta"), known.is_on("betta"), known.is_on("beta")) == (False, False, False)
    assert (told, known.unknown) == (["betta"], {"betta"})
