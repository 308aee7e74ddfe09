"""Resumable uploads: parts that may break off, an end that is checked, and nothing seen before it."""

import base64
import hashlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from httpx import AsyncClient, Response

from au_sys_storage_sdk.adapters.api.uploads import sweep_uploads
from au_sys_storage_sdk.conformance.blobs import content_of
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.storage import Storage as Documents
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import create_app
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

CONTENT = content_of(9_000_000)
PART = "application/partial-upload"


async def begin(client: AsyncClient, content: bytes = b"", **headers: str) -> Response:
    """Open an upload with a first part."""
    given = {"Upload-Complete": "?0", "Content-Type": "text/csv", **headers}
    return await client.put("/blobs/files/a/b.csv", content=content, headers=given)


async def go_on(client: AsyncClient, where: str, offset: int, content: bytes, *, last: bool = False) -> Response:
    """Send the next part."""
    headers = {"Upload-Offset": str(offset), "Upload-Complete": "?1" if last else "?0", "Content-Type": PART}
    return await client.patch(where, content=content, headers=headers)


async def test_a_blob_goes_up_in_parts(client: AsyncClient) -> None:
    """Each answer tells the offset; only the last part makes the blob, with type, tag and digest."""
    begun = await begin(client, CONTENT[:1000])
    where = begun.headers["location"]
    assert (begun.status_code, begun.headers["upload-offset"], begun.headers["upload-complete"]) == (201, "1000", "?0")
    assert (await client.get("/blobs/files/a/b.csv")).status_code == 404
    second = await go_on(client, where, 1000, CONTENT[1000:8_500_000])
    assert (second.status_code, second.headers["upload-offset"]) == (204, "8500000")
    asked = await client.head(where)
    assert (asked.status_code, asked.headers["upload-offset"]) == (204, "8500000")
    done = await go_on(client, where, 8_500_000, CONTENT[8_500_000:], last=True)
    assert (201, "?1", len(CONTENT)) == (done.status_code, done.headers["upload-complete"], done.json()["size"])
    read = await client.get("/blobs/files/a/b.csv")
    assert (CONTENT, "text/csv", done.headers["etag"]) == (
        read.content, read.headers["content-type"], read.headers["etag"]
    )  # fmt: skip
    assert (await client.head(where)).status_code == 404


async def test_a_part_elsewhere_is_refused(client: AsyncClient) -> None:
    """409 with the offset to go on from; malformed headers are 422; nothing is lost."""
    where = (await begin(client, b"12345")).headers["location"]
    for offset in (0, 4, 6):
        answer = await go_on(client, where, offset, b"x")
        assert (
            answer.status_code, answer.headers["upload-offset"], answer.json()["expected_offset"]
        ) == (409, "5", 5)  # fmt: skip
    for headers in (
        {"Upload-Offset": "-1"},
        {"Upload-Offset": "x"},
        {},
        {"Upload-Offset": "5", "Upload-Complete": "1"},
    ):
        assert (await client.patch(where, content=b"x", headers=headers)).status_code == 422
    assert (await go_on(client, where, 5, b"6", last=True)).json()["size"] == 6


async def test_digests_are_checked(client: AsyncClient) -> None:
    """Content-Digest of a part, Repr-Digest of the whole; a wrong part is not counted, a wrong whole not stored."""

    def field(content: bytes) -> str:
        return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"

    where = (await begin(client, b"abc", **{"Repr-Digest": field(b"abcdef")})).headers["location"]
    headers = {"Upload-Offset": "3", "Content-Digest": field(b"other")}
    assert (await client.patch(where, content=b"def", headers=headers)).status_code == 422
    assert (await client.head(where)).headers["upload-offset"] == "3"
    assert (await go_on(client, where, 3, b"deX", last=True)).status_code == 422
    assert (await client.get("/blobs/files/a/b.csv")).status_code == 404
    where = (await begin(client, b"abc", **{"Repr-Digest": field(b"abcdef")})).headers["location"]
    assert (await go_on(client, where, 3, b"def", last=True)).status_code == 201


async def test_conditions_are_decided_at_the_end(client: AsyncClient) -> None:
    """Who was overtaken meanwhile gets 412, and the other's bytes stay."""
    where = (await begin(client, b"slow", **{"If-None-Match": "*"})).headers["location"]
    await client.put("/blobs/files/a/b.csv", content=b"fast")
    assert (await go_on(client, where, 4, b"", last=True)).status_code == 412
    assert (await client.get("/blobs/files/a/b.csv")).content == b"fast"
    assert (await begin(client, b"", **{"If-None-Match": "*"})).status_code == 412


async def test_an_upload_is_its_callers_own_and_can_be_given_up(client: AsyncClient) -> None:
    """Others get 404; after DELETE it is gone with all it held."""
    where = (await begin(client, b"x")).headers["location"]
    for method in ("HEAD", "PATCH", "DELETE"):
        other = await client.request(method, where, headers={"Authorization": "Bearer bob", "Upload-Offset": "1"})
        assert other.status_code == 404
        assert (await client.request(method, where, headers={"Authorization": ""})).status_code == 401
    assert (await client.delete(where)).status_code == 204
    assert (await client.head(where)).status_code == 404
    assert (await client.get("/blobs/storage.uploads")).status_code == 403


async def test_forgotten_uploads_are_swept(client: AsyncClient) -> None:
    """Pieces whose upload has ended go; those of an upload under way stay."""
    kept = (await begin(client, b"kept")).headers["location"]
    lost = (await begin(client, b"lost")).headers["location"]
    app = client._transport.app  # type: ignore[attr-defined]  # of httpx's ASGI transport
    container = app.state.platform.container
    documents, blobs = await container.get(Documents), await container.get(Blobs)
    await documents.namespace("storage.uploads").delete(lost.rpartition("/")[2])
    assert await sweep_uploads(documents, blobs) == 1
    assert (await go_on(client, kept, 4, b"", last=True)).status_code == 201


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A real server."""
    app = create_app(settings_for(tmp_path), capabilities=[Storage(), believing_identity()])
    with serve(app) as url:
        async with AsyncClient(base_url=url, headers={"Authorization": "Bearer ada"}) as client:
            yield client


async def test_what_came_before_the_line_broke_is_kept(served: AsyncClient) -> None:
    """The connection ends in the middle of a part; HEAD tells where to go on."""
    where = (await begin(served)).headers["location"]
    address = urlsplit(str(served.base_url))
    with socket.create_connection((address.hostname, address.port or 0)) as line:
        head = (
            f"PATCH {where} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer ada\r\n"
            f"Upload-Offset: 0\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
        )
        line.sendall(head.encode() + CONTENT[:400_000])
        line.shutdown(socket.SHUT_WR)
        while line.recv(65_536):
            pass
    offset = 0
    while not offset:
        offset = int((await served.head(where)).headers["upload-offset"])
    assert offset <= 400_000
    assert (await go_on(served, where, offset, CONTENT[offset:], last=True)).status_code == 201
    assert (await served.get("/blobs/files/a/b.csv")).content == CONTENT
