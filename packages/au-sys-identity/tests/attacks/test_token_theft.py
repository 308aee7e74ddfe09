"""Replayed, forged, stolen and raced tokens."""

import asyncio
import base64
import json
from collections.abc import Callable

import pytest
from httpx import AsyncClient

PASSWORD = "correct horse battery staple"


async def signed_in(client: AsyncClient, **more: str) -> dict[str, str]:
    """Tokens of a new person."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    answer = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD, **more})
    tokens: dict[str, str] = answer.json()
    return tokens


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _part(token: str, index: int) -> dict[str, object]:
    text = token.split(".")[index]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def _header(**changes: object) -> Callable[[str], str]:
    def change(token: str) -> str:
        _, payload, signature = token.split(".")
        return f"{_encoded({**_part(token, 0), **changes})}.{payload}.{signature}"

    return change


def _claims(**changes: object) -> Callable[[str], str]:
    def change(token: str) -> str:
        header, _, signature = token.split(".")
        return f"{header}.{_encoded({**_part(token, 1), **changes})}.{signature}"

    return change


def _none(token: str) -> str:
    header = {**_part(token, 0), "alg": "none"}
    return f"{_encoded(header)}.{token.split('.')[1]}."


def _hmac_with_public_key(token: str) -> str:
    return _header(alg="HS256")(token)


@pytest.mark.parametrize(
    "forge",
    [
        _none,
        _hmac_with_public_key,
        _header(typ="JWT"),
        _header(kid="../../etc/passwd"),
        _header(kid="unknown"),
        _header(kid=["a"]),
        _header(jwk={"kty": "EC"}),
        _header(jku="https://evil.example/jwks"),
        _header(x5u="https://evil.example/x"),
        _header(crit=["exp"]),
        _claims(sub="urn:au:user:00000000-0000-7000-8000-000000000000"),
        _claims(exp=99999999999),
        _claims(epoch=99),
        _claims(iss="https://evil.example"),
        lambda token: token[:-4] + "AAAA",
        lambda token: token + "x" * 70_000,
        lambda token: token.replace(".", ""),
        lambda _token: "....",
        lambda _token: "é",
        lambda token: _encoded([[[[]]]]) + token[token.index(".") :],
    ],
)
async def test_forged_access_tokens_are_refused(client: AsyncClient, forge: Callable[[str], str]) -> None:
    """Tampered header, claims or signature, foreign algorithms and key tricks end in the same 401 or 400."""
    forged = forge((await signed_in(client))["access_token"])
    answer = await client.get("/users/me", headers=[(b"authorization", b"Bearer " + forged.encode())])
    assert answer.status_code in (400, 401, 431)
    assert "ann@example.org" not in answer.text


async def test_a_refresh_token_is_no_access_token(client: AsyncClient) -> None:
    """Each kind of credential works in its own place only."""
    tokens = await signed_in(client)
    wrong = {"authorization": f"Bearer {tokens['refresh_token']}"}
    assert (await client.get("/users/me", headers=wrong)).status_code == 401
    client.cookies.set("identity_session", tokens["refresh_token"], domain="platform.test")
    assert (await client.get("/users/me")).status_code == 401
    client.cookies.set("identity_session", tokens["access_token"], domain="platform.test")
    assert (await client.get("/users/me")).status_code == 401
    client.cookies.clear()
    answer = await client.post("/auth/jwt/refresh", json={"refresh_token": tokens["access_token"]})
    assert answer.status_code == 422 or answer.json()["type"].endswith("session-ended")


async def test_two_credentials_are_one_too_many(client: AsyncClient) -> None:
    """Which one counts is never guessed."""
    token = (await signed_in(client))["access_token"]
    two = [("authorization", f"Bearer {token}"), ("x-api-key", "au_live_x")]
    answer = await client.get("/users/me", headers=two)
    assert answer.status_code == 400


async def test_an_expired_token_is_told_from_a_bad_one(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client learns that refreshing helps, even when the signature was verified a moment ago."""
    from datetime import UTC, datetime, timedelta

    from au_sys_identity.core.tokens.verification import Verification
    from fastapi_services_platform import Authenticator

    tokens = await signed_in(client)
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/users/me", headers=headers)).status_code == 200
    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    authenticator = await app.platform.container.get(Authenticator)
    verification: Verification = authenticator._verification
    monkeypatch.setattr(verification, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=11))
    answer = await client.get("/users/me", headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "token-expired")


async def test_fifty_refreshes_at_once_leave_one_family(client: AsyncClient) -> None:
    """All are answered with the same successor, which works."""
    tokens = await signed_in(client)
    body = {"refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(client.post("/auth/jwt/refresh", json=body) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    again = await client.post("/auth/jwt/refresh", json={"refresh_token": successors.pop()})
    assert again.status_code == 200


async def test_a_stolen_refresh_token_is_of_no_use_elsewhere(client: AsyncClient) -> None:
    """Bound to its client it works nowhere else; trying ends the session, and the access token with it."""
    tokens = await signed_in(client, client_instance="phone-1")
    stolen = {"refresh_token": tokens["refresh_token"], "client_instance": "laptop-2"}
    assert (await client.post("/auth/jwt/refresh", json=stolen)).status_code == 401
    owner = {"refresh_token": tokens["refresh_token"], "client_instance": "phone-1"}
    assert (await client.post("/auth/jwt/refresh", json=owner)).status_code == 401
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/users/me", headers=headers)).status_code == 401


async def test_refresh_during_logout_revives_nothing(client: AsyncClient) -> None:
    """Refreshes in flight while the session ends leave nothing alive behind them."""
    tokens = await signed_in(client)
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    body = {"refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(
        *(client.post("/auth/jwt/refresh", json=body) for _ in range(5)),
        client.post("/auth/jwt/logout", headers=headers),
        *(client.post("/auth/jwt/refresh", json=body) for _ in range(5)),
    )
    for answer in answers:
        if answer.status_code == 200:
            fresh = {"authorization": f"Bearer {answer.json()['access_token']}"}
            assert (await client.get("/users/me", headers=fresh)).status_code == 401
            late = {"refresh_token": answer.json()["refresh_token"]}
            assert (await client.post("/auth/jwt/refresh", json=late)).status_code == 401
