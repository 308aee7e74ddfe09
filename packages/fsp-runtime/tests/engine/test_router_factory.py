"""Tiers, prefixes and switches: what the configuration files decide."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.base import BaseHTTPMiddleware

from fastapi_services_platform import RouterMount, Tier, access, create_app
from fastapi_services_platform.errors import ConfigurationError, InvalidContribution
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for

Make = Callable[..., Any]


def mount(name: str, tier: Tier, prefix: str = "") -> RouterMount:
    router = APIRouter()

    @router.get(f"/{name}")
    @access(public=True)
    async def endpoint() -> dict[str, str]:
        return {"name": name}

    return RouterMount(name, router, tier, prefix)


async def paths(folder: Path, *capabilities: Any, **changes: Any) -> list[str]:
    app = create_app(settings_for(folder, **changes), capabilities=capabilities)
    async with started_app(app):
        platform: Any = app.state.platform
        return [entry.path for entry in platform.inventory.routes if entry.owner.name in ("one", "two")]


async def test_tiers_are_registered_in_their_fixed_order(tmp_path: Path, sample: Make) -> None:
    """API → UI → platform API → platform UI, whatever order capabilities come in."""
    one = sample("one", routers=(mount("d", Tier.PLATFORM_UI), mount("b", Tier.UI)))
    two = sample("two", routers=(mount("c", Tier.PLATFORM_API), mount("a", Tier.API)))
    assert await paths(tmp_path, one, two) == ["/a", "/b", "/c", "/d"]


async def test_the_order_of_tiers_is_configured(tmp_path: Path, sample: Make) -> None:
    """And the hub's pages come last in every order."""
    (tmp_path / "router_factory_settings.yaml").write_text("tier_order: [platform_ui, platform_api, ui, api]\n")
    one = sample("one", routers=(mount("d", Tier.PLATFORM_UI), mount("b", Tier.UI)))
    two = sample("two", routers=(mount("c", Tier.PLATFORM_API), mount("a", Tier.API)))
    hub = sample("hub", routers=(mount("hub_page", Tier.PLATFORM_UI),))
    app = create_app(settings_for(tmp_path, config_dir=tmp_path), capabilities=[one, two, hub])
    async with started_app(app):
        platform: Any = app.state.platform
        assert [entry.path for entry in platform.inventory.routes][-5:] == ["/d", "/c", "/b", "/a", "/hub_page"]


async def test_the_hub_is_absolutely_last(tmp_path: Path, sample: Make) -> None:
    """Even a platform page of another capability comes before the hub's."""
    app = create_app(
        settings_for(tmp_path),
        capabilities=[
            sample("hub", routers=(mount("hub_page", Tier.PLATFORM_UI),)),
            sample("zoo", routers=(mount("zoo_page", Tier.PLATFORM_UI),)),
        ],
    )
    async with started_app(app):
        platform: Any = app.state.platform
        assert [entry.path for entry in platform.inventory.routes][-2:] == ["/zoo_page", "/hub_page"]


async def test_prefixes_come_from_tier_capability_and_router(tmp_path: Path, sample: Make) -> None:
    """The three parts are joined; the router's own prefix can be replaced."""
    (tmp_path / "router_factory_settings.yaml").write_text(
        "tiers:\n  api: {prefix: /api/v1}\n"
        "capabilities:\n  one:\n    prefix: /uno\n    routers:\n      b: {prefix: /bee}\n"
    )
    one = sample("one", routers=(mount("a", Tier.API, "/own"), mount("b", Tier.API, "/own")))
    assert await paths(tmp_path, one, config_dir=tmp_path) == ["/api/v1/uno/own/a", "/api/v1/uno/bee/b"]


async def test_routers_and_capabilities_are_switched_off(tmp_path: Path, sample: Make) -> None:
    """An overlay lays itself over the base, key by key."""
    (tmp_path / "router_factory_features.yaml").write_text(
        "capabilities:\n  one:\n    routers: {a: false}\n"
        "overlays:\n  test:\n    capabilities:\n      one:\n        routers: {b: false}\n      two: {enabled: false}\n"
        "  prod:\n    capabilities:\n      one: {enabled: false}\n"
    )
    one = sample("one", routers=(mount("a", Tier.API), mount("b", Tier.API), mount("c", Tier.API)))
    two = sample("two", routers=(mount("e", Tier.API),))
    assert await paths(tmp_path, one, two, config_dir=tmp_path) == ["/c"]


BAD = [
    ("router_factory_settings.yaml", "tiers:\n  apu: {}\n", ":2: tiers.apu: 'apu' is not allowed", "did you mean api?"),
    (
        "router_factory_settings.yaml",
        "teirs: {}\n",
        ":1: teirs: unknown key (allowed: capabilities,",
        "did you mean tiers?",
    ),
    ("router_factory_settings.yaml", "tiers:\n  api:\n    prefix: api\n", ":3: tiers.api.prefix:", "correct the value"),
    ("router_factory_settings.yaml", "tier_order: [api, ui]\n", ":1: tier_order:", "names each tier once"),
    (
        "router_factory_settings.yaml",
        "policies: {slow: {attempts: 1}}\nupstreams: {mail: {policy: slwo}}\n",
        "upstream 'mail' is bound to the policy 'slwo', but there is slow",
        "correct the value",
    ),
    ("router_factory_settings.yaml", "tiers: [\n", "not valid YAML", "correct the line"),
    (
        "router_factory_settings.yaml",
        "documentation:\n  openapi: pubic\n",
        ":2: documentation.openapi: 'pubic' is not allowed (allowed: public, authenticated, off)",
        "did you mean public?",
    ),
    (
        "router_factory_features.yaml",
        "capabilities:\n  one:\n    enable: true\n",
        ":3: capabilities.one.enable: unknown key",
        "did you mean enabled?",
    ),
    (
        "router_factory_features.yaml",
        "capabilities:\n  one:\n    jobs: {sweep: false}\n",
        "one has no job 'sweep' (it has: none)",
        "correct the name",
    ),
    (
        "router_factory_features.yaml",
        "capabilities:\n  onee: {}\n",
        ":2: capabilities.onee: no capability of this name is installed (present: hub, one)",
        "did you mean one?",
    ),
    (
        "router_factory_features.yaml",
        "capabilities:\n  one:\n    routers: {zz: false}\n",
        "capabilities.one.routers.zz: one has no router 'zz' (it has: a)",
        "correct the name",
    ),
]


@pytest.mark.parametrize(("file", "text", "message", "fix"), BAD)
async def test_bad_files_name_file_line_key_and_fix(
    tmp_path: Path, sample: Make, file: str, text: str, message: str, fix: str
) -> None:
    """The start is refused with everything a person needs to mend the file."""
    (tmp_path / file).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        await paths(tmp_path, sample("one", routers=(mount("a", Tier.API),)), config_dir=tmp_path)
    assert message in str(caught.value)
    assert fix in str(caught.value)


class Wrapped(BaseHTTPMiddleware):
    """The costly kind."""


async def test_a_costly_middleware_is_refused(tmp_path: Path, sample: Make) -> None:
    """In a mounted application by its name, and on the platform's own application any at all: it would not run."""
    inner = FastAPI()
    inner.add_middleware(Wrapped)
    router = APIRouter()
    router.mount("/old", access(public=True)(inner), name="old")
    one = sample("one", routers=(RouterMount("old", router, Tier.API),))
    with pytest.raises(InvalidContribution, match=r"mounted at /old has Wrapped, a BaseHTTPMiddleware"):
        await paths(tmp_path, one)
    with pytest.raises(ConfigurationError, match="the middleware CORSMiddleware would not run"):
        create_app(settings_for(tmp_path)).add_middleware(CORSMiddleware, allow_origins=["*"])
