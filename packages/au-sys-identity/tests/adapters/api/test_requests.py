"""Access requests over HTTP: asked, decided by somebody else within her own rights, effective at once, over in time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, Answer, MachineWorld, Someone, slug

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
REQUESTS = "/iam/requests"


@pytest.fixture
async def world(start: Start) -> AsyncIterator[MachineWorld]:
    """Roles that may be asked for: one that reads people, and one that nobody but the administrator could give."""
    async with start(bootstrap_token=BOOTSTRAP) as client:
        made = await MachineWorld.made(client, lambda: SoftwareAuthenticator("http://platform.test"))
        for name, permission in (("reader", "identity.users.read"), ("closer", "identity.users.delete")):
            body = {"name": name, "description": "May be asked for", "permissions": [permission], "requestable": True}
            await made.ok("POST", "/rbac/roles", made.admin.headers, body)
        deciding = {
            "name": "deciding",
            "description": "x",
            "permissions": ["identity.requests.decide", "identity.users.read"],
        }
        await made.ok("POST", "/rbac/roles", made.admin.headers, deciding)
        await made.ok("POST", f"/rbac/users/{made.bob.id}/roles", made.admin.headers, {"role": "deciding"})
        yield made


async def asked(world: MachineWorld, role: str = "reader", **more: object) -> dict[str, Any]:  # Any: JSON
    return await world.ok("POST", REQUESTS, world.ann.headers, {"role": role, "reason": "The audit", **more})


async def decide(world: MachineWorld, person: Someone, request: dict[str, Any], **more: object) -> Answer:
    # Any: JSON
    body = {"decision": "approve", **more}
    return await world.api.post(f"{REQUESTS}/{request['id']}/decide", headers=person.headers, json=body)


async def test_what_is_given_counts_at_once(world: MachineWorld) -> None:
    """Before it is refused, after it is allowed; everybody concerned sees what became of it."""
    assert (await world.api.get("/users", headers=world.ann.headers)).status_code == 403
    made = await asked(world, duration=3600)
    assert (made["state"], made["subject"], made["domain"]) == ("submitted", f"urn:au:user:{world.ann.id}", "default")
    given = await decide(world, world.bob, made, note="Until noon", duration=1800)
    assert (given.status_code, given.json()["state"], given.json()["duration"]) == (200, "provisioned", 1800)
    assert (await world.api.get("/users", headers=world.ann.headers)).status_code == 200
    shown = await world.ok("GET", f"{REQUESTS}/{made['id']}", world.ann.headers)
    assert (shown["note"], shown["decided_by"], shown["grant_until"] is None) == (
        "Until noon",
        f"urn:au:user:{world.bob.id}",
        False,
    )
    listed = [
        [item["id"] for item in (await world.ok("GET", f"{REQUESTS}?state=provisioned", who.headers))["items"]]
        for who in (world.ann, world.bob)
    ]
    assert listed == [[made["id"]]] * 2
    ends = await _ends(world)
    assert ends == [shown["grant_until"]]
    longer = await decide(world, world.bob, await asked(world, duration=7200))
    assert await _ends(world) == [longer.json()["grant_until"]]
    assert longer.json()["grant_until"] > ends[0]


async def _ends(world: MachineWorld) -> list[str]:
    held = await world.ok("GET", f"/rbac/users/{world.ann.id}/roles", world.admin.headers)
    return [one["expires_at"] for one in held["roles"] if one["role"].removeprefix("role:") == "reader"]


async def test_who_decides_stays_within_her_own_rights(world: MachineWorld) -> None:
    """Not her own request, not a role that holds more than she does, not without the permission, not twice."""
    more = await asked(world, "closer")
    refused = await decide(world, world.bob, more)
    assert (refused.status_code, slug(refused), refused.json()["excess"]) == (
        403,
        "exceeds-own-rights",
        "identity.users.delete",
    )
    assert (await decide(world, world.ann, more)).status_code == 403
    own = await world.ok("POST", REQUESTS, world.bob.headers, {"role": "reader", "reason": "x"})
    mine = await decide(world, world.bob, own)
    assert (mine.status_code, slug(mine)) == (403, "denied")
    answers = await asyncio.gather(*(decide(world, world.admin, more, decision="deny") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert (await world.api.delete(f"/users/{world.bob.id}", headers=world.ann.headers)).status_code == 403


async def test_only_what_is_offered_may_be_asked_for(world: MachineWorld) -> None:
    """Other roles, other people, no reason, no such length: 422 or 404; strangers see nothing; taken back in time."""
    bad: list[tuple[dict[str, object], int]] = [
        ({"role": "org-admin"}, 422),
        ({"role": "nothing"}, 422),
        ({"reason": ""}, 422),
        ({"reason": "x\u0000"}, 422),
        ({"duration": 1}, 422),
        ({"duration": 10**12}, 422),
        ({"extra": True}, 422),
        ({"subject": world.bob.id}, 404),
        ({"subject": "none"}, 404),
    ]
    for more, status in bad:
        body = {"role": "reader", "reason": "x", **more}
        assert (await world.api.post(REQUESTS, headers=world.ann.headers, json=body)).status_code == status, more
    made = await asked(world)
    carol = Someone("carol@example.org", world.ann.device)
    await world.api.post("/auth/register", json={"email": carol.email, "password": "correct horse battery staple"})
    await world.sign_in(carol)
    assert (await world.api.get(f"{REQUESTS}/{made['id']}", headers=carol.headers)).status_code == 404
    assert (await world.api.delete(f"{REQUESTS}/{made['id']}", headers=carol.headers)).status_code == 404
    assert (await world.api.delete(f"{REQUESTS}/{made['id']}", headers=world.ann.headers)).status_code == 204
    assert slug(await decide(world, world.bob, made)) == "already-decided"


async def test_a_custodian_asks_for_her_machine(world: MachineWorld) -> None:
    """Ann answers for it and may; bob does not."""
    made = await asked(world, subject=world.urn)
    assert made["subject"] == world.urn
    assert (await decide(world, world.bob, made)).status_code == 200
    body = {"role": "reader", "reason": "x", "subject": world.urn}
    assert (await world.api.post(REQUESTS, headers=world.bob.headers, json=body)).status_code == 404
