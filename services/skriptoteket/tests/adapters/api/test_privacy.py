"""Whose run is whose: opened by others for a reason only, shared and taken back, removed at once."""

from pathlib import Path
from typing import Any

from httpx import AsyncClient

from au_sys_storage_sdk import open_blobs
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

from .test_runs import finished, submitted

BOB = {"authorization": "Bearer bob"}
PAGE = {"accept": "text/html"}
REASON = {"reason": "Bob asked why the list is empty."}


async def _open(client: AsyncClient, run: dict[str, Any]) -> None:
    at = f"/api/v1/admin/runs/{run['id']}/access"
    short = await client.post(at, json={"reason": "because"}, headers=BOB)
    assert (short.status_code, short.json()["errors"][0]["field"]) == (422, "reason")
    opened = await client.post(at, json=REASON, headers=BOB)
    assert (201, REASON["reason"]) == (opened.status_code, opened.json()["reason"])


async def test_somebody_elses_run_needs_a_reason(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Listed without content, hidden until a reason is stated, then readable; the owner sees who and why."""
    run = await submitted(client)
    await finished(library, tmp_path)
    at = f"/api/v1/runs/{run['id']}"
    listed = (await client.get("/api/v1/admin/runs?outcome=ok&tool=guardian-emails", headers=BOB)).json()["items"]
    assert [(run["id"], "urn:fsp:person:anna")] == [(each["id"], each["requested_by"]) for each in listed]
    assert {"input", "outputs"}.isdisjoint(listed[0])
    assert (await client.get(at, headers=BOB)).status_code == 404
    await _open(client, run)
    seen = (await client.get(at, headers=BOB)).json()
    assert (len(seen["outputs"]), [each["name"] for each in seen["input"]["files"]]) == (1, ["klass.csv"])
    assert (await client.get(f"{at}/artifacts/list_html", headers=BOB)).status_code == 200
    assert (await client.get(at, headers={"authorization": "Bearer noor"})).status_code == 404
    assert (await client.delete(at, headers=BOB)).status_code == 404
    mine = (await client.get(f"/my-runs/{run['id']}", headers=PAGE)).text
    assert "Opened by others" in mine
    assert REASON["reason"] in mine
    assert "somebody else&#39;s run" in (await client.get(f"/admin/runs/{run['id']}", headers={**PAGE, **BOB})).text


async def test_the_pages_ask_for_the_reason(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """The list filters, the form is shown again when the reason is too short, and leads to the run."""
    run = await submitted(client)
    await finished(library, tmp_path)
    hers = {**PAGE, **BOB}
    assert run["id"] in (await client.get("/admin/runs?state=succeeded", headers=hers)).text
    assert "No run fits." in (await client.get("/admin/runs?outcome=lost", headers=hers)).text
    wrong = await client.get("/admin/runs?state=odd&tool=", headers=hers)
    assert (wrong.status_code, "must be one of" in wrong.text) == (422, True)
    at = f"/admin/runs/{run['id']}"
    assert "Why do you need to see it?" in (await client.get(at, headers=hers)).text
    assert (await client.post(at, data={"reason": "no"}, headers=hers)).status_code == 422
    assert (await client.post(at, data=REASON, headers=hers)).status_code == 303
    assert "klass.csv" in (await client.get(at, headers=hers)).text
    assert (await client.get("/admin/runs/nothing", headers=hers)).status_code == 404


async def test_what_is_shared_is_the_outcome(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """A maintainer sees how it ended and what was printed, no input, result or file; and nothing when it is taken
    back."""
    run = await submitted(client)
    at = f"/api/v1/runs/{run['id']}"
    early = await client.post(f"{at}/share")
    assert (early.status_code, early.json()["reason"]) == (409, "wrong_state")
    await finished(library, tmp_path)
    async with library.write() as unit:
        tool = await unit.tools.by_slug("guardian-emails")
        assert tool is not None
        await unit.tools.add_maintainer(tool.id, "urn:fsp:person:bob")
    assert (await client.get(at, headers=BOB)).status_code == 404
    assert [(await client.post(f"{at}/share")).status_code for _ in range(2)] == [204, 204]
    seen = (await client.get(at, headers=BOB)).json()
    assert (
        seen["state"],
        seen["outputs"],
        seen["artifacts"],
        seen["input"],
    ) == ("succeeded", [], [], {"files": [], "values": {}})
    assert "secret" in (await client.get(f"{at}/logs", headers=BOB)).text
    for part in ("artifacts/list_html", "artifacts.zip"):
        assert (await client.get(f"{at}/{part}", headers=BOB)).status_code == 404
    assert (await client.post(f"{at}/share", headers=BOB)).status_code == 404
    assert (await client.delete(f"{at}/share")).status_code == 204
    assert (await client.get(at, headers=BOB)).status_code == 404


async def test_removed_is_gone_at_once(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Not while it lives; afterwards 410, out of the list, without files; the emptied row stays."""
    run = await submitted(client)
    at = f"/api/v1/runs/{run['id']}"
    early = await client.delete(at)
    assert (early.status_code, early.json()["reason"]) == (409, "wrong_state")
    await finished(library, tmp_path)
    await _open(client, run)
    assert [(await client.delete(at)).status_code for _ in range(2)] == [204, 204]
    gone = await client.get(at)
    assert (gone.status_code, gone.json()["code"]) == (410, "EXPIRED")
    assert (await client.get(at, headers=BOB)).status_code == 404
    assert (await client.get("/api/v1/runs")).json()["items"] == []
    async with open_blobs(f"file://{tmp_path}/blobs") as blobs:
        assert [key async for key in BlobArtifactStore(blobs).keys("runs/x/")] == []
    assert (await client.post(f"/my-runs/{run['id']}/remove", headers=PAGE)).status_code == 303
