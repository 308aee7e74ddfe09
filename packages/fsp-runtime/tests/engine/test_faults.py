"""Each fault of a capability has its own message with the cause and the fix; only a required capability stops the
start.
"""

import asyncio
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from fastapi_services_platform import (
    Bundle,
    Contribution,
    Manifest,
    Permission,
    Platform,
    PlatformSettings,
    RouterMount,
    Service,
    Tier,
    access,
)
from fastapi_services_platform.capability import discovery
from fastapi_services_platform.capability.ordering import in_order
from fastapi_services_platform.errors import CapabilityError, PlatformError
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for

Make = Callable[..., Any]


def router_with(path: str, *, declared: bool = True) -> APIRouter:
    router = APIRouter()

    async def endpoint() -> dict[str, str]:
        return {"path": path}

    router.add_api_route(path, access(public=True)(endpoint) if declared else endpoint, methods=["GET"])
    return router


async def refusal(settings: PlatformSettings, *capabilities: Any) -> str:
    with pytest.raises(PlatformError) as caught:
        async with started_app(settings=settings, capabilities=capabilities):
            pass
    return str(caught.value)


class Failing:
    """Raises or hangs at the step that it is told."""

    def __init__(self, step: str, times: int = 10**6) -> None:
        self.manifest = Manifest("failing", "1.0", "Fails")
        self.step = step
        self.left = times

    def _fail(self, step: str) -> None:
        if self.step == step and self.left > 0:
            self.left -= 1
            raise RuntimeError("the directory does not answer")

    async def initialize(self, platform: Platform) -> Contribution:
        self._fail("initialize")
        return Contribution(routers=(RouterMount("api", router_with("/failing"), Tier.API),))

    async def startup(self) -> None:
        self._fail("startup")
        if self.step == "hang":
            await asyncio.Event().wait()


async def test_an_import_error_names_target_and_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel that cannot be imported is named with its entry point."""
    point = EntryPoint("ghost", "no_such_module.plugin:Ghost", discovery.GROUP)
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [point])
    error = discovery.discover("2.0.0")[0].error
    assert str(error).startswith(
        "Capability 'ghost': its entry point no_such_module.plugin:Ghost cannot be imported: ModuleNotFoundError"
    )
    assert "switch the capability off in router_factory_features.yaml" in str(error)


async def test_a_wrong_type_is_told_what_is_expected(settings: PlatformSettings) -> None:
    """Something without a manifest is no capability."""
    message = await refusal(settings, object())
    assert "is not a capability: it has no `manifest` of type Manifest." in message


async def test_a_missing_requirement_names_port_and_present_ones(settings: PlatformSettings, sample: Make) -> None:
    """Nobody provides the port."""
    message = await refusal(settings, sample("needy", manifest={"requires": ("authenticator@1",)}))
    assert "it requires authenticator@1, which no present capability provides" in message
    assert "install and switch on a capability that provides authenticator@1" in message


async def test_runtime_bounds_are_checked(settings: PlatformSettings, sample: Make) -> None:
    """A capability for another runtime is refused with both versions."""
    message = await refusal(settings, sample("old", manifest={"runtime": ">=1,<2"}))
    assert "it needs a runtime >=1,<2; this is 2." in message


async def test_two_capabilities_of_one_name_are_refused(settings: PlatformSettings, sample: Make) -> None:
    """The name must be unique."""
    message = await refusal(settings, sample("twin"), sample("twin"))
    assert message.startswith("Capability 'twin': the name is used by ")


@pytest.mark.parametrize("step", ["initialize", "startup"])
async def test_a_failing_step_is_named_with_its_own_frames(settings: PlatformSettings, step: str) -> None:
    """The message holds the step, the error and where in the capability it was raised."""
    message = await refusal(settings, Failing(step))
    assert f"Capability 'failing': {step} failed: RuntimeError: the directory does not answer (at " in message
    assert "test_faults.py:" in message


async def test_a_hanging_start_is_cut_off(tmp_path: Path) -> None:
    """The time limit is named with its variable."""
    message = await refusal(settings_for(tmp_path, startup_timeout=0.05), Failing("hang"))
    assert "startup did not finish within 0.05 s" in message
    assert "FSP_STARTUP_TIMEOUT" in message


async def test_an_undeclared_route_stops_the_start_with_its_name(settings: PlatformSettings, sample: Make) -> None:
    """A route that says nothing about its callers is named."""
    routers = (RouterMount("api", router_with("/quiet", declared=False), Tier.API),)
    message = await refusal(settings, sample(routers=routers))
    assert "route GET /quiet (" in message
    assert "does not declare who may call it" in message


async def test_duplicate_routes_name_both_owners(settings: PlatformSettings, sample: Make) -> None:
    """Two capabilities with one address."""
    one = sample("one", routers=(RouterMount("api", router_with("/same/{a}"), Tier.API),))
    two = sample("two", routers=(RouterMount("pages", router_with("/same/{b}"), Tier.UI),))
    message = await refusal(settings, one, two)
    assert "route GET /same/{b} is claimed by one (api: endpoint) and by two (pages: endpoint)" in message


async def test_permissions_are_named_after_their_capability(settings: PlatformSettings, sample: Make) -> None:
    """A foreign permission name is refused."""
    message = await refusal(settings, sample(permissions=(Permission("other.note.read", "Read"),)))
    assert "permission 'other.note.read' is not named <capability>.<noun>.<verb>" in message


async def test_bundles_hold_existing_permissions(settings: PlatformSettings, sample: Make) -> None:
    """A bundle with a permission that is not contributed is refused."""
    message = await refusal(settings, sample(bundles=(Bundle("reader", "Reads", ("demo.note.read",)),)))
    assert "bundle 'reader' holds 'demo.note.read', which is not contributed" in message


async def test_two_services_for_one_type_are_refused(settings: PlatformSettings, sample: Make) -> None:
    """Both owners are named."""
    services = (Service(Path, lambda _: Path()),)
    message = await refusal(settings, sample("one", services=services), sample("two", services=services))
    assert "two and one both register a service for Path" in message


async def test_an_optional_capability_answers_503_until_it_comes_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its routes give 503 with the reason, /health is degraded, and a retry brings it up."""
    from fastapi_services_platform.engine import lifespan

    gate = asyncio.Event()

    async def wait(_seconds: float) -> None:
        await gate.wait()

    monkeypatch.setattr(lifespan, "_pause", wait)
    settings = settings_for(tmp_path, optional_capabilities=("failing",))
    capability = Failing("startup", times=1)
    async with started_app(settings=settings, capabilities=[capability]) as client:
        closed = await client.get("/failing")
        health = (await client.get("/health")).json()
        assert (closed.status_code, closed.json()["detail"]) == (503, "failing is not available at the moment.")
        assert (health["status"], health["capabilities"]["failing"]["status"]) == ("degraded", "unhealthy")
        gate.set()
        for _ in range(100):
            if (await client.get("/failing")).status_code == 200:
                break
            await asyncio.sleep(0.01)
        assert (await client.get("/failing")).json() == {"path": "/failing"}


async def test_an_optional_capability_that_cannot_initialize_is_mounted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Routes that were unknown at the start are there after the retry."""
    from fastapi_services_platform.engine import lifespan

    async def at_once(_seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(lifespan, "_pause", at_once)
    settings = settings_for(tmp_path, optional_capabilities=("failing",))
    async with started_app(settings=settings, capabilities=[Failing("initialize", times=1)]) as client:
        for _ in range(100):
            if (await client.get("/failing")).status_code == 200:
                break
            await asyncio.sleep(0.01)
        assert (await client.get("/failing")).json() == {"path": "/failing"}


def test_cycles_are_named_along_their_whole_path() -> None:
    """Three capabilities in a ring."""
    ring = [
        Manifest("a", "1", "", requires=("b@1",), provides=("a@1",)),
        Manifest("b", "1", "", requires=("c@1",), provides=("b@1",)),
        Manifest("c", "1", "", requires=("a@1",), provides=("c@1",)),
    ]
    with pytest.raises(CapabilityError) as caught:
        in_order(ring)
    assert "requirements form a cycle: a → b → c → a." in str(caught.value)


def test_order_is_providers_first_then_names_then_the_hub() -> None:
    """requires, optional and after decide; names break ties; the hub is last."""
    manifests = [
        Manifest("hub", "1", ""),
        Manifest("a", "1", "", requires=("z@1",)),
        Manifest("b", "1", "", after=("c", "absent")),
        Manifest("c", "1", "", optional=("missing@1",)),
        Manifest("z", "1", "", provides=("z@1",)),
    ]
    assert [manifest.name for manifest in in_order(manifests)] == ["c", "b", "z", "a", "hub"]


async def test_start_is_undone_in_reverse_when_a_later_one_fails(settings: PlatformSettings) -> None:
    """What was started is stopped; an error while stopping hides nothing."""
    steps: list[str] = []

    class Steps:
        def __init__(self, name: str, *, fails: bool = False) -> None:
            self.manifest = Manifest(name, "1.0", "")
            self.fails = fails

        async def initialize(self, platform: Platform) -> Contribution:
            return Contribution()

        async def startup(self) -> None:
            if self.fails:
                raise RuntimeError("no")
            steps.append(f"start {self.manifest.name}")

        async def shutdown(self) -> None:
            steps.append(f"stop {self.manifest.name}")
            raise RuntimeError("hides nothing")

    message = await refusal(settings, Steps("a"), Steps("b"), Steps("c", fails=True))
    assert "Capability 'c': startup failed" in message
    assert steps == ["start a", "start b", "stop c", "stop b", "stop a"]
