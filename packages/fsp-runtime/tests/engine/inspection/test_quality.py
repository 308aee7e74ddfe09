"""Grades are computed from facts, and every fact can fail."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from fastapi_services_platform import Bundle, Health, HealthCheck, Permission, RouterMount, Tier, access, create_app
from fastapi_services_platform.engine.app_factory import PlatformApp
from fastapi_services_platform.engine.inspection.quality import quality_of
from fastapi_services_platform.engine.inspection.reasons import reasons_of
from fastapi_services_platform.engine.plugin_loader import find_capabilities
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

Make = Callable[..., Any]


async def well() -> Health:
    return Health("healthy")


def notes(documented: bool = True) -> RouterMount:
    router = APIRouter()

    @access(permission="demo.note.write")
    async def write() -> str:
        return "written"

    write.__doc__ = "Write a note." if documented else None
    router.add_api_route("/notes", write, methods=["POST"])
    return RouterMount("api", router, Tier.API)


SOUND: dict[str, Any] = {
    "permissions": (Permission("demo.note.write", "Write notes."),),
    "bundles": (Bundle("demo:member", "Writes notes.", ("demo.note.write",)),),
    "health_checks": (HealthCheck("book", well),),
    "audit_events": ("note.written",),
}


async def assembled(folder: Path, *capabilities: Any, **changes: Any) -> PlatformApp:
    app = create_app(settings_for(folder, **changes), capabilities=[*capabilities, believing_identity()])
    assert isinstance(app, PlatformApp)
    await app.assembly.assemble(find_capabilities(app.state.capabilities))
    return app


@pytest.mark.parametrize(
    ("changes", "grade", "lacking"),
    [
        ({}, "gold", set()),
        ({"audit_events": ()}, "silver", {"its changes are told to the audit trail or in events"}),
        ({"health_checks": ()}, "bronze", {"its health can be asked for"}),
        ({"bundles": ()}, "bronze", {"a role template gives its permissions"}),
        ({"routers": (notes(documented=False),)}, "bronze", {"every operation is described"}),
        ({"permissions": (Permission("demo.note.write", " "),)}, "none", {"every permission has a sentence"}),
    ],
)
async def test_a_grade_is_what_the_facts_say(
    tmp_path: Path, sample: Make, changes: dict[str, Any], grade: str, lacking: set[str]
) -> None:
    """The highest one of which, and below which, nothing is lacking."""
    app = await assembled(tmp_path, sample(**{"routers": (notes(),), **SOUND, **changes}))
    found = app.platform.inventory.find("demo")
    assert found is not None
    found.distribution = "fastapi-services-platform 2.0.0"
    quality = quality_of(found, app.platform.inventory)
    assert (quality.grade, {fact.name for fact in quality.facts if fact.lacking}) == (grade, lacking)


async def test_without_a_wheel_nothing_is_known_of_it(tmp_path: Path, sample: Make) -> None:
    """What is given as an object has no description, types or licence to rely on."""
    app = await assembled(tmp_path, sample(routers=(notes(),), **SOUND))
    found = app.platform.inventory.find("demo")
    assert found is not None
    assert quality_of(found, app.platform.inventory).grade == "bronze"


async def test_reasons_tell_why_something_is_there_or_not(tmp_path: Path, sample: Make) -> None:
    """What failed, what is switched off, who needs whom, and what it waits for."""
    (tmp_path / "router_factory_features.yaml").write_text(
        "capabilities:\n  demo: {routers: {api: false}}\n  idle: {enabled: false}\n"
    )
    demo = sample(manifest={"requires": ("authenticator@1",), "after": ("storage",)}, routers=(notes(),), **SOUND)
    broken = sample("broken", manifest={"requires": ("ledger@1",)})
    app = await assembled(
        tmp_path, demo, sample("idle"), broken, config_dir=tmp_path, optional_capabilities=("broken",)
    )
    inventory = app.platform.inventory
    told = {item.name: reasons_of(item, inventory) for item in inventory.capabilities}
    assert told["demo"][1:] == (
        "It is required: the platform does not start without it.",
        "It would start after storage, which is not there.",
        "It starts after identity: it requires its authenticator@1.",
        "Its router api is switched off in router_factory_features.yaml.",
    )
    assert "demo requires authenticator@1 of it." in told["identity"]
    assert told["idle"][0] == "It does not run: switched off in router_factory_features.yaml."
    assert "requires ledger@1, which no present capability provides" in told["broken"][0]
