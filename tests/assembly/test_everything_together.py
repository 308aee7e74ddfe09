"""All installed capabilities in one platform: found, ordered, closed to strangers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from fastapi_services_platform import create_app
from fastapi_services_platform.testing import started_app

FSP = str(Path(sys.executable).parent / "fsp")


def fsp(*arguments: str) -> object:
    """The JSON that an `fsp` command prints."""
    return json.loads(subprocess.run([FSP, *arguments, "--json"], capture_output=True, check=True).stdout)


def protected_routes() -> list[tuple[str, str]]:
    """Method and path of every route that is not public, as the platform itself lists them."""
    listed = fsp("routes")
    assert isinstance(listed, list)
    return [
        (method, re.sub(r"\{[^}]+\}", "x", route["path"]))
        for route in listed
        for method in route["methods"]
        if route["access"] != "public"
    ]


@pytest.mark.usefixtures("environment")
async def test_every_installed_capability_is_loaded_and_the_hub_is_last() -> None:
    """What the entry points offer is what /discovery lists, providers before those who need them."""
    async with started_app(create_app()) as client:
        found = (await client.get("/discovery")).json()
    names = [capability["name"] for capability in found["capabilities"]]
    assert sorted(names) == sorted(point.name for point in entry_points(group="au_sys_plugins"))
    assert names[-1] == "hub"
    assert names.index("storage") < names.index("skriptoteket")


@pytest.mark.usefixtures("environment")
async def test_no_route_answers_a_stranger_unless_it_is_public() -> None:
    """Every route that is not declared public refuses a caller without credentials, whatever is asked of it."""
    routes = protected_routes()
    assert len(routes) > 50
    answers = {}
    async with started_app(create_app()) as client:
        for method, path in routes:
            answer = await client.request(method, path, headers={"accept": "application/json"})
            if answer.status_code != 401:
                answers[f"{method} {path}"] = answer.status_code
    assert answers == {}


@pytest.mark.usefixtures("environment")
async def test_every_answer_carries_the_strict_headers_and_an_id() -> None:
    """Pages, problems and probes alike: no sniffing, no framing, no inline code, one correlation id."""
    async with started_app(create_app()) as client:
        for path in ("/", "/login", "/health", "/nowhere", "/browse", "/users/me"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert "default-src 'none'" in headers["content-security-policy"], path
            assert "unsafe" not in headers["content-security-policy"], path
            assert headers["x-correlation-id"], path


async def test_one_capability_that_cannot_start_leaves_the_others_serving(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An optional capability whose database is out of reach answers 503 with the reason; sign-in and hub go on."""
    monkeypatch.setenv("SKRIPTOTEKET_DATABASE_URL", "sqlite+aiosqlite:////proc/no/such/place.db")
    (environment / "router_factory_features.yaml").write_text("capabilities:\n  skriptoteket: {required: false}\n")
    async with started_app(create_app()) as client:
        assert (await client.get("/login")).status_code == 200
        assert (await client.get("/browse", headers={"accept": "application/json"})).status_code == 503
        health = (await client.get("/health")).json()
    assert health["status"] == "degraded"
