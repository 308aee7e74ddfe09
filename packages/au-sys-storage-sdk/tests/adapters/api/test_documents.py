"""Documents over HTTP: one positive and one negative request per row of the API, conditions, bad input."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from httpx import AsyncClient, Response

from au_sys_storage_sdk.conformance.keys import HOSTILE_KEYS


def outcome(answer: Response) -> tuple[int, str]:
    """Status and the last part of the problem's type."""
    return answer.status_code, answer.json().get("type", "").rpartition("/")[2]


async def test_a_document_is_created_read_replaced_and_removed(client: AsyncClient) -> None:
    """201 with an entity tag, the stored bytes, 200 with a higher tag, 204, then 404."""
    created = await client.post("/storage/notes/a/b", json={"n": 1})
    assert (201, f'"{created.json()["version"]}"') == (created.status_code, created.headers["etag"])
    read = await client.get("/storage/notes/a/b")
    assert (200, b'{"n":1}', created.headers["etag"]) == (read.status_code, read.content, read.headers["etag"])
    replaced = await client.put("/storage/notes/a/b", content=b"null")
    assert replaced.status_code == 200
    assert replaced.json()["version"] > created.json()["version"]
    assert (await client.get("/storage/notes/a/b")).content == b"null"
    assert (await client.delete("/storage/notes/a/b")).status_code == 204
    assert outcome(await client.get("/storage/notes/a/b")) == (404, "not-found")
    assert outcome(await client.delete("/storage/notes/a/b")) == (404, "not-found")


async def test_an_unchanged_document_is_not_sent_again(client: AsyncClient) -> None:
    """If-None-Match with the tag, a list, a weak tag or * answers 304 without a body; another tag answers 200."""
    tag = (await client.put("/storage/notes/k", json=1)).headers["etag"]
    for given in (tag, f'"9999", {tag}', f"W/{tag}", "*"):
        answer = await client.get("/storage/notes/k", headers={"If-None-Match": given})
        assert (304, b"", tag) == (answer.status_code, answer.content, answer.headers["etag"])
    assert (await client.get("/storage/notes/k", headers={"If-None-Match": '"9999"'})).status_code == 200


async def test_head_tells_without_the_value(client: AsyncClient) -> None:
    """Tag and times, no body; 404 where nothing is."""
    tag = (await client.put("/storage/notes/k", json="x" * 500, headers={"Storage-TTL": "60"})).headers["etag"]
    answer = await client.head("/storage/notes/k")
    assert (200, b"", tag) == (answer.status_code, answer.content, answer.headers["etag"])
    assert "storage-expires" in answer.headers
    assert (await client.head("/storage/notes/none")).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_stale_version_is_refused(client: AsyncClient, method: str) -> None:
    """412 with both versions and the present tag; nothing changed."""
    stale = (await client.put("/storage/notes/k", json={"n": 1})).headers["etag"]
    fresh = (await client.put("/storage/notes/k", json={"n": 2})).headers["etag"]
    headers = {"If-Match": stale, "Content-Type": "application/merge-patch+json"}
    answer = await client.request(method, "/storage/notes/k", content=b'{"n":3}', headers=headers)
    assert ((412, "conflict"), fresh) == (outcome(answer), answer.headers["etag"])
    assert (int(stale.strip('"')), int(fresh.strip('"'))) == (answer.json()["expected"], answer.json()["actual"])
    assert (await client.get("/storage/notes/k")).json() == {"n": 2}
    headers["If-Match"] = fresh
    answer = await client.request(method, "/storage/notes/k", content=b'{"n":3}', headers=headers)
    assert answer.is_success


async def test_conditions_cover_star_lists_and_weak_tags(client: AsyncClient) -> None:
    """* is anything stored, None-Match * nothing stored, one of a list suffices, weak tags never match a write."""
    assert (await client.put("/storage/notes/k", json=1, headers={"If-Match": "*"})).status_code == 412
    created = await client.put("/storage/notes/k", json=1, headers={"If-None-Match": "*"})
    assert created.status_code == 201
    assert (await client.put("/storage/notes/k", json=2, headers={"If-None-Match": "*"})).status_code == 412
    assert (await client.put("/storage/notes/k", json=2, headers={"If-Match": "*"})).status_code == 200
    tag = (await client.get("/storage/notes/k")).headers["etag"]
    weak = await client.put("/storage/notes/k", json=3, headers={"If-Match": f"W/{tag}"})
    assert weak.status_code == 412
    listed = await client.put("/storage/notes/k", json=3, headers={"If-Match": f'"x", "1", {tag}'})
    assert listed.status_code == 200
    negated = await client.put("/storage/notes/k", json=3, headers={"If-None-Match": listed.headers["etag"]})
    assert negated.status_code == 412
    assert outcome(await client.put("/storage/notes/k", json=4, headers={"If-Match": "bare"})) == (422, "invalid-input")


async def test_one_of_many_creators_over_http_wins(client: AsyncClient) -> None:
    """With If-None-Match: * one request answers 201, the others 412."""
    puts = [client.put("/storage/notes/k", json=n, headers={"If-None-Match": "*"}) for n in range(20)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*puts)) == [201] + [412] * 19


async def test_patches_are_of_two_kinds(client: AsyncClient) -> None:
    """Merge patch and JSON patch by content type; another type, a wrong shape and a failing test are 422."""
    await client.put("/storage/notes/k", json={"a": 1, "b": [1]})
    merge, steps = {"Content-Type": "application/merge-patch+json"}, {"Content-Type": "application/json-patch+json"}
    assert (await client.patch("/storage/notes/k", content=b'{"a":null}', headers=merge)).status_code == 200
    added = b'[{"op":"add","path":"/b/0","value":0}]'
    assert (await client.patch("/storage/notes/k", content=added, headers=steps)).status_code == 200
    assert (await client.get("/storage/notes/k")).json() == {"b": [0, 1]}
    for content, headers in (
        (b"{}", {"Content-Type": "application/json"}),
        (b"[]", merge),
        (b"{}", steps),
        (b'[{"op":"test","path":"/b","value":1}]', steps),
        (b'[{"op":"remove","path":"/x/y"}]', steps),
    ):
        answer = await client.patch("/storage/notes/k", content=content, headers=headers)
        assert outcome(answer) == (422, "invalid-input")


async def test_a_listing_pages_and_is_cached_by_sequence(client: AsyncClient) -> None:
    """Keys or values, prefix, cursor; 304 until the namespace changes."""
    for key in ("a/1", "a/2", "b"):
        await client.put(f"/storage/notes/{key}", json={"k": key})
    first = await client.get("/storage/notes", params={"limit": 2, "include": "values"})
    assert [(item["key"], item["value"]) for item in first.json()["items"]] == [
        ("a/1", {"k": "a/1"}),
        ("a/2", {"k": "a/2"}),
    ]
    last = await client.get("/storage/notes", params={"limit": 2, "after": first.json()["after"]})
    assert ([item["key"] for item in last.json()["items"]], last.json()["after"]) == (["b"], None)
    assert "value" not in last.json()["items"][0]
    cached = {"If-None-Match": last.headers["etag"]}
    assert (await client.get("/storage/notes", headers=cached)).status_code == 304
    await client.put("/storage/other/x", json=1)
    assert (await client.get("/storage/notes", headers=cached)).status_code == 304
    await client.delete("/storage/notes/b")
    assert (await client.get("/storage/notes", headers=cached)).status_code == 200
    for query in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"include": "all"}, {"prefix": "\0"}):
        assert (await client.get("/storage/notes", params=query)).status_code == 422


async def test_the_status_names_what_is_there(client: AsyncClient) -> None:
    """Backends, features and the namespaces in reach; nobody unsigned sees it."""
    await client.put("/storage/notes/k", json="four")
    found = (await client.get("/storage")).json()
    assert (
        found["documents"]["kind"],
        found["documents"]["durable"],
        found["blobs"]["kind"],
    ) == ("sqlite", True, "filesystem")
    assert [(n["namespace"], n["documents"], n["document_bytes"]) for n in found["namespaces"]] == [("notes", 1, 6)]
    assert (await client.get("/storage", headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize("namespace", ["identity", "identity.users", "audit", "settings.x", "storage.idempotency"])
async def test_the_platforms_namespaces_are_out_of_reach(client: AsyncClient, namespace: str) -> None:
    """Reading, listing, writing, changing and deleting are refused for a caller who holds every right."""
    for method in ("GET", "PUT", "POST", "PATCH", "DELETE"):
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = await client.request(method, f"/storage/{namespace}/k", content=b"{}", headers=headers)
        assert outcome(answer) == (403, "out-of-reach")
    assert outcome(await client.get(f"/storage/{namespace}")) == (403, "out-of-reach")


@pytest.mark.parametrize("namespace", ["switch", "discovery", "health", "UPPER", "a..b", "-x", "ä", "a" * 129, "a:b"])
async def test_bad_namespaces_are_refused(client: AsyncClient, namespace: str) -> None:
    """Reserved and malformed names are 422 with the rule."""
    answer = await client.get(f"/storage/{quote(namespace)}")
    assert (outcome(answer), answer.json()["field"]) == ((422, "invalid-input"), "namespace")


REACHABLE = [
    key for key in HOSTILE_KEYS if key not in {".", ".."}
]  # clients resolve these two before sending (RFC 3986)


@pytest.mark.parametrize("key", REACHABLE, ids=range(len(REACHABLE)))
async def test_hostile_keys_survive_the_way_through_http(client: AsyncClient, key: str) -> None:
    """Percent-encoded, every legal key is stored under exactly its name."""
    path = f"/storage/notes/{quote(key, safe='')}"
    assert (await client.put(path, json={"key": key})).status_code == 201
    assert {"key": key} == (await client.get(path)).json()
    assert [key] == [item["key"] for item in (await client.get("/storage/notes")).json()["items"]]
    assert (await client.delete(path)).status_code == 204


BAD_BODIES: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("text", b"nope"),
    ("two values", b"1 2"),
    ("deep", b"[" * 100_000 + b"]" * 100_000),
    ("unclosed", b"[" * 50_000),
    ("duplicate members", b'{"a":1,"a":2}'),
    ("not a number", b"NaN"),
    ("infinite", b"1e999"),
    ("huge number", b"1" * 5000),
    ("lone surrogate", b'"\\ud800"'),
    ("latin-1", '"å"'.encode("latin-1")),
    ("byte order mark", b"\xef\xbb\xbf1"),
    ("NUL", b"\0"),
]


@pytest.mark.parametrize("body", [body for _, body in BAD_BODIES], ids=[name for name, _ in BAD_BODIES])
async def test_what_is_not_json_is_refused(client: AsyncClient, body: bytes) -> None:
    """422 that names the body, never a server error; nothing is stored."""
    answer = await client.put("/storage/notes/k", content=body)
    assert outcome(answer) == (422, "invalid-input")
    assert (await client.get("/storage/notes/k")).status_code == 404


@pytest.mark.parametrize("value", [2**64, -(2**63), 1.0, 1e300, "\u0000", {"": None}, [[]] * 500])
async def test_unusual_json_comes_back(client: AsyncClient, value: Any) -> None:  # Any: JSON
    """Large numbers and odd texts are stored as they are."""
    assert (await client.put("/storage/notes/k", json=value)).status_code == 201
    assert value == (await client.get("/storage/notes/k")).json()


async def test_sizes_and_times_are_bounded(client: AsyncClient) -> None:
    """A value over 1 MiB is 413, a key over 1 KiB and a senseless time to live are 422."""
    assert outcome(await client.put("/storage/notes/k", content=b'"' + b"x" * 2**20 + b'"')) == (413, "too-large")
    assert outcome(await client.put(f"/storage/notes/{'k' * 1025}", json=1)) == (422, "invalid-input")
    for ttl in ("0", "-5", "1e99", "nan", "soon"):
        assert (await client.put("/storage/notes/k", json=1, headers={"Storage-TTL": ttl})).status_code == 422


async def test_another_tenant_sees_nothing(client: AsyncClient) -> None:
    """Only the verified principal's tenant counts, whatever headers say."""
    await client.put("/storage/notes/k", json=1)
    answer = await client.get("/storage/notes/k", headers={"X-Tenant": "other", "Tenant": "other"})
    assert answer.status_code == 200


async def test_strangers_are_refused_everywhere(client: AsyncClient) -> None:
    """Without a credential every route answers 401."""
    calls = [("GET", "/storage/n"), *((m, "/storage/n/k") for m in ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"))]
    for method, path in calls:
        assert (await client.request(method, path, headers={"Authorization": ""})).status_code == 401
