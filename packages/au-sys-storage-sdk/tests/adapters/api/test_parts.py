"""Parts of storage over HTTP: each moved apart, while answers, history, feeds and pages go on as before."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_storage_sdk import open_storage
from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform.errors import StartFailed
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

PARTS = {"notes": {"namespaces": ["notes", "notes.*"]}}


@pytest.fixture
async def divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncClient]:
    """A platform with a part, and a backend to move to."""
    monkeypatch.setenv("STORAGE_PARTS", json.dumps(PARTS))
    monkeypatch.setenv("STORAGE_SWITCH_TARGETS", json.dumps({"second": f"sqlite://{tmp_path}/second.db"}))
    settings = settings_for(tmp_path / "data")
    async with started_app(settings=settings, capabilities=[Storage(), believing_identity()]) as opened:
        opened.headers["Authorization"] = "Bearer ada"
        yield opened


async def finished(client: AsyncClient, operation: str) -> str:
    """How the switch ended."""
    while (found := (await client.get(f"/storage/switch/{operation}")).json())["phase"] in {"copying", "tailing"}:
        await asyncio.sleep(0.01)
    return str(found["phase"])


async def test_a_part_is_moved_and_moved_back(divided: AsyncClient) -> None:
    """Tags stay valid, repeated requests get their first answer, and everything else stays where it is."""
    once = {"Idempotency-Key": "once"}
    tag = (await divided.put("/storage/notes/k", json=1, headers=once)).headers["etag"]
    await divided.put("/storage/others/k", json=1)
    refused = await divided.post(
        "/storage:transaction",
        json={"items": [{"op": "put", "namespace": name, "key": "t", "value": 1} for name in ("notes", "others")]},
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "transaction")
    assert (await divided.post("/storage/switch/second", params={"part": "nothing"})).status_code == 422
    tried = await divided.post("/storage/switch/second", params={"part": "notes", "dry_run": True})
    assert (tried.status_code, tried.json()["operation"]) == (202, "")
    begun = (await divided.post("/storage/switch/second", params={"part": "notes"})).json()["operation"]
    assert await finished(divided, begun) == "flipped"
    status = (await divided.get("/storage")).json()
    assert (status["active"], status["epoch"]) == ("default", 1)
    assert [(part["part"], part["active"], part["epoch"]) for part in status["parts"]] == [("notes", "second", 2)]
    assert [used["namespace"] for used in status["namespaces"]] == ["notes", "others"]
    assert (await divided.post("/storage/switch/second")).status_code == 422
    again = await divided.put("/storage/notes/k", json=1, headers=once)
    assert (again.headers["etag"], again.headers["idempotency-replayed"]) == (tag, "true")
    assert (await divided.get("/storage/notes/k", headers={"If-None-Match": tag})).status_code == 304
    back = (await divided.post(f"/storage/switch/{begun}/rollback")).json()["operation"]
    assert await finished(divided, back) == "flipped"
    assert (await divided.get("/storage")).json()["parts"][0]["active"] == "default"
    assert (await divided.get("/storage/notes/k")).json() == 1


async def test_the_pages_know_the_parts(divided: AsyncClient) -> None:
    """The page of a part moves that part, and the overview leads there; history is found in its part."""
    await divided.put("/storage/notes/k", json=1)
    browser = {"Accept": "text/html"}
    assert "?part=notes" in (await divided.get("/admin/storage", headers=browser)).text
    page = await divided.get("/admin/storage/:switch?part=notes", headers=browser)
    assert ("those of part notes" in page.text, 'name="part" value="notes"' in page.text) == (True, True)
    form = {"part": "notes", "target": "second", "action": "begin"}
    assert (await divided.post("/admin/storage/:switch", data=form)).headers["location"].endswith("?part=notes")
    progress = await divided.get("/admin/storage/:switch/progress?part=notes", headers=browser)
    assert "The switch from default to second" in progress.text
    assert "put" in (await divided.get("/admin/storage/notes/k", headers=browser)).text


async def test_documents_in_the_wrong_part_stop_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be found by nobody; programs have to say which part they mean."""
    async with open_storage(f"sqlite://{tmp_path}/data/documents.db") as storage:
        await storage.namespace("notes").put("k", 1)
    monkeypatch.setenv("STORAGE_PARTS", json.dumps(PARTS))
    with pytest.raises(StartFailed, match="au-sys-storage divide"):
        await started_app(
            settings=settings_for(tmp_path / "data"), capabilities=[Storage(), believing_identity()]
        ).__aenter__()
    with pytest.raises(InvalidInput, match="several parts"):
        await open_storage().__aenter__()
