"""Introspection and revocation over HTTP."""

from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
DEAD = {"active": False}


async def tokens(client: AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    """The tokens of a new session."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": password})
    found: dict[str, str] = answer.json()
    return found


def bearer(found: dict[str, str]) -> dict[str, str]:
    """The header that an access token goes into."""
    return {"authorization": f"Bearer {found['access_token']}"}


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> dict[str, str]:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org"), ADMIN)
    return await tokens(client, "admin@example.org", ADMIN)


@pytest.fixture
async def ann(client: AsyncClient) -> dict[str, str]:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    return await tokens(client, "ann@example.org")


async def ask(client: AsyncClient, who: dict[str, str], token: str) -> dict[str, object]:
    """What the server says about a token."""
    answer = await client.post("/oauth/introspect", headers=bearer(who), data={"token": token})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found: dict[str, object] = answer.json()
    return found


async def test_whoever_may_introspect_learns_what_a_token_is_worth(
    client: AsyncClient, admin: dict[str, str], ann: dict[str, str]
) -> None:
    """Access tokens, refresh tokens and keys are active with subject and end; after sign-out they are not."""
    key = await client.post(
        "/auth/api-keys/", headers=bearer(admin), json={"name": "Robot", "scopes": ["identity.users.read"]}
    )
    about = [await ask(client, admin, value) for value in (ann["access_token"], ann["refresh_token"])]
    assert [(found["active"], found["token_use"], found["acr"]) for found in about] == [
        (True, "access_token", "password"),
        (True, "refresh_token", "password"),
    ]
    assert about[0]["sub"] == about[1]["sub"] == (await client.get("/users/me", headers=bearer(ann))).json()["urn"]
    of_key = await ask(client, admin, key.json()["secret"])
    assert (of_key["token_use"], of_key["scope"], "acr" in of_key) == ("api_key", "identity.users.read", False)
    await client.post("/auth/jwt/logout", headers=bearer(ann))
    assert [await ask(client, admin, value) for value in (ann["access_token"], ann["refresh_token"])] == [DEAD, DEAD]


async def test_others_learn_nothing(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """One's own token is told; somebody else's looks like a made-up one. Nobody asks without a credential."""
    assert (await ask(client, ann, ann["access_token"]))["active"] is True
    made_up = ("a.b.c", "nonsense", "au_live_" + "0" * 61, "é" * 10, "x" * 9000)
    assert [await ask(client, ann, token) for token in (admin["access_token"], admin["refresh_token"], *made_up)] == [
        DEAD
    ] * 7
    assert (await client.post("/oauth/introspect", data={"token": ann["access_token"]})).status_code == 401
    assert (await client.post("/oauth/introspect", headers=bearer(ann), data={})).status_code == 422


async def test_a_token_is_ended_by_its_owner(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """Revoking ends the whole session, or the key; an unknown or foreign token is answered alike and stays."""
    second = await tokens(client, "ann@example.org")
    for value in (second["access_token"], "nonsense", admin["access_token"]):
        answer = await client.post("/oauth/revoke", headers=bearer(ann), data={"token": value})
        assert (answer.status_code, answer.content) == (200, b"")
    assert (await client.get("/users/me", headers=bearer(second))).status_code == 401
    assert (await client.get("/users/me", headers=bearer(admin))).status_code == 200
    key = await client.post(
        "/auth/api-keys/", headers=bearer(admin), json={"name": "Robot", "scopes": ["identity.users.read"]}
    )
    await client.post("/oauth/revoke", headers=bearer(admin), data={"token": key.json()["secret"]})
    assert (await client.get("/users", headers={"x-api-key": key.json()["secret"]})).status_code == 401
    await client.post("/oauth/revoke", headers=bearer(admin), data={"token": ann["refresh_token"]})
    assert (await client.get("/users/me", headers=bearer(ann))).status_code == 401
