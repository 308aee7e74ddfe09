"""The audit log over HTTP, its proofs checked by code of its own."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from httpx import AsyncClient

from au_sys_identity.verify import main

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
ADMIN = {"email": "root@example.org", "password": PASSWORD}
TOKEN = "a bootstrap token of this test"


@pytest.fixture
async def client(start: Start) -> AsyncIterator[AsyncClient]:
    """The first administrator is signed in."""
    async with start(bootstrap_token=TOKEN) as client:
        assert (await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})).status_code == 201
        tokens = (await client.post("/auth/jwt/login", json=ADMIN)).json()
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        yield client


def folded(index: int, size: int, leaf: bytes, path: list[str]) -> bytes:
    """The root that an inclusion proof leads to, computed top down, unlike the product."""

    def root(start: int, count: int, steps: list[bytes]) -> bytes:
        if count == 1:
            assert not steps
            return leaf
        half = 1
        while half * 2 < count:
            half *= 2
        if index - start < half:
            return hashlib.sha256(b"\x01" + root(start, half, steps[:-1]) + steps[-1]).digest()
        return hashlib.sha256(b"\x01" + steps[-1] + root(start + half, count - half, steps[:-1])).digest()

    return root(0, size, [bytes.fromhex(step) for step in path])


async def test_every_event_is_proved(client: AsyncClient) -> None:
    """What was done is found, is canonical, and leads to a head whose signature holds."""
    events = (await client.get("/audit/events", params={"limit": 200})).json()["items"]
    assert {"subject.created", "role.granted", "session.started"} <= {event["action"] for event in events}
    head = (await client.get("/audit/heads/latest")).json()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(head["public_key"]))
    public.verify(base64.b64decode(head["signature"]), head["message"].encode())
    assert head["root_hash"] in head["message"]
    for event in events:
        proof = (
            await client.get(
                "/audit/proofs/inclusion", params={"event_id": event["id"], "tree_size": head["tree_size"]}
            )
        ).json()
        leaf = hashlib.sha256(b"\x00" + proof["body"].encode()).digest()
        assert leaf.hex() == proof["leaf_hash"]
        assert folded(proof["leaf_index"], head["tree_size"], leaf, proof["path"]).hex() == head["root_hash"]
        assert json.loads(proof["body"])["id"] == event["id"]


async def test_details_are_sealed_in_the_body_and_open_for_readers(client: AsyncClient) -> None:
    """The leaf hashes a ciphertext; who may read sees the role."""
    events = (await client.get("/audit/events", params={"action": "role.granted"})).json()["items"]
    assert events[0]["details"]["role"] == "platform-admin"
    proof = (await client.get("/audit/proofs/inclusion", params={"event_id": events[0]["id"]})).json()
    assert "platform-admin" not in proof["body"]
    assert set(json.loads(proof["body"])["details"]) == {"sealed", "subject"}


async def test_reading_is_an_event_with_how_it_was_proved(client: AsyncClient) -> None:
    """Who read what, how surely she was known, in which request."""
    asked = await client.get("/audit/events", params={"action": "role."})
    events = (await client.get("/audit/events", params={"action": "audit.read"})).json()["items"]
    found = events[0]
    assert (found["strength"], found["details"]) == ("password", {"action": "role."})
    assert found["correlation_id"] == asked.headers["x-correlation-id"]
    assert found["credential_id"] is not None


async def test_pages_and_filters(client: AsyncClient) -> None:
    """Pages join without gap or overlap; a filter leaves out the rest."""
    first = (await client.get("/audit/events", params={"limit": 1})).json()
    second = (await client.get("/audit/events", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    indexes = [event["leaf_index"] for event in (*first["items"], *second["items"])]
    assert indexes == list(range(indexes[0], indexes[0] - 2, -1))
    me = (await client.get("/users/me")).json()["urn"]
    mine = (await client.get("/audit/events", params={"actor": me, "outcome": "success"})).json()["items"]
    assert {event["actor"] for event in mine} == {me}
    nobody = await client.get("/audit/events", params={"from": "2100-01-01T00:00:00Z"})
    assert nobody.json()["items"] == []


async def test_the_export_is_sound_far_away(client: AsyncClient, tmp_path: Path) -> None:
    """The server finds nothing, the bundle is accepted by the verifier, and a changed one is not."""
    report = (await client.post("/audit/verify")).json()
    assert (report["ok"], report["findings"]) == (True, [])
    bundle = tmp_path / "audit.ndjson"
    bundle.write_bytes((await client.get("/audit/export")).content)
    assert main(["log", str(bundle)]) == 0
    bundle.write_text(bundle.read_text().replace("role.granted", "role.removed", 1))
    assert main(["log", str(bundle)]) == 1
    bundle.write_text("\n".join(bundle.read_text().splitlines()[:-1]))
    assert main(["log", str(bundle)]) == 2


async def test_consistency_between_two_sizes(client: AsyncClient) -> None:
    """A proof comes for sizes of the log, and a refusal for others."""
    head = (await client.get("/audit/heads/latest")).json()
    proof = await client.get("/audit/proofs/consistency", params={"from": 1, "to": head["tree_size"]})
    assert (proof.status_code, proof.json()["first"]) == (200, 1)
    wrong = await client.get("/audit/proofs/consistency", params={"from": 3, "to": 100_000})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "from")


@pytest.mark.parametrize(
    "path",
    [
        "/audit/events/01900000-0000-7000-8000-000000000001",
        "/audit/proofs/inclusion?leaf_index=99999",
        "/audit/proofs/inclusion?leaf_index=0&tree_size=99999",
    ],
)
async def test_what_is_not_there(client: AsyncClient, path: str) -> None:
    """404, without more."""
    assert (await client.get(path)).status_code == 404


async def test_who_may_not_read(client: AsyncClient) -> None:
    """A person without the permission gets nothing."""
    bob = {"email": "bob@example.org", "password": PASSWORD}
    await client.post("/auth/register", json=bob)
    tokens = (await client.post("/auth/jwt/login", json=bob)).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    for path in ("/audit/events", "/audit/heads/latest", "/audit/export"):
        assert (await client.get(path, headers=headers)).status_code == 403
    assert (await client.post("/audit/verify", headers=headers)).status_code == 403


async def test_who_was_denied_what_is_an_event(client: AsyncClient) -> None:
    """By permission and by rule alike: caller, route, permission and problem; neither the path nor its secrets."""
    ann = {"email": "ann@example.org", "password": PASSWORD}
    await client.post("/auth/register", json=ann)
    admin = client.headers["authorization"]
    tokens = (await client.post("/auth/jwt/login", json=ann)).json()
    client.headers["authorization"] = f"Bearer {tokens['access_token']}"
    me = (await client.get("/users/me")).json()["urn"]
    assert (await client.get("/users/secret-in-path?q=secret-in-query")).status_code == 403
    given = {"name": "mine", "scopes": ["identity.users.read"]}
    assert (await client.post("/auth/api-keys/", json=given)).json()["type"].endswith("/exceeds-own-rights")
    client.headers["authorization"] = admin
    found = (await client.get("/audit/events", params={"action": "access.denied"})).json()["items"]
    told = [(event["actor"], event["outcome"], event["target"], event["details"]) for event in found]
    assert [
        (me, "denied", "POST /auth/api-keys/", {"problem": "identity/exceeds-own-rights"}),
        (me, "denied", "GET /users/{user_id}", {"problem": "permission-denied", "permission": "identity.users.read"}),
    ] == told
    assert found[0]["strength"] == "password"
