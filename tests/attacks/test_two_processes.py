"""Attack 42: of everything that counts once, two processes on one database let exactly one through."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest
from tests.attacks.agents import key_of_a_grandchild, seconds_until
from tests.attacks.running_platform import (
    EMAIL,
    PASSWORD,
    Person,
    RunningPlatform,
    create_admin,
    environment_of,
    free_port,
    serving,
)
from tests.attacks.test_credentials import enrolled

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from fastapi_services_platform.testing.postgres import postgres_server

_BOOTSTRAP = "the bootstrap token of two processes"
_ONLY_IDENTITY = "capabilities:\n  storage: { enabled: false }\n  skriptoteket: { enabled: false }\n"


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)],
    ids=["sqlite", "postgres"],
)
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningPlatform]]:
    """Two server processes with identity on one database."""
    folder: Path = tmp_path_factory.mktemp("nodes")
    (folder / "data").mkdir()
    (folder / "config").mkdir()
    (folder / "config" / "router_factory_features.yaml").write_text(_ONLY_IDENTITY)
    with ExitStack() as stack:
        settings = {"FSP_CONFIG_DIR": str(folder / "config"), "IDENTITY_STEP_UP_MAX_AGE": "3600"}
        if request.param == "postgres":
            settings["FSP_DATABASE_URL"] = stack.enter_context(postgres_server()).database("nodes")
        ports = [free_port(), free_port()]
        settings["FSP_PUBLIC_URL"] = f"http://127.0.0.1:{ports[0]}"  # one platform, one address
        settings["IDENTITY_BOOTSTRAP_TOKEN"] = _BOOTSTRAP
        both = [
            stack.enter_context(serving(folder, port, environment_of(folder, port, **settings), f"{port}-"))
            for port in ports
        ]
        claim = {"email": EMAIL, "password": PASSWORD, "bootstrap_token": _BOOTSTRAP}
        assert at_once(both, "/auth/register", claim, times=8) == [201] + [403] * 7  # the first administrator, once
        yield both


@pytest.fixture
def person(nodes: list[RunningPlatform]) -> Iterator[Person]:
    """Somebody new on the first node."""
    with nodes[0].person() as person:
        yield person


def at_once(nodes: list[RunningPlatform], path: str, body: object, times: int = 6, **headers: str) -> list[int]:
    """The statuses of the same request to both nodes, many at the same time, in order."""

    def ask(number: int) -> int:
        return httpx.post(f"{nodes[number % 2].url}{path}", json=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(ask, range(times)))


def challenges(nodes: list[RunningPlatform], person: Person) -> list[str]:
    """A second step on each node."""
    return [node.sign_in(person.email, person.password).json()["mfa_token"] for node in nodes]


def test_a_code_counts_on_one_node(nodes: list[RunningPlatform], person: Person) -> None:
    """The same TOTP code on both nodes, each with a challenge of its own: one gets in."""
    totp = enrolled(person)
    tokens, code = challenges(nodes, person), totp.at(time.time())

    def verify(number: int) -> int:
        body = {"mfa_token": tokens[number], "method": "totp", "code": code}
        return httpx.post(f"{nodes[number].url}/auth/mfa/verify", json=body, timeout=60).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(verify, range(2))) == [200, 401]


def test_a_recovery_code_counts_on_one_node(nodes: list[RunningPlatform], person: Person) -> None:
    """The same with a recovery code."""
    enrolled(person)
    code = person.client.headers["x-recovery"]
    tokens = challenges(nodes, person)

    def verify(number: int) -> int:
        body = {"mfa_token": tokens[number], "method": "recovery_code", "code": code}
        return httpx.post(f"{nodes[number].url}/auth/mfa/verify", json=body, timeout=60).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(verify, range(2))) == [200, 401]


def test_a_challenge_counts_its_tries_over_both_nodes(nodes: list[RunningPlatform], person: Person) -> None:
    """Five wrong tries, whichever node they go to, use a challenge up."""
    totp = enrolled(person)
    token = challenges(nodes, person)[0]
    wrong = {"mfa_token": token, "method": "totp", "code": "000000"}
    assert set(at_once(nodes, "/auth/mfa/verify", wrong, times=8)) <= {401, 429}
    late = {**wrong, "code": totp.at(time.time())}
    assert set(at_once(nodes, "/auth/mfa/verify", late, times=2)) <= {401, 429}


def letter(nodes: list[RunningPlatform], page: str, address: str) -> str:
    """The token in the link of the newest letter of a kind to somebody, once it is there."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        for file in sorted((nodes[0].folder / "data" / "outbox").glob("*.eml"), reverse=True):
            parsed = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = parsed.get_body(("plain",))
            found = re.search(rf"/{page}#token=(\S+)", str(body.get_content()) if body else "")
            if address in str(parsed["to"]) and found:
                return found.group(1)
        time.sleep(0.1)
    raise AssertionError(f"no letter for {page}")


def test_links_in_mails_count_on_one_node(nodes: list[RunningPlatform], person: Person) -> None:
    """A sign-in link and a reset link, each used eight times on both nodes: one of each counts."""
    address = {"email": person.email}
    flow = httpx.post(f"{nodes[0].url}/auth/magic-link/request", json=address, timeout=60).json()["flow_id"]
    body = {"token": letter(nodes, "magic", person.email), "flow_id": flow}
    assert at_once(nodes, "/auth/magic-link/login", body, times=8) == [200] + [400] * 7
    httpx.post(f"{nodes[1].url}/auth/forgot-password", json=address, timeout=60)
    body = {"token": letter(nodes, "reset-password", person.email), "password": "another nine otters here"}
    assert at_once(nodes, "/auth/reset-password", body, times=8) == [204] + [400] * 7


def test_a_passkey_answer_counts_on_one_node(nodes: list[RunningPlatform], person: Person) -> None:
    """The same attestation makes one passkey, and the same assertion one session, whichever node they go to."""
    device = SoftwareAuthenticator(nodes[0].url)
    made = device.create(person.client.post("/mfa/passkeys/options").json())
    bearer = {"authorization": str(person.client.headers["authorization"])}
    attestation = {"attestation": made, "name": "Phone"}
    assert at_once(nodes, "/mfa/passkeys", attestation, times=6, **bearer).count(201) == 1
    assert len(person.client.get("/mfa/passkeys").json()["items"]) == 1
    with httpx.Client(base_url=nodes[0].url, timeout=60) as browser:
        assertion = device.get(browser.post("/auth/passkeys/options", json={}).json())
        flow = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    body = {"assertion": assertion}
    assert at_once(nodes, "/auth/passkeys/login", body, times=8, **flow) == [200] + [401] * 7


def test_a_refresh_leaves_one_head(nodes: list[RunningPlatform], person: Person) -> None:
    """Both nodes answer every refresh of one client, and give the same successor."""
    tokens = nodes[0].sign_in(person.email, person.password, client_instance="tab-holder").json()
    body = {"refresh_token": tokens["refresh_token"], "client_instance": "tab-holder"}

    def refresh(number: int) -> httpx.Response:
        return httpx.post(f"{nodes[number % 2].url}/auth/jwt/refresh", json=body, timeout=60)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(refresh, range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_a_key_is_rotated_on_one_node(nodes: list[RunningPlatform]) -> None:
    """Of eight rotations at once one succeeds."""
    with nodes[0].client() as admin:
        machine = admin.post("/iam/service-accounts", json={"name": "Robot", "purpose": "x"}).json()["id"]
        key = admin.post(
            f"/iam/service-accounts/{machine}/keys", json={"name": "x", "scopes": ["identity.users.read"]}
        ).json()
    path = f"/iam/service-accounts/{machine}/rotate/{key['id']}"
    assert at_once(nodes, path, {}, times=8, **{"x-api-key": key["secret"]}) == [201] + [409] * 7


def test_disabling_reaches_the_other_node(nodes: list[RunningPlatform], person: Person) -> None:
    """A person who is switched off on one node is refused on the other within a second."""
    bearer = dict(person.client.headers)
    there = httpx.Client(base_url=nodes[1].url, headers={"authorization": bearer["authorization"]}, timeout=60)
    with there, nodes[0].client() as admin:
        assert there.get("/users/me").status_code == 200
        assert admin.patch(f"/users/{person.id}", json={"is_active": False}).status_code == 200
        switched = time.monotonic()
        while there.get("/users/me").status_code == 200:
            assert time.monotonic() - switched < 30
        refused_after = time.monotonic() - switched
    assert refused_after < 30


def test_an_agent_two_levels_down_stops_with_its_human(nodes: list[RunningPlatform], person: Person) -> None:
    """Attack 31: on the other node, with a key that was made before; back with her, it goes on."""
    with nodes[0].client() as admin:
        key = key_of_a_grandchild(admin, f"urn:au:user:{person.id}")
        with httpx.Client(base_url=nodes[1].url, headers=key, timeout=60) as agent:
            seconds_until(agent, 200)
            admin.patch(f"/users/{person.id}", json={"is_active": False}).raise_for_status()
            seconds_until(agent, 403)
            assert agent.get("/users").json()["type"].endswith("/no-custodian")
            admin.patch(f"/users/{person.id}", json={"is_active": True}).raise_for_status()
            seconds_until(agent, 200)


def test_counters_survive_a_restart(tmp_path: Path) -> None:
    """Attack 7: guesses made before a restart still count after it."""
    port = free_port()
    environment = environment_of(tmp_path, port)
    (tmp_path / "data").mkdir()
    create_admin(environment)
    with serving(tmp_path, port, environment) as before:
        answers = [before.sign_in("victim@example.org", f"guess {number}").status_code for number in range(7)]
    assert answers[-1] == 429
    with sqlite3.connect(tmp_path / "data" / "identity.db") as database:
        database.execute("UPDATE guess_counters SET blocked_until = datetime('now', '+1 hour')")
    with serving(tmp_path, port, environment, "again-") as after:
        assert after.sign_in("victim@example.org", "guess 8").status_code == 429
