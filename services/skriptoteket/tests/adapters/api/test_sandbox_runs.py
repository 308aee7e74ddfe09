"""Trials over HTTP: a version in any state and unsaved text, without a lock; settings of their own; mere checks."""

import json
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.runs.ports.records import RunFilter

BOB = {"authorization": "Bearer bob"}
SCHEMA = [{"kind": "integer", "name": "rows", "min": 1, "max": 9, "default": 3}]
BODY = {"source_code": "x = 1\n", "input_schema": [], "settings_schema": SCHEMA}
SNAPSHOT = (None, json.dumps({**BODY, "source_code": "x = 2\n"}))


async def made(client: AsyncClient) -> tuple[str, dict[str, Any]]:
    """A tool of Anna's with one draft."""
    tool = (await client.post("/api/v1/admin/tools", json={"title": "Counter"})).json()["id"]
    draft = await client.post(f"/api/v1/tools/{tool}/versions", json=BODY)
    assert draft.status_code == 201, draft.text
    return tool, draft.json()


async def tried(client: AsyncClient, tool: str, status: int = 202, **parts: Any) -> dict[str, Any]:
    """A sandbox run."""
    answer = await client.post(f"/api/v1/tools/{tool}/sandbox-runs", files=parts)
    assert status == answer.status_code, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_state_can_be_tried(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Draft, in review, active and archived, while somebody else holds the lock; unsaved text too."""
    tool, draft = await made(client)
    at = "/api/v1/tool-versions"
    await client.post(f"/api/v1/tools/{tool}/maintainers", json={"subject": "urn:fsp:person:bob"})
    locked = await client.put(f"/api/v1/tools/{tool}/draft-lock", json={"head_version_id": draft["id"]}, headers=BOB)
    assert locked.status_code == 200
    assert (await tried(client, tool, version_id=(None, draft["id"])))["snapshot_id"] is None
    assert (await tried(client, tool, snapshot=SNAPSHOT))["snapshot_id"] is not None
    assert (await client.post(f"{at}/{draft['id']}/submit-review", json={}, headers=BOB)).status_code == 200
    assert (await tried(client, tool, version_id=(None, draft["id"])))["context"] == "sandbox"
    verdict = {"rationale": "Fine.", "expected_behaviour_hash": draft["behaviour_hash"]}
    done = await client.post(f"{at}/{draft['id']}/publish", json=verdict)
    assert done.status_code == 201, done.text
    for version in (draft["id"], done.json()["new_active_version_id"]):
        assert (await tried(client, tool, version_id=(None, version)))["state"] == "queued"


async def test_who_may_not_see_it_finds_nothing(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """404 for a stranger, for another tool's version and an unknown one; 422 without a choice."""
    tool, draft = await made(client)
    other, _ = await made(client)
    stranger = await client.post(
        f"/api/v1/tools/{tool}/sandbox-runs", files={"version_id": (None, draft["id"])}, headers=BOB
    )
    assert stranger.status_code == 404
    await tried(client, other, 404, version_id=(None, draft["id"]))
    await tried(client, tool, 404, version_id=(None, str(uuid4())))
    await tried(client, tool, 422, inputs=(None, "{}"))
    await tried(client, tool, 422, version_id=(None, draft["id"]), check_only=(None, "perhaps"))


@pytest.mark.parametrize("sent", ["kept", "given"])
async def test_trials_have_settings_of_their_own(client: AsyncClient, library: SqlUnitOfWork, sent: str) -> None:
    """Kept ones count where a trial sends none; they are saved by rev, and 410 or 404 when the text is not there."""
    tool, _ = await made(client)
    at = f"/api/v1/tools/{tool}/sandbox-settings"
    run = await tried(client, tool, snapshot=SNAPSHOT)
    snapshot = {"snapshot_id": run["snapshot_id"]}
    first = (await client.get(at, params=snapshot)).json()
    assert (first["rev"], first["values"]) == (0, {"rows": 3})
    wrong = await client.put(at, json={**snapshot, "values": {"rows": 99}, "expected_rev": 0})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "rows")
    saved = await client.put(at, json={**snapshot, "values": {"rows": 5}, "expected_rev": 0})
    assert (saved.status_code, saved.json()["rev"]) == (200, 1)
    stale = await client.put(at, json={**snapshot, "values": {"rows": 6}, "expected_rev": 0})
    assert (stale.status_code, stale.json()["reason"]) == (409, "settings_rev_stale")
    assert (await client.get(at, params=snapshot, headers=BOB)).status_code == 404
    assert (await client.get(at, params={"snapshot_id": str(uuid4())})).status_code == 404
    more: dict[str, Any] = {} if sent == "kept" else {"settings": (None, '{"rows": 7}')}
    again = await tried(client, tool, snapshot=SNAPSHOT, **more)
    async with library.read() as unit:
        found = {str(each.id): each for each in await unit.runs.page(RunFilter(), 10)}
    assert dict(found[again["id"]].settings) == {"rows": 5 if sent == "kept" else 7}


async def test_a_check_needs_no_input_and_proves_nothing(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """`check_only` takes no values, is marked on the run, and is no success that a review may rely on."""
    tool, draft = await made(client)
    run = await tried(client, tool, version_id=(None, draft["id"]), check_only=(None, "true"))
    async with library.read() as unit:
        kept = (await unit.runs.page(RunFilter(), 1))[0]
        assert (str(kept.id), kept.check_only) == (run["id"], True)
        assert not await unit.runs.tried(kept.tool_id, kept.behaviour_hash)
