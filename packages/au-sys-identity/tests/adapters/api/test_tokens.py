"""API keys and published signing keys over HTTP."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx import AsyncClient, Response
from joserfc import jwt
from joserfc.jwk import KeySet

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
SCOPE = "identity.users.read"


async def sign_in(client: AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of a signed-in program."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": password})
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> dict[str, str]:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org"), ADMIN)
    return await sign_in(client, "admin@example.org", ADMIN)


async def make(client: AsyncClient, who: dict[str, str], scope: str = SCOPE, **more: object) -> Response:
    """Ask for a key."""
    return await client.post("/auth/api-keys/", headers=who, json={"name": "Robot", "scopes": [scope], **more})


async def test_a_key_acts_for_its_owner_within_its_scopes(client: AsyncClient, admin: dict[str, str]) -> None:
    """What the scope names works, the rest does not; it is listed without the secret and dead once revoked."""
    made = await make(client, admin)
    assert (made.status_code, "no-store" in made.headers["cache-control"]) == (201, True)
    key = {"x-api-key": made.json()["secret"]}
    assert (await client.get("/users", headers=key)).status_code == 200
    assert (await client.get("/users/me", headers=key)).json()["email"] == "admin@example.org"
    assert (await client.get("/rbac/roles", headers=key)).status_code == 403
    listed = (await client.get("/auth/api-keys/", headers=admin)).json()["items"]
    assert [(item["name"], item["status"], "secret" in item) for item in listed] == [("Robot", "active", False)]
    path = f"/auth/api-keys/{made.json()['id']}"
    assert (await client.delete(path, headers=admin)).status_code == 204
    assert (await client.get("/users", headers=key)).status_code == 401
    assert (await client.get("/auth/api-keys/", headers=admin)).json()["items"][0]["status"] == "revoked"


async def test_a_key_makes_no_keys_and_changes_no_factors(client: AsyncClient, admin: dict[str, str]) -> None:
    """A key cannot step up, so it never makes itself stronger."""
    key = {"x-api-key": (await make(client, admin, "*")).json()["secret"]}
    refused = [await make(client, key), await client.post("/mfa/totp", headers=key)]
    assert [answer.json()["type"].rpartition("/")[2] for answer in refused] == ["human-only"] * 2


async def test_a_key_holds_no_more_than_its_owner(client: AsyncClient, admin: dict[str, str]) -> None:
    """A scope beyond one's own is refused; what the owner loses, the key loses at once."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    ann = await sign_in(client, "ann@example.org")
    assert (await make(client, ann)).json()["type"].endswith("exceeds-own-rights")
    ann_id = (await client.get("/users/me", headers=ann)).json()["id"]
    await client.post(f"/rbac/users/{ann_id}/roles", headers=admin, json={"role": "helpdesk"})
    key = {"x-api-key": (await make(client, ann)).json()["secret"]}
    assert (await client.get("/users", headers=key)).status_code == 200
    await client.delete(f"/rbac/users/{ann_id}/roles", headers=admin, params={"role": "helpdesk"})
    assert (await client.get("/users", headers=key)).status_code == 403
    await client.patch(f"/users/{ann_id}", headers=admin, json={"is_active": False})
    assert (await client.get("/users/me", headers=key)).status_code == 401


async def test_keys_of_others_are_none_of_ones_business(client: AsyncClient, admin: dict[str, str]) -> None:
    """An ordinary person neither sees nor revokes them; an administrator does both."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    ann = await sign_in(client, "ann@example.org")
    made = (await make(client, admin)).json()
    admin_id = (await client.get("/users/me", headers=admin)).json()["id"]
    assert (await client.get("/auth/api-keys/", headers=ann, params={"owner": admin_id})).status_code == 404
    assert (await client.delete(f"/auth/api-keys/{made['id']}", headers=ann)).status_code == 404
    ann_id = (await client.get("/users/me", headers=ann)).json()["id"]
    listed = await client.get("/auth/api-keys/", headers=admin, params={"owner": ann_id})
    assert listed.json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Robot", "scopes": []},
        {"name": "", "scopes": [SCOPE]},
        {"name": "Robot", "scopes": [SCOPE], "expires_in": 367 * 86_400},
        {"name": "Robot", "scopes": [SCOPE], "owner": "x"},
    ],
)
async def test_bad_keys_are_not_made(client: AsyncClient, admin: dict[str, str], body: dict[str, object]) -> None:
    """No scope, no name, too long a life or a protected field is a 422."""
    assert (await client.post("/auth/api-keys/", headers=admin, json=body)).status_code == 422


async def test_there_may_be_enough(start: Start, tmp_path: Path) -> None:
    """Beyond the limit a key has to go before another one is made."""
    async with start(api_keys_per_subject=1) as client:
        platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
        await Operator(platform).create_admin(NewPerson("admin@example.org"), ADMIN)
        admin = await sign_in(client, "admin@example.org", ADMIN)
        first = await make(client, admin)
        assert (await make(client, admin)).json()["type"].endswith("key-limit")
        await client.delete(f"/auth/api-keys/{first.json()['id']}", headers=admin)
        assert (await make(client, admin)).status_code == 201


async def test_only_hashes_are_stored(client: AsyncClient, admin: dict[str, str], tmp_path: Path) -> None:
    """The key is nowhere in the database files."""
    secret = (await make(client, admin)).json()["secret"]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
    assert secret.encode() not in stored
    assert secret[20:63].encode() not in stored


async def test_others_verify_tokens_with_the_published_keys(client: AsyncClient, admin: dict[str, str]) -> None:
    """The access token's signature checks against the document, which holds no private part."""
    published = (await client.get("/.well-known/jwks.json")).json()
    token = admin["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256"]).claims
    assert claims["iss"] == "http://platform.test"
    assert [key for key in published["keys"] if "d" in key] == []


async def test_signing_keys_rotate_with_an_overlap(client: AsyncClient, admin: dict[str, str]) -> None:
    """After a rotation older tokens still verify, new ones carry the new key, and the old one retires in time."""
    from au_sys_identity.adapters.crypto.signing_keys import SigningKeys

    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    keys = await app.platform.container.get(SigningKeys)
    before = (await keys.active())[0].kid
    await keys.rotate()
    assert (await keys.active())[0].kid == before
    await keys.rotate(now_active=True)
    after = (await keys.active())[0].kid
    assert after != before
    assert (await client.get("/users/me", headers=admin)).status_code == 200
    assert (await sign_in(client, "admin@example.org", ADMIN)).keys() == {"authorization"}
    assert {key["kid"] for key in (await client.get("/.well-known/jwks.json")).json()["keys"]} == {before, after}
    keys._clock = lambda: datetime.now(UTC) + timedelta(minutes=21)
    await keys.rotate()
    assert {key["kid"] for key in (await client.get("/.well-known/jwks.json")).json()["keys"]} == {after}
