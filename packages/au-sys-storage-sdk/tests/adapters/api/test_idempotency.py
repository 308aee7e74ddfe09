"""Idempotency-Key: a repeated write gets the first answer and happens once, also over a restart."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from au_sys_storage_sdk.adapters.api.headers.idempotency import NAMESPACE
from au_sys_storage_sdk.core.storage import Storage as Documents
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

KEY = {"Idempotency-Key": '"a-random-key"'}
STEPS = {"items": [{"op": "increment", "namespace": "counters", "key": "n"}]}
WRITES: list[tuple[str, str, dict[str, Any]]] = [  # Any: what httpx takes
    ("POST", "/storage/notes/k", {"json": 1}),
    ("PUT", "/storage/notes/k", {"json": 1}),
    ("PATCH", "/storage/notes/k", {"content": b'{"n":1}', "headers": {"Content-Type": "application/merge-patch+json"}}),
    ("POST", "/storage:transaction", {"json": STEPS}),
    ("POST", "/storage/notes:batch", {"json": {"items": [{"op": "put", "key": "k", "value": 1}]}}),
    ("PUT", "/blobs/files/k", {"content": b"x" * 100_000}),
]


def problem_of(answer: Response) -> tuple[int, str]:
    """Status and the last part of the problem's type."""
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


async def send(client: AsyncClient, method: str, path: str, given: dict[str, Any], **more: str) -> Response:
    """One write with the key."""
    headers = {**KEY, **given.get("headers", {}), **more}
    return await client.request(method, path, **{**given, "headers": headers})


@pytest.mark.parametrize(("method", "path", "given"), WRITES)
async def test_a_repetition_gets_the_first_answer(
    client: AsyncClient, method: str, path: str, given: dict[str, Any]
) -> None:
    """Status, tag and body are the first ones, and nothing happens again."""
    first = await send(client, method, path, given)
    assert first.is_success
    between = (await client.get("/storage")).json()["namespaces"]
    again = await send(client, method, path, given)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.headers.get("etag") == again.headers.get("etag")
    assert (again.headers["idempotency-replayed"], first.headers.get("idempotency-replayed")) == ("true", None)
    assert between == (await client.get("/storage")).json()["namespaces"]


async def test_a_deletion_is_repeated_without_a_404(client: AsyncClient) -> None:
    """The second DELETE gets the 204 of the first."""
    for path, content in (("/storage/notes/k", b"1"), ("/blobs/files/k", b"1")):
        await client.put(path, content=content)
        headers = {"Idempotency-Key": f"delete-{path.count('o')}"}
        answers = [await client.delete(path, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 204]
        assert (await client.delete(path)).status_code == 404


@pytest.mark.parametrize(("method", "path", "given"), WRITES)
async def test_another_request_under_the_key_is_refused(
    client: AsyncClient, method: str, path: str, given: dict[str, Any]
) -> None:
    """422 for another body, another path and another condition; nothing changes."""
    await send(client, method, path, given)
    name = "json" if "json" in given else "content"
    other = {**given, name: b'{"n":2}' if name == "content" else {"items": [{"op": "put", "key": "z", "value": 1}]}}
    assert problem_of(await send(client, method, path, other)) == (422, "key-reused")
    assert problem_of(await send(client, method, path, given, **{"If-Match": '"1"'})) == (422, "key-reused")
    assert problem_of(await send(client, method, f"{path}?other", given)) == (422, "key-reused")


async def test_a_refused_write_may_be_sent_again(client: AsyncClient) -> None:
    """What had no effect is not remembered: once the reason is gone, the same request succeeds."""
    headers = {**KEY, "If-Match": '"2"'}
    assert (await client.put("/storage/notes/k", json=1, headers=headers)).status_code == 412
    assert (await client.delete("/storage/notes/none", headers={"Idempotency-Key": "d"})).status_code == 404
    assert (await client.put("/blobs/files/k", content=b"x", headers=headers)).status_code == 412
    await client.put("/storage/notes/none", json=1)
    assert (await client.delete("/storage/notes/none", headers={"Idempotency-Key": "d"})).status_code == 204


async def test_of_many_at_once_one_is_carried_out(client: AsyncClient) -> None:
    """The others get its answer, or 409 while there is none; the counter moves once."""
    answers = await asyncio.gather(*(send(client, "POST", "/storage:transaction", {"json": STEPS}) for _ in range(20)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answer.json()["results"][0]["value"] for answer in answers if answer.status_code == 200} == {1}
    assert (await client.get("/storage/counters/n")).json() == 1


async def test_keys_are_each_callers_own(client: AsyncClient) -> None:
    """Another caller's request under the same key is another request."""
    await client.put("/storage/notes/k", json=1, headers=KEY)
    other = await client.put("/storage/notes/k", json=2, headers={**KEY, "Authorization": "Bearer bob"})
    assert (other.status_code, (await client.get("/storage/notes/k")).json()) == (200, 2)


@pytest.mark.parametrize("key", ["", " ", "å", "a b", "k" * 256])
async def test_a_malformed_key_is_refused(client: AsyncClient, key: str) -> None:
    """422 that names the header."""
    answer = await client.put("/storage/notes/k", json=1, headers={b"Idempotency-Key": key.encode()})
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")


async def test_answers_survive_a_restart_and_end(tmp_path: Path) -> None:
    """The record lies in the documents, out of reach and with an end."""
    for expected in (None, "true"):
        settings = settings_for(tmp_path)
        async with started_app(settings=settings, capabilities=[Storage(), believing_identity()]) as client:
            client.headers["Authorization"] = "Bearer ada"
            answer = await client.put("/storage/notes/k", json=1, headers=KEY)
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, expected)
            assert (await client.get(f"/storage/{NAMESPACE}")).status_code == 403
            app = client._transport.app  # type: ignore[attr-defined]  # of httpx's ASGI transport
            documents = await app.state.platform.container.get(Documents)
            (kept,) = (await documents.namespace(NAMESPACE).scan()).items
            assert 86_000_000 < (kept.expires or 0) - kept.updated <= 86_400_000
