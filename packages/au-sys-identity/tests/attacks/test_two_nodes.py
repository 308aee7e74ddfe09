"""What counts once counts once on two processes (attack 42), and what ends on one ends on the other (attack 31)."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, Answer, MachineWorld, slug
from au_sys_identity.core.factors.totp import code_at, step_of
from fastapi_services_platform.testing.postgres import postgres_server

ACCOUNTS = "/iam/service-accounts"
NODE = """
import sys
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve
with serve(create_app(PlatformSettings(), capabilities=[Identity()])) as url:
    print("at", url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def node(settings: dict[str, str]) -> Iterator[str]:
    """A process of the platform; its address."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("IDENTITY_", "FSP_"))}
    command = [sys.executable, "-c", NODE]
    with subprocess.Popen(
        command,
        env=ours | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        line = next((line for line in running.stdout if line.startswith("at ")), "")
        assert line, "the node did not start"
        try:
            yield line.split()[1]
        finally:
            running.stdin.close()
            running.wait(60)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two processes on one database: of one host on a file, or on a server."""
    folder: Path = tmp_path_factory.mktemp("nodes")
    settings = {
        "FSP_ENVIRONMENT": "test",
        "FSP_DATA_DIR": str(folder),
        "FSP_PUBLIC_URL": "http://platform.test",
        "IDENTITY_BOOTSTRAP_TOKEN": BOOTSTRAP,
        "IDENTITY_REGISTRATION": "open",
        "IDENTITY_REGISTRATION_VERIFY": "off",
        "IDENTITY_PASSWORD_MEMORY_KIB": "8",
        "IDENTITY_PASSWORD_TIME_COST": "1",
        "IDENTITY_RATE_SIGN_IN": "1000/minute",
    }
    with ExitStack() as stack:
        if request.param == "postgres":
            settings["FSP_DATABASE_URL"] = stack.enter_context(postgres_server()).database("two_nodes")
        first = stack.enter_context(node(settings))
        yield first, stack.enter_context(node(settings))


@dataclass
class Pair:
    """The same people and machine, seen from two nodes."""

    here: MachineWorld
    there: MachineWorld

    async def everywhere(self, act: Callable[[MachineWorld], "asyncio.Future[Answer]"]) -> list[Answer]:
        """The same request four times on each node at once."""
        return list(await asyncio.gather(*(act(world) for world in (self.here, self.there) * 4)))


_MADE: dict[tuple[str, str], MachineWorld] = {}


@pytest.fixture
async def pair(nodes: tuple[str, str]) -> AsyncIterator[Pair]:
    """Made once for each database."""
    async with AsyncClient(base_url=nodes[0], timeout=60) as here, AsyncClient(base_url=nodes[1], timeout=60) as there:
        known = _MADE.get(nodes)
        if known is None:
            known = await MachineWorld.made(here, lambda: SoftwareAuthenticator("http://platform.test"))
            await known.enrol(known.ann)
            _MADE[nodes] = known
        yield Pair(replace(known, api=here), replace(known, api=there))


def helper(world: MachineWorld, name: str) -> dict[str, str]:
    return {"name": name, "purpose": "Helps", "custodian": world.ann.id}


async def settled(world: MachineWorld, mode: str) -> None:
    """Wait until a node knows how the machine proves itself."""
    for _ in range(200):
        if (await world.ok("GET", f"{ACCOUNTS}/{world.machine}", world.admin.headers))["mfa"]["mode"] == mode:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # a credential is remembered for as long as no change of it can be known


async def test_an_approval_is_decided_and_used_once(pair: Pair) -> None:
    """Of eight decisions on two nodes one counts, and of eight acts with it one is done."""
    await pair.here.proves("human_delegated", "changes")
    await settled(pair.there, "human_delegated")
    body = helper(pair.here, "Once")
    asked = await pair.here.ask("POST", ACCOUNTS, arguments=body)
    decided = await pair.everywhere(lambda world: asyncio.ensure_future(world.approve(world.ann, asked)))
    assert sorted(answer.status_code for answer in decided) == [200] + [409] * 7
    done = await pair.everywhere(
        lambda world: asyncio.ensure_future(world.act("POST", ACCOUNTS, asked["id"], json=body))
    )
    assert sorted(answer.status_code for answer in done) == [201] + [403] * 7
    assert {slug(answer) for answer in done if answer.status_code == 403} == {"approval-refused"}


async def test_no_more_than_ten_wait(pair: Pair) -> None:
    """Of sixteen requests for approval at once on two nodes ten are taken, the others are told to wait."""
    body = {"method": "POST", "path": ACCOUNTS, "reason": "x", "arguments": {}}

    def ask(world: MachineWorld) -> "asyncio.Future[Answer]":
        call: asyncio.Future[Answer] = asyncio.ensure_future(
            world.api.post("/mfa/delegated/request", headers=world.key, json=body)
        )
        return call

    answers = [answer for _ in range(2) for answer in await pair.everywhere(ask)]
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [429] * 6
    for answer in answers:
        if answer.status_code == 201:
            gone = await pair.there.api.delete(f"/mfa/delegated/{answer.json()['id']}", headers=pair.there.key)
            assert gone.status_code == 204


async def test_a_code_of_a_machine_counts_once(pair: Pair) -> None:
    """Of eight requests with one code on two nodes one passes."""
    made = await pair.here.proves("tool_assisted_totp", "irreversible")
    await settled(pair.there, "tool_assisted_totp")
    from base64 import b32decode

    secret = b32decode(made["secret"] + "=" * (-len(made["secret"]) % 4))
    code = {"x-mfa-code": code_at(secret, step_of(datetime.now(UTC)))}
    spares = iter([await pair.here.new_key() for _ in range(8)])

    def revoke(world: MachineWorld) -> "asyncio.Future[Answer]":
        path = f"/auth/api-keys/{next(spares)['id']}"
        return asyncio.ensure_future(world.act("DELETE", path, headers=code))

    answers = await pair.everywhere(revoke)
    assert [answer.status_code for answer in answers].count(204) == 1


async def test_a_grant_is_used_as_often_as_it_may_be(pair: Pair) -> None:
    """Three uses on two nodes together; revoked on one, it is over on the other within a second."""
    await pair.here.proves("none")
    await settled(pair.there, "none")
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    grant = {"agent": pair.here.urn, "permissions": ["identity.users.read"], "expires_at": ends}
    admin = pair.here.admin.headers
    made = await pair.here.ok("POST", "/iam/delegations", admin, {**grant, "max_uses": 3})
    acting = {"x-on-behalf-of": made["id"]}
    answers = await pair.everywhere(lambda world: asyncio.ensure_future(world.act("GET", "/users", headers=acting)))
    assert [answer.status_code for answer in answers].count(200) == 3
    lasting = await pair.here.ok("POST", "/iam/delegations", admin, grant)
    under = {"x-on-behalf-of": lasting["id"]}
    assert (await pair.there.act("GET", "/users", headers=under)).status_code == 200
    await pair.here.ok("DELETE", f"/iam/delegations/{lasting['id']}", admin)
    assert (await pair.there.act("GET", "/users", headers=under)).status_code == 403


async def test_nothing_is_done_when_nobody_answers_for_it(pair: Pair) -> None:
    """Ann disabled on one node: an approval of hers is good for nothing on the other; the time is told."""
    await pair.here.proves("human_delegated", "changes")
    await settled(pair.there, "human_delegated")
    body = helper(pair.here, "Never")
    asked = await pair.here.ask("POST", ACCOUNTS, arguments=body)
    assert (await pair.here.approve(pair.here.ann, asked)).status_code == 200
    await pair.here.ok("PATCH", f"/users/{pair.here.ann.id}", pair.here.admin.headers, {"is_active": False})
    began = time.perf_counter()
    answer = await pair.there.act("GET", "/users")
    while answer.status_code != 403 and time.perf_counter() - began < 30:
        answer = await pair.there.act("GET", "/users")
    print(f"refused on the other process after {time.perf_counter() - began:.3f} s")
    assert slug(answer) == "no-custodian"
    refused = await pair.there.act("POST", ACCOUNTS, asked["id"], json=body)
    assert slug(refused) == "no-custodian"
