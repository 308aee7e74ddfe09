"""Batch, transaction and the change feed over HTTP."""

import json
from pathlib import Path

import httpx
import pytest
from httpx import AsyncClient

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import create_app
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for


async def test_a_batch_answers_each_item(client: AsyncClient) -> None:
    """Reads and writes of one namespace; a failing item has its own status and problem."""
    version = (await client.put("/storage/notes/a", json={"n": 1})).json()["version"]
    items = [
        {"op": "get", "key": "a"},
        {"op": "put", "key": "b", "value": [1], "if_match": "absent", "ttl": 60},
        {"op": "put", "key": "a", "value": 2, "if_match": "absent"},
        {"op": "delete", "key": "a", "if_match": version},
        {"op": "delete", "key": "a"},
        {"op": "get", "key": "\0"},
    ]
    answer = await client.post("/storage/notes:batch", json={"items": items})
    assert answer.status_code == 200
    found = answer.json()["results"]
    assert [result["status"] for result in found] == [200, 200, 412, 204, 404, 422]
    assert (found[0]["value"], found[2]["problem"]) == ({"n": 1}, "conflict")
    assert (await client.get("/storage/notes/b")).json() == [1]


async def test_a_transaction_is_all_or_nothing(client: AsyncClient) -> None:
    """Over two namespaces; one failing check undoes all."""
    steps = [
        {"op": "put", "namespace": "orders", "key": "1", "value": {"x": 1}, "if_match": "absent"},
        {"op": "increment", "namespace": "counters", "key": "orders", "by": 2},
        {"op": "emit", "namespace": "orders", "key": "placed", "value": {"id": 1}},
    ]
    answer = await client.post("/storage:transaction", json={"items": steps})
    assert [result["value"] for result in answer.json()["results"]] == [None, 2, None]
    again = await client.post("/storage:transaction", json={"items": [*reversed(steps)]})
    assert again.status_code == 412
    assert (await client.get("/storage/counters/orders")).json() == 2


@pytest.mark.parametrize("path", ["/storage/notes:batch", "/storage:transaction"])
async def test_malformed_steps_are_refused(client: AsyncClient, path: str) -> None:
    """422 with the place in the body, never a server error."""
    bodies: list[object] = [
        None, [], {}, {"items": 1}, {"items": [1]}, {"items": [{"op": "nope", "key": "k"}]}, {"items": [{"op": "put"}]},
        {"items": [{"op": "put", "key": "k", "extra": 1}]}, {"items": [{"op": "get", "key": "k"}] * 1001},
        {"items": [{"op": "put", "key": "k", "value": 1, "if_match": "present"}]},
    ]  # fmt: skip
    for body in bodies:
        answer = await client.post(path, content=json.dumps(body))
        assert (answer.status_code, answer.json()["field"]) == (422, "body")


async def test_steps_cannot_reach_the_platforms_namespaces(client: AsyncClient) -> None:
    """Neither by batch, transaction nor watch."""
    step = {"op": "put", "namespace": "identity.users", "key": "k", "value": 1}
    assert (await client.post("/storage:transaction", json={"items": [step]})).status_code == 403
    assert (await client.post("/storage/identity.users:batch", json={"items": []})).status_code == 403
    assert (await client.get("/storage/identity.users:watch")).status_code == 403
    for path in ("/storage/n:batch", "/storage:transaction"):
        assert (await client.post(path, json={"items": []}, headers={"Authorization": ""})).status_code == 401
    assert (await client.get("/storage/n:watch", headers={"Authorization": ""})).status_code == 401


async def test_the_feed_streams_and_resumes(tmp_path: Path) -> None:
    """Over a real server: events from a starting point, then on from Last-Event-ID without gap or repetition."""
    app = create_app(settings_for(tmp_path), capabilities=[Storage(), believing_identity()])
    auth = {"Authorization": "Bearer ada"}
    with serve(app) as url:
        async with AsyncClient(base_url=url, headers=auth) as client:
            for key in ("a", "b", "c"):
                await client.put(f"/storage/notes/{key}", json=1)
            first = await events(client, "/storage/notes:watch?since=0", 2)
            assert [(kind, data["key"]) for _, kind, data in first] == [("put", "a"), ("put", "b")]
            await client.delete("/storage/notes/a")
            rest = await events(client, "/storage/notes:watch", 2, {"Last-Event-ID": first[-1][0]})
            assert [(kind, data["key"]) for _, kind, data in rest] == [("put", "c"), ("delete", "a")]


async def events(
    client: AsyncClient, path: str, number: int, headers: dict[str, str] | None = None
) -> list[tuple[str, str, dict[str, object]]]:
    """The next events of a feed: id, event and data."""
    found = []
    async with client.stream("GET", path, headers=headers, timeout=httpx.Timeout(10)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        block: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name:
                block[name] = value
            elif block:
                found.append((block["id"], block["event"], json.loads(block["data"])))
                block = {}
            if len(found) == number:
                break
    return found
