"""Sign-in, refresh and sign-out over HTTP."""

import pytest
from httpx import AsyncClient

PASSWORD = "correct horse battery staple"


async def register(client: AsyncClient, email: str = "ann@example.org") -> None:
    """An account that can sign in."""
    answer = await client.post("/auth/register", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 202


async def login(client: AsyncClient, email: str = "ann@example.org") -> dict[str, str]:
    """Tokens of a program."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200
    tokens: dict[str, str] = answer.json()
    return tokens


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    """The header that carries an access token."""
    return {"authorization": f"Bearer {tokens['access_token']}"}


@pytest.mark.parametrize("how", ["form", "json"])
async def test_login_takes_a_form_and_json(client: AsyncClient, how: str) -> None:
    """Both give the same answer, which is never stored by caches."""
    await register(client)
    if how == "form":
        answer = await client.post("/auth/jwt/login", data={"username": "ann@example.org", "password": PASSWORD})
    else:
        answer = await client.post("/auth/jwt/login", json={"email": "ANN@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {
        "access_token", "token_type", "expires_in", "refresh_token", "session_id", "strength", "must_change_password",
    }  # fmt: skip
    assert (body["token_type"], body["strength"]) == ("Bearer", "password")
    assert 0 < body["expires_in"] <= 600
    assert "no-store" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "body", "status", "slug"),
    [
        ("text/plain", b'{"email": "a"}', 415, "identity/unsupported-media-type"),
        ("application/json", b"{", 422, "identity/invalid-input"),
        ("application/json", b"[]", 422, "identity/invalid-input"),
        ("application/json", b'{"email": "a@example.org"}', 422, "identity/invalid-input"),
        ("application/json", b'{"email": 1, "password": "x"}', 422, "identity/invalid-input"),
        ("application/json", b'{"email": "a@example.org", "password": "x", "more": 1}', 422, "identity/invalid-input"),
        ("application/json", b"[" * 5000, 422, "identity/invalid-input"),
        ("application/x-www-form-urlencoded", b"username=a", 422, "identity/invalid-input"),
    ],
)
async def test_login_says_what_is_wrong_with_the_request(
    client: AsyncClient, content_type: str, body: bytes, status: int, slug: str
) -> None:
    """Bad requests are told apart from bad credentials, and never end in a 5xx."""
    answer = await client.post("/auth/jwt/login", content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (status, f"http://platform.test/problems/{slug}")


async def test_who_am_i(client: AsyncClient) -> None:
    """The access token leads to the account."""
    await register(client)
    tokens = await login(client)
    answer = await client.get("/users/me", headers=bearer(tokens))
    assert answer.status_code == 200
    assert answer.json()["email"] == "ann@example.org"
    assert answer.json()["urn"] == f"urn:au:user:{answer.json()['id']}"
    assert (await client.get("/users/me")).status_code == 401


async def test_refresh_keeps_the_session(client: AsyncClient) -> None:
    """A refresh gives a new access token for the same session, and the next refresh token."""
    await register(client)
    tokens = await login(client)
    answer = await client.post("/auth/jwt/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 200
    assert answer.json()["session_id"] == tokens["session_id"]
    assert answer.json()["refresh_token"] != tokens["refresh_token"]
    assert (await client.get("/users/me", headers=bearer(answer.json()))).status_code == 200
    bad = await client.post("/auth/jwt/refresh", json={"refresh_token": "made up"})
    assert (bad.status_code, bad.json()["type"]) == (401, "http://platform.test/problems/identity/session-ended")


async def test_logout_kills_the_access_token_at_once(client: AsyncClient) -> None:
    """After logout neither the access nor the refresh token is worth anything; other sessions live on."""
    await register(client)
    tokens, other = await login(client), await login(client)
    assert (await client.post("/auth/jwt/logout", headers=bearer(tokens))).status_code == 204
    assert (await client.get("/users/me", headers=bearer(tokens))).status_code == 401
    refused = await client.post("/auth/jwt/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refused.status_code == 401
    assert (await client.get("/users/me", headers=bearer(other))).status_code == 200


async def test_logout_everywhere(client: AsyncClient) -> None:
    """``everywhere`` ends every session of the account and of nobody else."""
    await register(client)
    await register(client, "bob@example.org")
    tokens, other, bob = await login(client), await login(client), await login(client, "bob@example.org")
    await client.post("/auth/jwt/logout", headers=bearer(tokens), json={"everywhere": True})
    assert (await client.get("/users/me", headers=bearer(other))).status_code == 401
    assert (await client.get("/users/me", headers=bearer(bob))).status_code == 200


async def test_sessions_are_listed_named_and_ended(client: AsyncClient) -> None:
    """The list marks the current one; another one can be named and ended; a stranger's is unknown."""
    await register(client)
    await register(client, "bob@example.org")
    tokens, other, bob = await login(client), await login(client), await login(client, "bob@example.org")
    items = (await client.get("/auth/sessions", headers=bearer(tokens))).json()["items"]
    assert {item["id"]: item["current"] for item in items} == {tokens["session_id"]: True, other["session_id"]: False}
    path = f"/auth/sessions/{other['session_id']}"
    named = await client.patch(path, headers=bearer(tokens), json={"label": "The kitchen"})
    assert named.json()["label"] == "The kitchen"
    assert (await client.delete(path, headers=bearer(bob))).status_code == 404
    assert (await client.patch(path, headers=bearer(bob), json={"label": "mine"})).status_code == 404
    assert (await client.delete(path, headers=bearer(tokens))).status_code == 204
    assert (await client.delete(path, headers=bearer(tokens))).status_code == 404
    assert (await client.get("/users/me", headers=bearer(other))).status_code == 401


async def test_all_other_sessions_end(client: AsyncClient) -> None:
    """Ending the others keeps this one."""
    await register(client)
    tokens, other = await login(client), await login(client)
    assert (await client.delete("/auth/sessions", headers=bearer(tokens))).status_code == 204
    assert (await client.get("/users/me", headers=bearer(other))).status_code == 401
    assert (await client.get("/users/me", headers=bearer(tokens))).status_code == 200
