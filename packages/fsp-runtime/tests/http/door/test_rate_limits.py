"""Rate limits: counted for each caller, refused with 429 and the time to wait."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from fastapi_services_platform import RouterMount, Tier, access
from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for

FILE = "capabilities:\n  demo:\n    routers:\n      api: {rate_limit: 3/minute, deprecated: true, sunset: 2030-01-31}\n"


def demo(sample: Callable[..., Any]) -> Any:
    router = APIRouter()

    @router.get("/open")
    @access(public=True)
    async def open_route() -> dict[str, str]:
        return {"open": "yes"}

    @router.get("/mine")
    @access(authenticated=True)
    async def mine() -> dict[str, str]:
        return {"mine": "yes"}

    return sample(routers=(RouterMount("api", router, Tier.API),))


async def test_the_fourth_of_three_is_refused(tmp_path: Path, sample: Callable[..., Any], identity: Any) -> None:
    """429 with Retry-After; the headers count down; another principal has a count of its own."""
    (tmp_path / "router_factory_settings.yaml").write_text(FILE)
    settings = settings_for(tmp_path, config_dir=tmp_path)
    async with started_app(settings=settings, capabilities=[identity, demo(sample)]) as client:
        ada, eve = {"authorization": "Bearer ada"}, {"authorization": "Bearer eve"}
        answers = [await client.get("/mine", headers=ada) for _ in range(4)]
        other = await client.get("/mine", headers=eve)
        stranger = [(await client.get("/mine")).status_code for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert 0 < int(answers[3].headers["retry-after"]) <= 60
    assert (other.status_code, stranger) == (200, [401, 401, 401, 429])


async def test_a_router_says_that_its_time_is_over(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """Deprecation and Sunset come from the configuration."""
    (tmp_path / "router_factory_settings.yaml").write_text(FILE)
    settings = settings_for(tmp_path, config_dir=tmp_path)
    async with started_app(settings=settings, capabilities=[demo(sample)]) as client:
        headers = (await client.get("/open")).headers
    assert (headers["deprecation"], headers["sunset"]) == ("true", "Thu, 31 Jan 2030 00:00:00 GMT")


async def test_a_limit_that_is_none_is_refused_at_the_start(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """The error names the line and an example."""
    (tmp_path / "router_factory_settings.yaml").write_text("tiers:\n  api:\n    rate_limit: often\n")
    with pytest.raises(ConfigurationError) as caught:
        async with started_app(settings=settings_for(tmp_path, config_dir=tmp_path), capabilities=[demo(sample)]):
            pass
    assert ":3: tiers.api.rate_limit:" in str(caught.value)
    assert "100/minute" in str(caught.value)


SCOPES = """
tiers:
  api: {rate_limit: 4/hour, address_rate_limit: 7/hour}
capabilities:
  demo:
    routers:
      api: {route_limits: {/mine: 2/hour}}
"""


async def test_each_limit_has_its_scope(tmp_path: Path, sample: Callable[..., Any], identity: Any) -> None:
    """A route's own limit, the tier's for each caller, and the tier's for an address whoever asks."""
    (tmp_path / "router_factory_settings.yaml").write_text(SCOPES)
    settings = settings_for(tmp_path, config_dir=tmp_path)
    async with started_app(settings=settings, capabilities=[identity, demo(sample)]) as client:

        async def ask(path: str, who: str) -> int:
            return (await client.get(path, headers={"authorization": f"Bearer {who}"})).status_code

        route = [await ask("/mine", "ada") for _ in range(3)]
        tier = [await ask("/open", "ada") for _ in range(5)]
        address = [await ask("/open", who) for who in ("eve", "bob")]
    assert route == [200, 200, 429]
    assert tier == [200] * 4 + [429]
    assert address == [200, 429]


async def test_a_limit_of_a_route_that_is_none_is_refused(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """The error lists the router's routes."""
    (tmp_path / "router_factory_settings.yaml").write_text(SCOPES.replace("/mine", "/yours"))
    with pytest.raises(ConfigurationError, match=r"/yours.*it has: /mine, /open"):
        async with started_app(settings=settings_for(tmp_path, config_dir=tmp_path), capabilities=[demo(sample)]):
            pass
