"""What the platform adds to the OpenAPI document."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any  # stand-ins for routes

import pytest
from fastapi import APIRouter
from httpx import AsyncClient
from pydantic import BaseModel

from fastapi_services_platform import (
    Contribution,
    Manifest,
    Permission,
    Platform,
    PlatformSettings,
    ProblemMapping,
    RouterMount,
    Tier,
    access,
)
from fastapi_services_platform.engine.openapi import _name
from fastapi_services_platform.testing import started_app

router = APIRouter()


class Thing(BaseModel):
    """Something to keep."""

    name: str


class Taken(Exception):
    """The name is taken."""


@router.get("/things")
@access(public=True)
async def list_things() -> list[str]:
    return []


@router.put("/things/{path:path}")
@access(permission="shop.things.write")
async def write_thing(path: str, body: Thing) -> Thing:
    return body


@router.delete("/things/{path:path}")
@access(authenticated=True, reversibility="irreversible")
async def burn_thing(path: str) -> None:
    return None


class Shop:
    """A capability with three operations."""

    manifest = Manifest(name="shop", version="1.0.0", summary="Things")

    async def initialize(self, platform: Platform) -> Contribution:
        return Contribution(
            routers=(RouterMount("api", router, Tier.API),),
            permissions=(Permission("shop.things.write", "Write"),),
            problems=(ProblemMapping(Taken, 409, "taken", "Taken"),),
        )

    async def startup(self) -> None:
        return None

    async def shutdown(self) -> None:
        return None


@pytest.fixture
async def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, dict[str, object]]]:
    config = tmp_path / "config"
    config.mkdir()
    (config / "router_factory_settings.yaml").write_text("documentation: { openapi: public }\n")
    settings = PlatformSettings(environment="test", data_dir=tmp_path, config_dir=config, public_url="http://t")
    async with started_app(settings=settings, capabilities=[Shop()]) as client:
        return await _document(client)


async def _document(client: AsyncClient) -> dict[str, dict[str, dict[str, object]]]:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, dict[str, dict[str, object]]] = answer.json()["paths"]
    return found


async def test_every_operation_says_who_may_and_what_can_be_undone(
    paths: dict[str, dict[str, dict[str, object]]],
) -> None:
    """The permission as declared; a change can be recovered from unless it says otherwise."""
    told = {
        (method, path): (operation["x-permission"], operation["x-reversibility"])
        for path, item in paths.items()
        for method, operation in item.items()
        if path.startswith("/things")
    }
    assert told == {
        ("get", "/things"): ("public", "reversible"),
        ("put", "/things/{path}"): ("shop.things.write", "recoverable"),
        ("delete", "/things/{path}"): ("authenticated", "irreversible"),
    }
    assert all("x-permission" in operation for item in paths.values() for operation in item.values())


async def test_problems_are_documented(paths: dict[str, dict[str, dict[str, object]]]) -> None:
    """What the edge may answer and what the capability maps, as problem documents; public reads ask for nothing."""
    write = paths["/things/{path}"]["put"]["responses"]
    assert isinstance(write, dict)
    assert set(write) == {"200", "400", "401", "403", "404", "409", "413", "422", "429", "431", "503", "504"}
    assert write["409"]["description"] == "Conflict: taken"
    assert {tuple(write[status]["content"]) for status in write if status != "200"} == {("application/problem+json",)}
    read = paths["/things"]["get"]["responses"]
    assert isinstance(read, dict)
    assert {"401", "403", "404", "413", "422"} & set(read) == set()


async def test_operations_are_named_for_generated_clients(settings: PlatformSettings, tmp_path: Path) -> None:
    """Capability and function, or the function alone, as the configuration says."""
    found = {}
    for style in ("capability_function", "function"):
        (tmp_path / style).mkdir()
        file = tmp_path / style / "router_factory_settings.yaml"
        file.write_text(f"operation_ids: {style}\ndocumentation: {{openapi: public}}\n")
        chosen = settings.model_copy(update={"config_dir": tmp_path / style})
        async with started_app(settings=chosen, capabilities=[Shop()]) as client:
            paths = (await client.get("/openapi.json")).json()["paths"]
        found[style] = (paths["/things"]["get"]["operationId"], paths["/things/{path}"]["delete"]["operationId"])
    assert found == {
        "capability_function": ("shop_list_things", "shop_burn_thing"),
        "function": ("list_things", "burn_thing"),
    }


def test_an_id_that_would_be_there_twice_stays_long() -> None:
    """Ids are unique; a route's own id stays."""
    first, second, own = ({"operationId": name} for name in ("list_a_get", "list_b_get", "mine"))

    async def same() -> None: ...

    def entry(identity: str | None) -> Any:
        original = SimpleNamespace(operation_id=identity)
        return SimpleNamespace(original=original, endpoint=same, owner=SimpleNamespace(name="shop"), methods={"GET"})

    _name([(first, entry(None), "get"), (second, entry(None), "get"), (own, entry("mine"), "get")], "function")
    assert [item["operationId"] for item in (first, second, own)] == ["list_a_get", "list_b_get", "mine"]
