"""Volume limits of one network, on two processes with one Redis, and nobody locked out by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from tests.attacks.running_platform import (
    EMAIL,
    PASSWORD,
    RunningPlatform,
    create_admin,
    environment_of,
    free_port,
    serving,
)

from fastapi_services_platform.testing.redis import redis_server

_ONLY_IDENTITY = "capabilities:\n  storage: { enabled: false }\n  skriptoteket: { enabled: false }\n"
SIGN_INS, LETTERS, OTHERS = 6, 4, 40
pytestmark = pytest.mark.needs_redis


@dataclass(frozen=True)
class Pair:
    """Two processes on one database and one Redis, and a browser that the administrator signed in with before."""

    one: RunningPlatform
    other: RunningPlatform
    known: httpx.Cookies


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("volume") / "platform"
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "config" / "router_factory_features.yaml").write_text(_ONLY_IDENTITY)
    first, second = free_port(), free_port()
    with redis_server() as redis:
        environment = environment_of(
            folder,
            first,
            FSP_CONFIG_DIR=str(folder / "config"),
            IDENTITY_REDIS_URL=redis,
            IDENTITY_RATE_SIGN_IN=f"{SIGN_INS}/hour",
            IDENTITY_RATE_MAIL=f"{LETTERS}/hour",
            IDENTITY_RATE_DEFAULT=f"{OTHERS}/hour",
            IDENTITY_GUESS_LIMIT="100",
        )
        create_admin(environment)
        with (
            serving(folder, first, environment, "one") as one,
            serving(folder, second, environment, "two") as other,
            httpx.Client(base_url=one.url, timeout=60) as browser,
        ):
            page = browser.get("/login").text
            form = {"csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0]}
            landed = browser.post("/login", data={**form, "email": EMAIL, "password": PASSWORD})
            assert landed.status_code == 303
            device = httpx.Cookies({"identity_device": browser.cookies["identity_device"]})
            yield Pair(one, other, device)


def test_sign_ins_of_one_network_are_limited_on_both_nodes(pair: Pair) -> None:
    """One was the administrator's; the rest of the limit is shared, and what is beyond waits, whoever is asked for."""
    answers = [
        node.sign_in(f"{uuid4().hex}@example.org", "wrong wrong wrong")
        for _ in range(SIGN_INS)
        for node in (pair.one, pair.other)
    ]
    codes = [answer.status_code for answer in answers]
    assert codes == [401] * (SIGN_INS - 1) + [429] * (SIGN_INS + 1)
    for answer in answers[SIGN_INS:]:
        assert answer.json()["type"].endswith("/problems/identity/too-many-requests")
        assert int(answer.headers["retry-after"]) > 0
    assert pair.other.sign_in(EMAIL, PASSWORD).status_code == 429


def test_a_device_that_the_account_knows_is_let_in(pair: Pair) -> None:
    """The victim's own browser signs in although the network is beyond its limit; another account's does not."""
    for node in (pair.one, pair.other):
        with httpx.Client(base_url=node.url, timeout=60, cookies=pair.known) as browser:
            body = {"email": EMAIL, "password": PASSWORD}
            assert browser.post("/auth/jwt/login", json=body).status_code == 200
            stranger = {"email": "somebody@example.org", "password": PASSWORD}
            assert browser.post("/auth/jwt/login", json=stranger).status_code == 429


def test_letters_are_limited_alike_for_known_and_unknown_addresses(pair: Pair) -> None:
    """No oracle: the same answers in the same order, until the network has had its share."""
    paths = ("/auth/forgot-password", "/auth/request-verify-token", "/auth/magic-link/request", "/auth/register")
    codes = []
    for number in range(LETTERS + 2):
        address = EMAIL if number % 2 else f"{uuid4().hex}@example.org"
        body = {"email": address, "password": "nine otters under the pier"}
        path = paths[number % len(paths)]
        node = (pair.one, pair.other)[number // 2 % 2]
        codes.append(
            httpx.post(
                f"{node.url}{path}", json=body if path.endswith("register") else {"email": address}, timeout=60
            ).status_code
        )
    assert codes == [202] * LETTERS + [429] * 2


def test_everything_else_of_nobody_is_limited_and_nothing_of_somebody(pair: Pair) -> None:
    """Strangers share the limit of their network; who is signed in is not counted in it."""
    with httpx.Client(base_url=pair.one.url, timeout=60, cookies=pair.known) as browser:
        body = {"email": EMAIL, "password": PASSWORD}
        token = browser.post("/auth/jwt/login", json=body).json()["access_token"]
    codes = [httpx.get(f"{pair.other.url}/auth/providers", timeout=60).status_code for _ in range(OTHERS + 1)]
    assert codes[-1] == 429
    bearer = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=pair.other.url, timeout=60, headers=bearer) as client:
        assert {client.get("/users/me").status_code for _ in range(OTHERS + 1)} == {200}
