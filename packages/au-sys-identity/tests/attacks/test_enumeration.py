"""Wording, status and cost reveal nothing about which accounts exist."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from httpx import AsyncClient, Response

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"


def _shape(answer: Response) -> tuple[int, str, list[tuple[str, str]]]:
    """An answer without what differs in every request."""
    body = re.sub(r"[0-9a-f]{32}", "", answer.text)
    varying = {"date", "x-request-id", "x-correlation-id", "content-length"}
    return answer.status_code, body, sorted((k, v) for k, v in answer.headers.items() if k not in varying)


@pytest.fixture
async def ann(client: AsyncClient) -> AsyncClient:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    return client


async def test_registering_a_known_address(ann: AsyncClient) -> None:
    """New and known get the same status, body and headers; a weak password is refused alike."""
    for password in (PASSWORD, "short"):
        answers = [
            await ann.post("/auth/register", json={"email": email, "password": password})
            for email in ("ann@example.org", "new@example.org")
        ]
        assert _shape(answers[0]) == _shape(answers[1])


async def test_registering_a_known_address_changes_nothing(ann: AsyncClient) -> None:
    """The owner's password and name stay."""
    await ann.post("/auth/register", json={"email": "ann@example.org", "password": "another fine sentence"})
    old = await ann.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
    new = await ann.post("/auth/jwt/login", json={"email": "ann@example.org", "password": "another fine sentence"})
    assert (old.status_code, new.status_code) == (200, 401)


async def test_failed_sign_ins_look_alike(ann: AsyncClient) -> None:
    """Unknown, wrong, malformed and over-long attempts get the same answer."""
    attempts = [
        {"email": "ann@example.org", "password": "wrong"},
        {"email": "nobody@example.org", "password": "wrong"},
        {"email": "not an address", "password": "wrong"},
        {"email": "ann@example.org", "password": "x" * 2000},
        {"email": "nobody@example.org", "password": "x" * 2000},
    ]
    shapes = [_shape(await ann.post("/auth/jwt/login", json=attempt)) for attempt in attempts]
    assert shapes == [shapes[0]] * len(shapes)


async def test_blocked_addresses_look_alike(ann: AsyncClient) -> None:
    """The waiting begins after as many tries, and for as long, whether the account exists or not."""
    shapes = []
    for email in ("ann@example.org", "nobody@example.org"):
        tries = [await ann.post("/auth/jwt/login", json={"email": email, "password": "wrong"}) for _ in range(7)]
        shapes.append([answer.status_code for answer in tries])
    assert shapes[0] == shapes[1] == [401] * 5 + [429] * 2


async def test_an_unverified_account_looks_like_none(start: Start) -> None:
    """Where addresses must be verified, the right password of an unverified account gets the one answer."""
    async with start(registration_verify="required") as client:
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        known = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
        unknown = await client.post("/auth/jwt/login", json={"email": "nobody@example.org", "password": PASSWORD})
    assert _shape(known) == _shape(unknown)
