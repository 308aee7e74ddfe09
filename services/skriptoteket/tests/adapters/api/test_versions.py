"""From a suggestion to a published, rolled back tool over HTTP."""

import json
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.identifiers import RunId

SOURCE = "def run_tool(input_dir, output_dir):\n    return None\n"
IDEA: dict[str, Any] = {
    "title": "Counter",
    "description": "Counts.",
    "professions": ["larare"],
    "categories": ["ovrigt"],
}


async def posted(client: AsyncClient, path: str, status: int = 201, **body: Any) -> dict[str, Any]:
    """A JSON post with the expected status."""
    answer = await client.post(f"/api/v1{path}", json=body)
    assert status == answer.status_code, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def drafted(client: AsyncClient) -> tuple[str, dict[str, Any]]:
    """A tool that Anna maintains, with a first draft."""
    idea = await posted(client, "/suggestions", **IDEA)
    accepted = await posted(client, f"/admin/suggestions/{idea['id']}/decide", 200, verdict="accept", rationale="Yes.")
    tool = accepted["draft_tool_id"]
    return tool, await posted(client, f"/tools/{tool}/versions", source_code=SOURCE, input_schema=[])


async def published(client: AsyncClient, tool: str, draft: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A draft taken all the way."""
    await posted(client, f"/tool-versions/{draft['id']}/submit-review", 200, note="Please look.")
    body: dict[str, Any] = {"rationale": "Good.", "expected_behaviour_hash": draft["behaviour_hash"], **more}
    return await posted(client, f"/tool-versions/{draft['id']}/publish", **body)


async def test_what_is_in_review_can_be_withdrawn_once(client: AsyncClient) -> None:
    """It becomes a draft again; a draft is in no review that it could be taken from."""
    _, draft = await drafted(client)
    await posted(client, f"/tool-versions/{draft['id']}/submit-review", 200, note="Please look.")
    again = await posted(client, f"/tool-versions/{draft['id']}/withdraw", 201, rationale="A typo.")
    assert again["state"] == "draft"
    await posted(client, f"/tool-versions/{again['id']}/withdraw", 409, rationale="Once more.")


async def test_the_whole_way(client: AsyncClient) -> None:
    """Suggested, accepted, drafted, saved, submitted, sent back, submitted, published, shown, superseded, rolled
    back."""
    tool, draft = await drafted(client)
    saved = await posted(
        client,
        f"/tool-versions/{draft['id']}/save",
        expected_parent_version_id=draft["id"],
        source_code=SOURCE + "# more\n",
    )
    assert (2, True, draft["id"]) == (saved["version_number"], saved["is_draft_head"], saved["derived_from"])
    await posted(client, f"/tool-versions/{saved['id']}/submit-review", 200)
    assert [saved["id"]] == [each["id"] for each in (await client.get("/api/v1/admin/reviews")).json()]
    again = await posted(client, f"/tool-versions/{saved['id']}/request-changes", rationale="Add a check.")
    assert saved["behaviour_hash"] == again["behaviour_hash"]
    first = await published(client, tool, again)
    refused = await client.post(f"/api/v1/admin/tools/{tool}/show")
    assert [each["field"] for each in refused.json()["errors"]] == ["slug"]
    await client.patch(f"/api/v1/admin/tools/{tool}", json={"slug": "counter"})
    assert (await client.post(f"/api/v1/admin/tools/{tool}/show")).json()["is_visible"]
    assert (await client.get("/api/v1/tools/counter")).status_code == 200
    second = await posted(client, f"/tools/{tool}/versions", source_code="x = 1\n", derived_from=again["id"])
    done = await published(client, tool, second)
    assert first["new_active_version_id"] == done["previous_active_version_id"]
    old = (await client.get(f"/api/v1/tool-versions/{first['new_active_version_id']}")).json()
    body: dict[str, Any] = {"rationale": "It loses rows.", "expected_behaviour_hash": old["behaviour_hash"]}
    back = await posted(client, f"/tool-versions/{old['id']}/rollback", **body)
    active = (await client.get(f"/api/v1/tool-versions/{back['new_active_version_id']}")).json()
    assert (old["source_code"], "active") == (active["source_code"], active["state"])
    verdicts = (await client.get(f"/api/v1/tool-versions/{active['id']}/decisions")).json()
    assert [each["verdict"] for each in verdicts] == ["request_changes", "publish", "publish", "rollback"]


async def test_lost_races_are_told(client: AsyncClient) -> None:
    """A second first draft, a save on an old head, a stale hash and a second decision answer 409 with the reason."""
    tool, draft = await drafted(client)
    assert (await posted(client, f"/tools/{tool}/versions", 409, source_code="x"))["reason"] == "draft_exists"
    body: dict[str, Any] = {"expected_parent_version_id": draft["id"], "source_code": "y = 1\n"}
    saved = await posted(client, f"/tool-versions/{draft['id']}/save", **body)
    lost = await posted(client, f"/tool-versions/{draft['id']}/save", 409, **body)
    assert ("draft_head_moved", saved["id"]) == (lost["reason"], lost["draft_head_version_id"])
    stale: dict[str, Any] = {"rationale": "Good.", "expected_behaviour_hash": draft["behaviour_hash"]}
    await posted(client, f"/tool-versions/{saved['id']}/submit-review", 200)
    assert (await posted(client, f"/tool-versions/{saved['id']}/publish", 409, **stale))["reason"] == "hash_mismatch"
    idea = (await client.get("/api/v1/suggestions")).json()[0]
    twice = await posted(client, f"/admin/suggestions/{idea['id']}/decide", 409, verdict="deny", rationale="No.")
    assert twice["reason"] == "already_decided"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"verdict": "perhaps", "rationale": "x"}, "verdict"),
        ({"verdict": "deny", "rationale": " "}, "rationale"),
        ({"verdict": "accept", "rationale": "x", "professions": []}, "professions"),
        ({"verdict": "accept", "rationale": "x", "title": ""}, "title"),
    ],
)
async def test_a_wrong_decision_decides_nothing(client: AsyncClient, change: dict[str, Any], field: str) -> None:
    """Each is told by field, and the suggestion still waits."""
    idea = await posted(client, "/suggestions", **IDEA)
    refused = await posted(client, f"/admin/suggestions/{idea['id']}/decide", 422, **change)
    assert [field] == [each["field"] for each in refused["errors"]]
    assert (await client.get("/api/v1/suggestions")).json()[0]["status"] == "pending_review"


async def test_strangers_see_nothing_of_a_draft(client: AsyncClient) -> None:
    """Bob may write, not this tool: tool, version, difference, lock and save do not exist for him."""
    tool, draft = await drafted(client)
    client.headers["authorization"] = "Bearer bob"
    for path in (f"/tools/{tool}/versions", f"/tool-versions/{draft['id']}", f"/tool-versions/{draft['id']}/decisions"):
        assert (await client.get(f"/api/v1{path}")).status_code == 404
    body: dict[str, Any] = {"expected_parent_version_id": draft["id"], "source_code": "x"}
    assert (await client.post(f"/api/v1/tool-versions/{draft['id']}/save", json=body)).status_code == 404
    assert (
        await client.put(f"/api/v1/tools/{tool}/draft-lock", json={"head_version_id": draft["id"]})
    ).status_code == 404
    assert (await client.post(f"/api/v1/tools/{tool}/sandbox-runs", files={"version_id": (None, draft["id"])})).status_code == 404  # fmt: skip  # noqa: E501 - one request
    assert (await client.get("/api/v1/my-tools")).json() == []


async def test_unsaved_text_is_tried_without_a_lock(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """A sandbox run of a snapshot is queued in its own lane; equal text is one snapshot; it is no run of the list."""
    tool, _ = await drafted(client)
    path = f"/api/v1/tools/{tool}/sandbox-runs"
    form = {"snapshot": (None, json.dumps({"source_code": "y = 2\n", "input_schema": []}))}
    runs = [(await client.post(path, files=form)).json() for _ in range(2)]
    assert [(run["kind"], run["state"]) for run in runs] == [("sandbox", "queued")] * 2
    assert (await client.get("/api/v1/runs")).json()["items"] == []
    async with library.read() as unit:
        stored = [await unit.runs.get(RunId(UUID(run["id"]))) for run in runs]
    assert len({run.snapshot_id for run in stored}) == 1
    wrong = await client.post(path, files={"snapshot": (None, "{}"), "version_id": (None, "x")})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "version_id")


async def test_diff_and_schemas(client: AsyncClient) -> None:
    """A difference by lines and fields; a schema is looked at without saving."""
    tool, draft = await drafted(client)
    body: dict[str, Any] = {"expected_parent_version_id": draft["id"], "source_code": "z = 1\n", "entrypoint": "main"}
    saved = await posted(client, f"/tool-versions/{draft['id']}/save", **body)
    found = (await client.get(f"/api/v1/tool-versions/{saved['id']}/diff", params={"against": draft["id"]})).json()
    assert ["added", "z = 1"] in found["source"]
    assert found["changed"] == {"entrypoint": ["run_tool", "main"]}
    looked = await posted(client, f"/tools/{tool}/validate-schemas", 200, input_schema=[{"kind": "x", "name": "y"}])
    assert (looked["valid"], looked["issues"][0]["path"]) == (False, "0.kind")


async def test_locks(client: AsyncClient) -> None:
    """Taken, renewed and given back; a save by its holder moves it."""
    tool, draft = await drafted(client)
    path = f"/api/v1/tools/{tool}/draft-lock"
    for _ in range(2):
        assert (await client.put(path, json={"head_version_id": draft["id"]})).json()["holder"] == "urn:fsp:person:anna"
    body: dict[str, Any] = {"expected_parent_version_id": draft["id"], "source_code": "z = 1\n"}
    saved = await posted(client, f"/tool-versions/{draft['id']}/save", **body)
    assert (await client.put(path, json={"head_version_id": draft["id"]})).status_code == 409
    assert (await client.put(path, json={"head_version_id": saved["id"]})).status_code == 200
    assert (await client.delete(path)).status_code == 204
