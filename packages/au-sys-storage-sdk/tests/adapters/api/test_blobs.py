"""Blobs over HTTP: streams, conditions, ranges, digests, and nothing that a browser would run."""

import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from httpx import AsyncClient

from au_sys_storage_sdk.conformance.blobs import content_of
from au_sys_storage_sdk.conformance.keys import HOSTILE_KEYS

CONTENT = content_of(3_000_000)


def digest_of(content: bytes) -> str:
    """The header of RFC 9530."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_a_blob_goes_up_and_comes_down(client: AsyncClient) -> None:
    """201, then the same bytes with type, tag and digest; 200 on replacement; 204; 404."""
    headers = {"Content-Type": "text/csv", "If-None-Match": "*"}
    created = await client.put("/blobs/files/a/b.csv", content=CONTENT, headers=headers)
    assert (201, len(CONTENT)) == (created.status_code, created.json()["size"])
    read = await client.get("/blobs/files/a/b.csv")
    assert (200, CONTENT, created.headers["etag"]) == (read.status_code, read.content, read.headers["etag"])
    assert ("text/csv", digest_of(CONTENT)) == (read.headers["content-type"], read.headers["repr-digest"])
    probed = await client.head("/blobs/files/a/b.csv")
    assert (200, str(len(CONTENT)), b"") == (probed.status_code, probed.headers["content-length"], probed.content)
    assert (await client.put("/blobs/files/a/b.csv", content=b"new")).status_code == 200
    assert [item["key"] for item in (await client.get("/blobs/files")).json()["items"]] == ["a/b.csv"]
    assert (await client.delete("/blobs/files/a/b.csv")).status_code == 204
    for method in ("GET", "HEAD", "DELETE"):
        assert (await client.request(method, "/blobs/files/a/b.csv")).status_code == 404


RANGES = [
    ("bytes=0-9", 206, 0, 10), ("bytes=5-", 206, 5, None), ("bytes=-7", 206, -7, None),
    ("bytes=0-99999999", 206, 0, None),
    ("bytes=1048570-1048580", 206, 1_048_570, 1_048_581), ("bytes=9-5", 200, 0, None), ("bytes=0-1,4-5", 200, 0, None),
    ("items=0-1", 200, 0, None), ("bytes=x-", 200, 0, None), ("bytes=-", 200, 0, None),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "start", "end"), RANGES)
async def test_one_range_is_answered_as_a_part(
    client: AsyncClient, asked: str, status: int, start: int, end: int | None
) -> None:
    """206 with the slice; what is no single range is answered whole (RFC 9110 §14.2)."""
    await client.put("/blobs/files/k", content=CONTENT)
    answer = await client.get("/blobs/files/k", headers={"Range": asked})
    assert (status, CONTENT[start:end]) == (answer.status_code, answer.content)
    assert (status == 206) == ("content-range" in answer.headers)


async def test_bytes_that_do_not_exist_are_416(client: AsyncClient) -> None:
    """With the size, also for an empty blob."""
    await client.put("/blobs/files/k", content=b"abc")
    await client.put("/blobs/files/empty", content=b"")
    for path, asked, size in (("k", "bytes=3-", 3), ("k", "bytes=-0", 3), ("empty", "bytes=0-", 0)):
        answer = await client.get(f"/blobs/files/{path}", headers={"Range": asked})
        assert (416, f"bytes */{size}") == (answer.status_code, answer.headers["content-range"])


async def test_a_range_of_another_version_is_not_mixed_in(client: AsyncClient) -> None:
    """If-Range with the present tag gives the part, with a stale one the whole."""
    stale = (await client.put("/blobs/files/k", content=b"old content")).headers["etag"]
    fresh = (await client.put("/blobs/files/k", content=b"new content")).headers["etag"]
    for tag, status in ((fresh, 206), (stale, 200)):
        answer = await client.get("/blobs/files/k", headers={"Range": "bytes=0-2", "If-Range": tag})
        assert status == answer.status_code


async def test_conditions_are_kept(client: AsyncClient) -> None:
    """304, 412 on a stale tag and on a second creation; nothing changed."""
    tag = (await client.put("/blobs/files/k", content=b"1", headers={"If-None-Match": "*"})).headers["etag"]
    assert (await client.get("/blobs/files/k", headers={"If-None-Match": tag})).status_code == 304
    assert (await client.put("/blobs/files/k", content=b"2", headers={"If-None-Match": "*"})).status_code == 412
    assert (await client.put("/blobs/files/k", content=b"2", headers={"If-Match": tag})).status_code == 200
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.request(method, "/blobs/files/k", headers={"If-Match": tag})).status_code == 412
    assert (await client.get("/blobs/files/k")).content == b"2"


async def test_a_wrong_digest_stores_nothing(client: AsyncClient) -> None:
    """The right one is accepted; a wrong and a malformed one are 422."""
    assert (
        await client.put("/blobs/files/k", content=b"x", headers={"Repr-Digest": digest_of(b"x")})
    ).status_code == 201
    for given in (digest_of(b"y"), "sha-256=:a:"):
        assert (await client.put("/blobs/files/k", content=b"x", headers={"Repr-Digest": given})).status_code == 422
    assert (
        await client.put("/blobs/files/n", content=b"x", headers={"Repr-Digest": digest_of(b"y")})
    ).status_code == 422
    assert (await client.get("/blobs/files/n")).status_code == 404


async def test_no_browser_runs_what_was_uploaded(client: AsyncClient) -> None:
    """Always an attachment, sandboxed, without sniffing, with a file name that cannot break the header."""
    path = "/blobs/files/" + quote('å"; x=y.html')
    await client.put(path, content=b"<script>", headers={"Content-Type": "text/html"})
    found = (await client.get(path)).headers
    assert found["content-disposition"] == "attachment; filename*=UTF-8''%C3%A5%22%3B%20x%3Dy.html"
    assert (
        found["content-security-policy"], found["x-content-type-options"]
    ) == ("sandbox; default-src 'none'", "nosniff")  # fmt: skip


async def test_a_stream_without_length_is_accepted(client: AsyncClient) -> None:
    """Chunked uploads work."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 100_000):
            yield CONTENT[start : start + 100_000]

    await client.put("/blobs/files/k", content=pieces())
    assert (await client.get("/blobs/files/k")).content == CONTENT


REACHABLE = [
    key for key in HOSTILE_KEYS if key not in {".", ".."}
]  # clients resolve these two before sending (RFC 3986)


@pytest.mark.parametrize("key", REACHABLE, ids=range(len(REACHABLE)))
async def test_hostile_keys_survive_the_way_through_http(client: AsyncClient, key: str) -> None:
    """Percent-encoded, every legal key is stored under exactly its name."""
    path = f"/blobs/files/{quote(key, safe='')}"
    assert (await client.put(path, content=b"x")).is_success
    assert [key] == [item["key"] for item in (await client.get("/blobs/files")).json()["items"]]


async def test_strangers_and_the_platforms_namespaces_are_refused(client: AsyncClient) -> None:
    """401 without a credential, 403 for identity's blobs, 422 for a bad key or namespace."""
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert (await client.request(method, "/blobs/n/k", headers={"Authorization": ""})).status_code == 401
        assert (await client.request(method, "/blobs/identity.photos/k")).status_code == 403
        assert (await client.request(method, f"/blobs/n/{'k' * 1025}")).status_code == 422
    assert (await client.get("/blobs/n", headers={"Authorization": ""})).status_code == 401
    assert (await client.get("/blobs/UPPER")).status_code == 422
