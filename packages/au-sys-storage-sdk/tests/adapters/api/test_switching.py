"""The live switch over HTTP: there and back while documents are written, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for


@pytest.fixture
async def switching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncClient]:
    """A platform with a second backend."""
    monkeypatch.setenv("STORAGE_SWITCH_TARGETS", json.dumps({"second": f"sqlite://{tmp_path}/second.db"}))
    settings = settings_for(tmp_path / "data")
    async with started_app(settings=settings, capabilities=[Storage(), believing_identity()]) as opened:
        opened.headers["Authorization"] = "Bearer ada"
        yield opened


async def finished(client: AsyncClient, operation: str) -> dict[str, object]:
    """The switch once it is over."""
    while True:
        found: dict[str, object] = (await client.get(f"/storage/switch/{operation}")).json()
        if found["phase"] not in {"copying", "tailing"}:
            return found
        await asyncio.sleep(0.01)


async def test_there_and_back_while_documents_are_written(switching: AsyncClient) -> None:
    """Every acknowledged document is there after each flip; entity tags stay valid."""
    tag = (await switching.put("/storage/notes/k", json=1)).headers["etag"]
    stop, written = asyncio.Event(), 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            assert (await switching.put(f"/storage/notes/w{written}", json=written)).status_code == 201
            written += 1

    writing = asyncio.create_task(write())
    begun = await switching.post("/storage/switch/second", params={"rate": 100_000})
    assert begun.status_code == 202
    done = await finished(switching, begun.json()["operation"])
    assert (done["phase"], done["source"], done["target"]) == ("flipped", "default", "second")
    assert (done["behind"], done["rate"]) == (0, 100_000)
    assert isinstance(done["rollback_until"], int)
    back = await switching.post(f"/storage/switch/{begun.json()['operation']}/rollback")
    assert (await finished(switching, back.json()["operation"]))["phase"] == "flipped"
    stop.set()
    await writing
    assert (await switching.get("/storage/notes/k", headers={"If-None-Match": tag})).status_code == 304
    for number in range(written):
        assert (await switching.get(f"/storage/notes/w{number}")).json() == number


async def test_senseless_switches_are_refused(switching: AsyncClient) -> None:
    """Unknown, active and finished ones; a dry run begins nothing; strangers are sent away."""
    assert (await switching.post("/storage/switch/nowhere")).status_code == 422
    assert (await switching.post("/storage/switch/default")).status_code == 422
    assert (await switching.get("/storage/switch/none")).status_code == 404
    assert (await switching.delete("/storage/switch/none")).status_code == 404
    assert (await switching.post("/storage/switch/none/rollback")).status_code == 422
    tried = await switching.post("/storage/switch/second", params={"dry_run": True})
    assert (tried.status_code, tried.json()["operation"]) == (202, "")
    for method, path in (("POST", "second"), ("GET", "x"), ("DELETE", "x"), ("POST", "x/rollback")):
        answer = await switching.request(method, f"/storage/switch/{path}", headers={"Authorization": ""})
        assert answer.status_code == 401
