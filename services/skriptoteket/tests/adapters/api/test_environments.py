"""What an operator sees and decides about environments, as JSON and as page."""

import json
import os
import sys
from pathlib import Path

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

PAGE = {"accept": "text/html"}
_DIGEST = "d" * 64


@pytest.fixture
def denied(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> frozenset[str]:
    """Anna operates a library whose host has built packages for standard@1."""
    folder = tmp_path_factory.mktemp("environments")
    (folder / "standard@1").mkdir()
    monkeypatch.setenv("SKRIPTOTEKET_ENVIRONMENTS_DIR", str(folder))
    _build(folder, _DIGEST)
    return frozenset()


def _build(folder: Path, digest: str) -> None:
    told = {"name": "standard@1", "digest": digest, "packages": ["pandas 3.1.1"]}
    told["python"] = f"{sys.implementation.cache_tag} {os.uname().machine}"
    (folder / "standard@1" / "environment.json").write_text(json.dumps(told))


async def test_an_operator_approves_what_was_built(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Packages and digest are shown; approved by digest they are in use; refusals say what is wrong."""
    [shown] = (await client.get("/api/v1/environments")).json()
    assert (shown["digest"], shown["packages"], shown["usable"]) == (_DIGEST, ["pandas 3.1.1"], False)
    path = "/api/v1/environments/standard@1/decide"
    good = {"verdict": "approved", "rationale": "looked at each", "expected_digest": _DIGEST}
    assert (await client.post(path, json={**good, "expected_digest": "e" * 64})).json()["reason"] == "hash_mismatch"
    assert (await client.post(path, json={**good, "rationale": " "})).status_code == 422
    assert (await client.post(path, json={**good, "verdict": "perhaps"})).status_code == 422
    assert (await client.post("/api/v1/environments/other@1/decide", json=good)).status_code == 404
    assert (await client.post(path, json=good)).status_code == 204
    assert (await client.post(path, json=good)).json()["reason"] == "already_decided"
    [shown] = (await client.get("/api/v1/environments")).json()
    assert (shown["usable"], shown["verdict"], shown["rationale"]) == (True, "approved", "looked at each")
    async with library.read() as unit:
        [kept] = await unit.environments.decisions()
    assert kept.digest == _DIGEST


async def test_the_page_takes_approval_back(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """The form approves, then takes back with a reason; without one the page says so."""
    path = "/admin/operations/environments/standard@1"
    form = {"verdict": "approved", "expected_digest": _DIGEST, "rationale": "looked at"}
    refused = await client.post(path, data={**form, "rationale": ""}, headers=PAGE)
    assert (refused.status_code, "rationale" in refused.text) == (422, True)
    assert (await client.post(path, data=form, headers=PAGE)).status_code == 303
    assert "Take approval back" in (await client.get("/admin/operations", headers=PAGE)).text
    assert (await client.post(path, data=form, headers=PAGE)).status_code == 409
    assert (await client.post(path, data={**form, "verdict": "withdrawn"}, headers=PAGE)).status_code == 303
    async with library.read() as unit:
        assert len(await unit.environments.decisions()) == 2
