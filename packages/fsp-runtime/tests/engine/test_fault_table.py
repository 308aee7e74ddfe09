"""The faults that a capability may have, one by one: the whole message that a person reads, cause and fix."""

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import APIRouter
from starlette.routing import Host, Router

from fastapi_services_platform import (
    Contribution,
    FeatureFlag,
    Manifest,
    McpTool,
    Migrations,
    Permission,
    Platform,
    PlatformSettings,
    RouterMount,
    Service,
    Tier,
    access,
)
from fastapi_services_platform.capability import discovery
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared


def router_asking(permission: str | None = None) -> APIRouter:
    router = APIRouter()
    declare = access(permission=permission) if permission is not None else access(public=True)

    @router.get("/demo")
    @declare
    async def endpoint() -> str:
        return "demo"

    return router


def by_host() -> APIRouter:
    router = APIRouter()
    router.routes.append(Host("other.example", Router()))
    return router


class Returning:
    """Returns something that is no contribution."""

    manifest = Manifest("demo", "1.0", "Returns")

    async def initialize(self, platform: Platform) -> dict[str, str]:
        return {}


class Hasty:
    """Its hook is no coroutine."""

    manifest = Manifest("demo", "1.0", "Idle")

    def startup(self) -> None:
        """Would do its work on the spot."""


def demo(manifest: dict[str, Any] | None = None, **parts: Any) -> Prepared:  # Any: fields of both
    return Prepared(
        Manifest(**{"name": "demo", "version": "1.0", "summary": "Demo", **(manifest or {})}), Contribution(**parts)
    )


class Fault(NamedTuple):
    capability: Callable[[], Any]  # Any: some are no capability at all
    message: str


FAULTS = {
    "nothing like a capability": Fault(
        object,
        "Capability 'builtins:object': builtins:object is not a capability: it has no `manifest` of type Manifest. Fix:"
        " name a class with `manifest = Manifest(…)` and `async def initialize(self, platform)` in the entry point.",
    ),
    "a hook that is no coroutine": Fault(
        Hasty,
        "initialize, startup and shutdown are coroutine methods, where it has them. Fix: name a class with `manifest",
    ),
    "a name that is none": Fault(
        lambda: demo({"name": "Demo App"}), "the name 'Demo App' is not lower-case letters, digits and _. Fix:"
    ),
    "a bound that is none": Fault(lambda: demo({"runtime": "two"}), "runtime='two' is not a version specifier. Fix:"),
    "another runtime": Fault(
        lambda: demo({"runtime": ">=9"}),
        "Capability 'demo': it needs a runtime >=9; this is 2.0.0. Fix: install a version of the capability that fits,"
        " or another runtime.",
    ),
    "a port that nobody provides": Fault(
        lambda: demo({"requires": ("ledger@2",)}),
        "Capability 'demo': it requires ledger@2, which no present capability provides (provided: none). Fix: install"
        " and switch on a capability that provides ledger@2.",
    ),
    "no contribution": Fault(Returning, "Capability 'demo': initialize returned dict. Fix: return a Contribution."),
    "a route that asks for what nobody contributes": Fault(
        lambda: demo(routers=(RouterMount("api", router_asking("demo.note.read"), Tier.API),)),
        "Capability 'demo': route /demo asks for the permission 'demo.note.read', which no capability contributes. Fix:"
        " contribute the Permission, or correct its name.",
    ),
    "a permission outside its name": Fault(
        lambda: demo(permissions=(Permission("note.read", "Read"),)),
        "Capability 'demo': permission 'note.read' is not named <capability>.<noun>.<verb>. Fix: start it with demo.",
    ),
    "a flag outside its name": Fault(
        lambda: demo(flags=(FeatureFlag("beta", "New page", "team-a"),)),
        "Capability 'demo': feature flag 'beta' is not named <capability>.<flag>. Fix: start it with demo.",
    ),
    "a flag without an owner": Fault(
        lambda: demo(flags=(FeatureFlag("demo.beta", "New page", " "),)),
        "Capability 'demo': feature flag 'demo.beta' has no owner. Fix: give its owner.",
    ),
    "a tool of no name": Fault(
        lambda: demo(mcp_tools=(McpTool("ask me", "Asks", "ask"),)),
        "Capability 'demo': MCP tool 'ask me' is not named like may_i. Fix: use letters, digits, _, - and ., at",
    ),
    "a tool that does not say what for": Fault(
        lambda: demo(mcp_tools=(McpTool("ask", " ", "ask"),)),
        "Capability 'demo': MCP tool 'ask' has no summary. Fix: say when a model should use it.",
    ),
    "two tools of one name": Fault(
        lambda: demo(mcp_tools=(McpTool("ask", "Asks", "ask"),) * 2),
        "Capability 'demo': two MCP tools are named 'ask'. Fix: give each its own name.",
    ),
    "two routers of one name": Fault(
        lambda: demo(routers=(RouterMount("api", APIRouter(), Tier.API), RouterMount("api", APIRouter(), Tier.UI))),
        "Capability 'demo': two routers are named 'api'. Fix: give each its own name.",
    ),
    "one address twice in one router": Fault(
        lambda: demo(
            routers=(
                RouterMount("one", router_asking(), Tier.API),
                RouterMount("two", router_asking(), Tier.UI),
            )
        ),
        "Capability 'demo (two: endpoint)': route GET /demo is claimed by demo (one: endpoint) and by demo (two:"
        " endpoint). Fix: give one of them another prefix in router_factory_settings.yaml or switch one router off.",
    ),
    "a route that the platform does not serve": Fault(
        lambda: demo(routers=(RouterMount("api", by_host(), Tier.API),)),
        "Capability 'demo': router 'api': a route of the kind Host cannot be served. Fix: use routes of an APIRouter,"
        " or a mount.",
    ),
    "a service that is there already": Fault(
        lambda: demo(services=(Service(Path, lambda _: Path()), Service(Path, lambda _: Path()))),
        "Capability 'demo': demo and demo both register a service for Path.",
    ),
    "migrations that are not there": Fault(
        lambda: demo({"database": True}, migrations=Migrations("no_such_package.migrations", None)),
        "Capability 'demo': migrations failed: ",
    ),
}


async def test_a_capability_may_do_without_any_hook(settings: PlatformSettings) -> None:
    """A manifest is enough."""

    class Idle:
        manifest = Manifest("idle", "1.0", "Idle")

    async with started_app(settings=settings, capabilities=[Idle()]) as client:
        found = (await client.get("/health")).json()["capabilities"]["idle"]
    assert found["state"] == "running"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_named_with_cause_and_fix(settings: PlatformSettings, fault: Fault) -> None:
    """The start is refused, and the message is the one that is printed here."""
    with pytest.raises(PlatformError) as caught:
        async with started_app(settings=settings, capabilities=[fault.capability()]):
            pass
    assert fault.message in str(caught.value)


def test_a_name_that_is_not_the_entry_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration speaks of the entry point's name, so both must be one."""
    point = EntryPoint("other", f"{__name__}:Returning", discovery.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _self: Returning)
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [point])
    assert "its manifest is named 'demo', its entry point 'other'." in str(discovery.discover("2.0.0")[0].error)


def test_an_import_error_carries_the_capabilitys_own_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the import machinery's."""
    (tmp_path / "broken_wheel.py").write_text("def read():\n    raise OSError('no licence')\n\nread()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("broken", "broken_wheel:Broken", discovery.GROUP)
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [point])
    message = str(discovery.discover("2.0.0")[0].error)
    assert re.search(r"OSError: no licence \(at broken_wheel.py:4 in <module>; broken_wheel.py:2 in read\)\.", message)
