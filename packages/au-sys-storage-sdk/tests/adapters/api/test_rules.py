"""The rules of a namespace over HTTP: callers, shape, sizes, times, conditions, rates; whichever way a write comes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.manifest.config import StorageSettings
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

RULES = """
[namespaces."strict.*"]
conditional = true
[namespaces."team"]
readers = ["urn:fsp:person:*"]
writers = ["urn:fsp:person:ada"]
[namespaces."sealed-off"]
readers = []
writers = []
[namespaces."small"]
max_document_bytes = 20
max_blob_bytes = 10
max_ttl_seconds = 60
[namespaces."people".schema]
type = "object"
required = ["name"]
properties = { name = { type = "string" }, age = { type = "integer", minimum = 0 } }
"""
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
async def ruled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncClient]:
    """A platform with a file of rules, and a limit on the rate of one router."""
    (tmp_path / "rules.toml").write_text(RULES)
    config = tmp_path / "config"
    config.mkdir()
    limit = "capabilities:\n  storage:\n    routers:\n      blobs: {rate_limit: 12/minute}\n"
    (config / "router_factory_settings.yaml").write_text(limit)
    monkeypatch.setenv("STORAGE_NAMESPACES_FILE", str(tmp_path / "rules.toml"))
    settings = settings_for(tmp_path / "data", config_dir=config)
    async with started_app(settings=settings, capabilities=[Storage(), believing_identity()]) as opened:
        opened.headers["Authorization"] = "Bearer ada"
        yield opened


def outcome(answer: Response) -> tuple[int, str]:
    """Status and the last part of the problem's type."""
    return answer.status_code, str(answer.json().get("type", "")).rpartition("/")[2]


def steps(op: str, namespace: str = "", **more: object) -> dict[str, object]:
    """A request with one step."""
    return {"items": [{"op": op, "key": "k", **({"namespace": namespace} if namespace else {}), **more}]}


async def test_a_namespace_may_demand_conditions(ruled: AsyncClient) -> None:
    """428 for every kind of write without one; with one it passes."""
    path = "/storage/strict.x/k"
    for method in ("POST", "PUT", "DELETE"):
        assert outcome(await ruled.request(method, path, content=b"1")) == (428, "condition-required")
    assert outcome(await ruled.patch(path, content=b"{}", headers=MERGE)) == (428, "condition-required")
    assert outcome(await ruled.put("/blobs/strict.x/k", content=b"1")) == (428, "condition-required")
    assert outcome(await ruled.delete("/blobs/strict.x/k")) == (428, "condition-required")
    transaction = await ruled.post("/storage:transaction", json=steps("put", "strict.x", value=1))
    batch = await ruled.post("/storage/strict.x:batch", json=steps("delete"))
    assert [outcome(transaction), outcome(batch)] == [(428, "condition-required")] * 2
    created = await ruled.put(path, json=1, headers={"If-None-Match": "*"})
    assert created.status_code == 201
    assert (await ruled.delete(path, headers={"If-Match": created.headers["etag"]})).status_code == 204


async def test_a_namespace_may_name_its_callers(ruled: AsyncClient) -> None:
    """Writers write and read, readers read, all others are refused, also in batches, transactions and watches."""
    bob = {"Authorization": "Bearer bob"}
    assert (await ruled.put("/storage/team/k", json=1)).status_code == 201
    assert (await ruled.get("/storage/team/k", headers=bob)).status_code == 200
    refused = [
        await ruled.put("/storage/team/k", json=2, headers=bob),
        await ruled.post("/storage/team:batch", json=steps("get"), headers=bob),
        await ruled.post("/storage:transaction", json=steps("put", "team", value=2), headers=bob),
        await ruled.put("/blobs/team/k", content=b"1", headers=bob),
        await ruled.get("/storage/sealed-off/k"),
        await ruled.get("/storage/sealed-off"),
        await ruled.get("/storage/sealed-off:watch"),
        await ruled.get("/blobs/sealed-off"),
    ]
    assert {outcome(answer) for answer in refused} == {(403, "not-permitted")}
    assert (await ruled.get("/storage/team/k")).json() == 1


async def test_a_namespace_may_have_a_schema(ruled: AsyncClient) -> None:
    """422 names the place, whichever way the value comes; a patch is judged by its result."""
    assert (await ruled.put("/storage/people/k", json={"name": "Ada"})).status_code == 201
    refused = [
        await ruled.put("/storage/people/k", json={"name": 1}),
        await ruled.put("/storage/people/k", json=[]),
        await ruled.patch("/storage/people/k", content=b'{"name":null}', headers=MERGE),
        await ruled.post("/storage:transaction", json=steps("put", "people", value={})),
        await ruled.post("/storage:transaction", json=steps("increment", "people")),
    ]
    assert {outcome(answer) for answer in refused} == {(422, "invalid-input")}
    aged = await ruled.patch("/storage/people/k", content=b'{"age":-1}', headers=MERGE)
    assert (aged.status_code, aged.json()["field"]) == (422, "value/age")
    batch = await ruled.post("/storage/people:batch", json=steps("put", value={}))
    assert [result["status"] for result in batch.json()["results"]] == [422]
    assert (await ruled.get("/storage/people/k")).json() == {"name": "Ada"}


async def test_sizes_and_times_have_caps(ruled: AsyncClient) -> None:
    """413 also for what a patch makes of it, 422 over the cap of times, which is the default as well."""
    assert (await ruled.put("/storage/small/k", json={"a": "1"}, headers={"Storage-TTL": "61"})).status_code == 422
    created = await ruled.put("/storage/small/k", json={"a": "1"})
    assert "storage-expires" in (await ruled.get("/storage/small/k")).headers
    refused = [
        await ruled.put("/storage/small/k", json="x" * 20),
        await ruled.patch("/storage/small/k", content=json.dumps({"b": "x" * 20}).encode(), headers=MERGE),
        await ruled.post("/storage:transaction", json=steps("put", "small", value="x" * 20)),
        await ruled.put("/blobs/small/k", content=b"x" * 11),
        await ruled.put("/blobs/small/k", content=b"x" * 11, headers={"Upload-Complete": "?0"}),
    ]
    assert {outcome(answer) for answer in refused} == {(413, "too-large")}
    assert (await ruled.head("/storage/small/k")).headers["etag"] == created.headers["etag"]


async def test_rates_are_limited_by_configuration(ruled: AsyncClient) -> None:
    """429 with a Retry-After once the router's rate is used up."""
    answers = [await ruled.get("/blobs/any") for _ in range(13)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert int(answers[-1].headers["retry-after"]) > 0


BAD = [
    ('[namespaces."n"]\nconditionl = true\n', "conditionl"),
    ('[namespaces."n".schema]\ntype = "nope"\n', "schema of 'n' is not valid"),
    ('[namespaces."n".schema]\n"$ref" = "https://example.org/schema"\n', "schema of 'n' is not valid"),
    ('[namespaces."n"]\nencrypted = true\n', "must be sealed"),
    ("nope", "STORAGE_NAMESPACES_FILE"),
]


@pytest.mark.parametrize(("text", "told"), BAD)
def test_senseless_rules_stop_the_start(tmp_path: Path, text: str, told: str) -> None:
    """With the place and the fix."""
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=told):
        StorageSettings(namespaces_file=file).policies()
