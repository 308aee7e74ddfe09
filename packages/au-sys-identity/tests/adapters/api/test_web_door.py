"""The web door: what endpoints of another capability declare, and what identity makes of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import APIRouter
from httpx import AsyncClient
from pydantic import BaseModel

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, Header, MachineWorld, slug
from au_sys_identity.fastapi import CurrentPerson, CurrentPrincipal, act, requires, requires_approval, requires_step_up
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import (
    Contribution,
    Manifest,
    Permission,
    PlatformSettings,
    RouterMount,
    Tier,
    access,
)
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared

router = APIRouter(prefix="/demo")


class Prompt(BaseModel):
    """What a model is asked."""

    model: str = ""
    text: str = ""


@router.post("/people")
@access(authenticated=True)
async def people(caller: CurrentPerson) -> dict[str, str]:
    return {"who": caller.urn}


@router.post("/anybody")
@requires("demo.things.write")
async def anybody(caller: CurrentPrincipal) -> dict[str, str]:
    return {"who": caller.urn}


@router.post("/fresh")
@access(authenticated=True)
@requires_step_up()
async def fresh() -> dict[str, str]:
    return {}


@router.post("/approved")
@access(authenticated=True)
@requires_approval()
async def approved(prompt: Prompt) -> dict[str, str]:
    return {"text": prompt.text}


@router.post("/asked")
@access(authenticated=True)
@act("irreversible", model_from="body.model")
async def asked(prompt: Prompt) -> dict[str, str]:
    return {"text": prompt.text}


@dataclass
class Demo:
    """The world, with a key of an agent."""

    world: MachineWorld
    agent: Header = field(default_factory=dict)

    async def post(self, path: str, headers: Header, **body: str) -> tuple[int, str]:
        answer = await self.world.api.post(f"/demo/{path}", headers=headers, json=body)
        return answer.status_code, slug(answer) if answer.status_code >= 400 else ""


@pytest.fixture
async def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Demo]:
    settings = {"registration": "open", "registration_verify": "off", "bootstrap_token": BOOTSTRAP}
    for name, value in {**settings, "password_memory_kib": "8", "password_time_cost": "1"}.items():
        monkeypatch.setenv(f"IDENTITY_{name.upper()}", value)
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    things = Contribution(
        routers=(RouterMount("api", router, Tier.API),), permissions=(Permission("demo.things.write", "Write things"),)
    )
    capability = Prepared(Manifest("demo", "1.0", "Things"), things)
    async with started_app(settings=platform, capabilities=[Identity(), capability]) as client:
        world = await MachineWorld.made(client, lambda: SoftwareAuthenticator("http://platform.test"))
        yield Demo(world, await an_agent(client, world))


async def an_agent(client: AsyncClient, world: MachineWorld) -> Header:
    """A key of an agent of ann's that is made of two models."""
    admin = world.admin.headers
    provider = await world.ok("POST", "/iam/ai-providers", admin, {"name": "Models", "vendor": "Models Inc"})
    body = {
        "name": "Writer",
        "purpose": "Writes",
        "provider": provider["urn"],
        "model_spec": {"names": ["opus-4", "haiku-*"]},
        "provenance": "Theirs",
        "hosting": "Theirs",
        "custodian": world.ann.id,
    }
    made = await world.ok("POST", "/iam/ai-agents", admin, body)
    assert (made["mfa"]["mode"], made["mfa"]["applies_to"], made["cap"]) == (
        "human_delegated",
        "irreversible",
        "custodian",
    )
    await world.ok("PUT", f"/iam/ai-agents/{made['id']}/mfa", admin, {"mode": "none"})
    key = await world.ok("POST", f"/iam/ai-agents/{made['id']}/keys", admin, {"name": "x", "scopes": ["demo.*"]})
    return {"x-api-key": key["secret"]}


async def test_people_and_permissions(demo: Demo) -> None:
    """What is for people refuses machines; a permission is asked of everybody."""
    world = demo.world
    assert [await demo.post("people", who) for who in (world.ann.headers, world.key)] == [
        (200, ""),
        (403, "human-only"),
    ]
    answers = [await demo.post("anybody", who) for who in (world.admin.headers, world.ann.headers, demo.agent)]
    assert [status for status, _ in answers] == [200, 403, 403]


async def test_a_fresh_proof_and_an_approval(demo: Demo) -> None:
    """People prove themselves, machines with what they have; an approval is asked of machines whatever their mode."""
    world = demo.world
    assert await demo.post("fresh", world.ann.headers) == (200, "")
    assert await demo.post("fresh", world.key) == (403, "machine-mfa-required")
    assert await demo.post("approved", world.ann.headers, text="x") == (200, "")
    assert await demo.post("approved", world.key, text="x") == (403, "approval-required")
    wanted = {"model": "", "text": "x"}
    wish = await world.ask("POST", "/demo/approved", arguments=wanted)
    assert (await world.approve(world.ann, wish, signed=False)).status_code == 200
    done = await world.act("POST", "/demo/approved", wish["id"], json=wanted)
    assert (done.status_code, done.json()) == (200, {"text": "x"})


async def test_an_agent_is_held_to_its_models(demo: Demo) -> None:
    """In the body where the endpoint says so, in the header anywhere; people and service accounts are not asked."""
    world = demo.world
    good = [await demo.post("asked", demo.agent, model=model) for model in ("opus-4", "haiku-9")]
    assert good == [(200, "")] * 2
    bad = [await demo.post("asked", demo.agent, model=model) for model in ("opus-5", "opus-4x", "haiku", "")]
    assert bad == [(403, "model-mismatch")] * 4
    assert await demo.post("asked", demo.agent) == (403, "model-mismatch")
    told = demo.agent | {"x-ai-model": "opus-5"}
    assert (await world.api.get("/iam/requests", headers=told)).status_code == 403
    assert (await world.api.get("/iam/requests", headers=demo.agent | {"x-ai-model": "opus-4"})).status_code == 200
    myself = [await world.ok("GET", "/users/me", headers) for headers in (demo.agent, world.key)]
    assert [known["kind"] for known in myself] == ["agent", "app"]
    assert myself[0]["model_spec"] == {"names": ["opus-4", "haiku-*"]}
    assert await demo.post("asked", world.ann.headers, model="opus-5") == (200, "")
    assert await demo.post("asked", world.key, model="opus-5") == (200, "")


async def test_openapi_says_what_cannot_be_undone(demo: Demo) -> None:
    """The declaration of the endpoint is in the document."""
    app = demo.world.api._transport.app
    document = app.openapi()
    assert document["paths"]["/demo/asked"]["post"]["x-reversibility"] == "irreversible"
    assert document["paths"]["/demo/fresh"]["post"]["x-reversibility"] == "recoverable"
    assert document["paths"]["/demo/anybody"]["post"]["x-permission"] == "demo.things.write"
