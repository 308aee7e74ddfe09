"""Refresh tokens in cookies, and browsers that are known, over HTTP."""

import asyncio

import pytest
from httpx import AsyncClient, Response

PASSWORD = "correct horse battery staple"
LOGIN = {"email": "ann@example.org", "password": PASSWORD, "transport": "cookie"}


@pytest.fixture
async def ann(client: AsyncClient) -> AsyncClient:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    return client


async def sign_in(client: AsyncClient) -> dict[str, str]:
    """Sign in with cookies: the header for what follows."""
    answer = await client.post("/auth/jwt/login", json=LOGIN)
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def cookie(answer: Response, name: str) -> str:
    """The attributes of a cookie that an answer sets."""
    return next(value for value in answer.headers.get_list("set-cookie") if value.startswith(name))


async def test_the_refresh_token_stays_in_a_cookie(ann: AsyncClient) -> None:
    """It is in no body and no script can read it; every answer sets the head, and a refusal no cookie at all."""
    answer = await ann.post("/auth/jwt/login", json=LOGIN)
    assert "refresh_token" not in answer.json()
    kept = cookie(answer, "identity_refresh")
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    refreshed = await ann.post("/auth/jwt/refresh")
    assert (refreshed.status_code, "refresh_token" in refreshed.json()) == (200, False)
    assert cookie(refreshed, "identity_refresh").split(";")[0] != kept.split(";")[0]
    ann.cookies.set("identity_refresh", "made up", domain="platform.test")
    refused = await ann.post("/auth/jwt/refresh")
    assert (refused.status_code, refused.headers.get_list("set-cookie")) == (401, [])
    ann.cookies.clear()
    assert (await ann.post("/auth/jwt/refresh")).status_code == 401


async def test_tabs_with_cookies_refresh_at_once(ann: AsyncClient) -> None:
    """Ten at once are all answered with the same head, and the jar goes on working."""
    await sign_in(ann)
    answers = await asyncio.gather(*(ann.post("/auth/jwt/refresh") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({cookie(answer, "identity_refresh").split(";")[0] for answer in answers}) == 1
    assert (await ann.post("/auth/jwt/refresh")).status_code == 200


async def test_a_stolen_cookie_is_of_no_use_elsewhere(ann: AsyncClient) -> None:
    """Without the device cookie the family dies."""
    await sign_in(ann)
    stolen = ann.cookies["identity_refresh"]
    ann.cookies.clear()
    assert (await ann.post("/auth/jwt/refresh", json={"refresh_token": stolen})).status_code == 401


async def test_another_site_cannot_refresh(ann: AsyncClient) -> None:
    """A request that another site caused is refused before it is looked at."""
    await sign_in(ann)
    answer = await ann.post("/auth/jwt/refresh", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


async def test_signing_out_takes_the_cookie(ann: AsyncClient) -> None:
    """Afterwards there is nothing to refresh with."""
    headers = await sign_in(ann)
    assert (await ann.post("/auth/jwt/logout", headers=headers)).status_code == 204
    assert "identity_refresh" not in ann.cookies
    assert (await ann.post("/auth/jwt/refresh")).status_code == 401


async def test_a_device_is_forgotten_with_its_sessions(ann: AsyncClient) -> None:
    """Two browsers are known; forgetting one ends what it was signed in to, and nothing else."""
    first = await sign_in(ann)
    ann.cookies.clear()
    second = await sign_in(ann)
    items = (await ann.get("/auth/devices", headers=second)).json()["items"]
    assert sorted(item["current"] for item in items) == [False, True]
    other = next(item["id"] for item in items if not item["current"])
    assert (await ann.delete(f"/auth/devices/{other}", headers=second)).status_code == 204
    assert (await ann.get("/users/me", headers=first)).status_code == 401
    assert (await ann.get("/users/me", headers=second)).status_code == 200
    assert len((await ann.get("/auth/devices", headers=second)).json()["items"]) == 1
    assert (await ann.delete(f"/auth/devices/{other}", headers=second)).status_code == 404


async def test_another_persons_device_is_not_found(ann: AsyncClient) -> None:
    """Devices are their owner's."""
    headers = await sign_in(ann)
    (mine,) = (await ann.get("/auth/devices", headers=headers)).json()["items"]
    ann.cookies.clear()
    await ann.post("/auth/register", json={"email": "bob@example.org", "password": PASSWORD})
    answer = await ann.post("/auth/jwt/login", json={"email": "bob@example.org", "password": PASSWORD})
    bob = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await ann.delete(f"/auth/devices/{mine['id']}", headers=bob)).status_code == 404
    assert (await ann.get("/auth/devices", headers=bob)).json()["items"] == []
