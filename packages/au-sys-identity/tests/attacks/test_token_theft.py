"""Replayed, forged, stolen and raced tokens."""

import asyncio
import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response
from joserfc import jws, jwt

from fastapi_services_platform import Authenticator

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
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


BENT: tuple[dict[str, object], ...] = (
    {"iss": "https://evil.example"},
    {"aud": "https://evil.example"},
    {"aud": ["http://platform.test", "x"]},
    {"exp": None},
    {"exp": "never"},
    {"exp": 10**17},
    {"exp": True},
    {"iat": None},
    {"iat": 10**10},
    {"nbf": 10**10},
    {"nbf": "now"},
    {"sub": None},
    {"sub": "urn:au:user:00000000-0000-7000-8000-000000000000"},
    {"sid": "nothing"},
    {"sid": "00000000-0000-7000-8000-000000000000"},
    {"epoch": 99},
    {"act": {"sub": "urn:au:agent:00000000-0000-7000-8000-000000000000"}},
)
PAYLOADS = ('{"iss":"a","iss":"b"}', "[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000, "null", '"x"', "")


async def test_our_own_signature_is_not_enough(client: AsyncClient) -> None:
    """Attack 10: signed with the platform's key, and still not for us, not now, about nobody, or no claims at all:
    duplicate keys, nested bombs, no object.
    """
    token = (await signed_in(client))["access_token"]
    _, key = await _keys(client).active()
    header, sound = _part(token, 0), _part(token, 1)
    algorithms = [str(header["alg"])]

    async def status(presented: str) -> int:
        return (await client.get("/users/me", headers={"authorization": f"Bearer {presented}"})).status_code

    assert await status(jwt.encode(header, sound, key, algorithms=algorithms)) == 200
    for changes in BENT:
        claims = {name: value for name, value in {**sound, **changes}.items() if value is not None}
        assert (changes, await status(jwt.encode(header, claims, key, algorithms=algorithms))) == (changes, 401)
    for payload in PAYLOADS:
        bent = jws.serialize_compact(header, payload.encode(), key, algorithms=algorithms)
        assert await status(bent) in (400, 401, 431)


def _keys(client: AsyncClient) -> Any:  # Any: the wiring behind the testing kit's transport
    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    return app.platform.inventory.find("identity").capability._wiring.keys


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
    tokens = await signed_in(client)
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/users/me", headers=headers)).status_code == 200
    await _later(client, monkeypatch, timedelta(minutes=11))
    answer = await client.get("/users/me", headers=headers)
    assert (answer.status_code, _slug(answer)) == (401, "token-expired")


async def test_an_expired_key_opens_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack 33: after its end a key is worth nothing."""
    bootstrap = "the bootstrap token of an expired key"
    async with start(bootstrap_token=bootstrap) as client:
        ann = {"email": "ann@example.org", "password": PASSWORD}
        assert (await client.post("/auth/register", json={**ann, "bootstrap_token": bootstrap})).status_code == 201
        headers = {"authorization": f"Bearer {(await signed_in(client))['access_token']}"}
        wanted = {"name": "Robot", "scopes": ["identity.users.read"], "expires_in": 86_400}
        made = await client.post("/auth/api-keys/", headers=headers, json=wanted)
        key = {"x-api-key": made.json()["secret"]}
        assert (await client.get("/users", headers=key)).status_code == 200
        await _later(client, monkeypatch, timedelta(days=1, minutes=1))
        assert (await client.get("/users", headers=key)).status_code == 401


async def _later(client: AsyncClient, monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    """Let what checks credentials believe that so much time has passed."""
    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    verification = (await app.platform.container.get(Authenticator))._verification
    monkeypatch.setattr(verification, "_clock", lambda: datetime.now(UTC) + span)


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


async def test_a_replayed_token_ends_the_family_and_its_owner_is_told_once(start: Start, tmp_path: Path) -> None:
    """Attack 11: after the grace a replaced token is stolen; the access token dies too, one event, one letter."""
    async with start(refresh_grace=0) as client:
        tokens = await signed_in(client)
        first = {"refresh_token": tokens["refresh_token"]}
        fresh = (await client.post("/auth/jwt/refresh", json=first)).json()
        answers = await asyncio.gather(*(client.post("/auth/jwt/refresh", json=first) for _ in range(5)))
        assert {(answer.status_code, _slug(answer)) for answer in answers} == {(401, "session-ended")}
        late = await client.post("/auth/jwt/refresh", json={"refresh_token": fresh["refresh_token"]})
        assert (late.status_code, _slug(late)) == (401, "session-ended")
        headers = {"authorization": f"Bearer {fresh['access_token']}"}
        assert (await client.get("/users/me", headers=headers)).status_code == 401
    with sqlite3.connect(tmp_path / "identity.db") as database:
        events = [json.loads(body)["action"] for (body,) in database.execute("SELECT body FROM audit_events")]
        letters = database.execute("SELECT count(*) FROM outbox WHERE kind = 'session-stolen'").fetchone()
    assert (events.count("session.stolen"), letters) == (1, (1,))


async def test_a_refresh_asks_for_nothing_more(client: AsyncClient) -> None:
    """Attack 11: a wider scope, or any other member, is refused; the family lives on."""
    body = {"refresh_token": (await signed_in(client))["refresh_token"]}
    assert (await client.post("/auth/jwt/refresh", json={**body, "scope": "identity.*"})).status_code == 422
    assert (await client.post("/auth/jwt/refresh", json=body)).status_code == 200


async def test_nothing_refreshes_after_a_new_password(client: AsyncClient) -> None:
    """Attack 11: the change ends every family at once."""
    tokens = await signed_in(client)
    changed = await client.patch(
        "/users/me",
        headers={"authorization": f"Bearer {tokens['access_token']}"},
        json={"current_password": PASSWORD, "password": "another fine sentence"},
    )
    assert changed.status_code == 200
    late = await client.post("/auth/jwt/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (late.status_code, _slug(late)) == (401, "session-ended")


async def test_a_family_outlives_a_restart(start: Start) -> None:
    """Attack 11: the head and the answer to its predecessor are the same after it; nothing lives in memory only."""
    async with start() as client:
        body = {"refresh_token": (await signed_in(client))["refresh_token"]}
        before = (await client.post("/auth/jwt/refresh", json=body)).json()["refresh_token"]
    async with start() as client:
        answers = [
            await client.post("/auth/jwt/refresh", json={"refresh_token": token})
            for token in (body["refresh_token"], before)
        ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.json()["refresh_token"] for answer in answers} == {before}


def _slug(answer: Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]
