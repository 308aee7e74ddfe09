"""Delegation over HTTP: a machine acts for a person within what both and the grant allow, and no longer."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, Header, MachineWorld, Someone, slug

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
GRANTS = "/iam/delegations"


@pytest.fixture
async def world(start: Start) -> AsyncIterator[MachineWorld]:
    """Ann may read people (helpdesk) and lets the machine, which may do more, act for her."""
    async with start(bootstrap_token=BOOTSTRAP) as client:
        made = await MachineWorld.made(client, lambda: SoftwareAuthenticator("http://platform.test"))
        await roles(made, made.ann, "helpdesk")
        yield made


async def roles(world: MachineWorld, person: Someone, role: str) -> None:
    await world.ok("POST", f"/rbac/users/{person.id}/roles", world.admin.headers, {"role": role})


def grant_body(world: MachineWorld, **more: object) -> dict[str, Any]:  # Any: JSON
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return {"agent": world.urn, "permissions": ["identity.users.read"], "expires_at": ends} | more


async def given(world: MachineWorld, **more: object) -> tuple[str, Header]:
    """A grant of ann, and the headers of the machine that acts under it."""
    made = await world.ok("POST", GRANTS, world.ann.headers, grant_body(world, **more))
    assert (made["human"], made["agent"], made["living"]) == (f"urn:au:user:{world.ann.id}", world.urn, True)
    return made["id"], world.key | {"x-on-behalf-of": made["id"]}


async def status(world: MachineWorld, headers: Header, path: str = "/users") -> tuple[int, str]:
    answer = await world.api.get(path, headers=headers)
    return answer.status_code, slug(answer) if answer.status_code >= 400 else ""


async def test_all_three_have_to_hold_the_right(world: MachineWorld) -> None:
    """Person, machine and grant: each of them bounds what is done, and the grant's loss ends it at once."""
    grant, acting = await given(world)
    assert await status(world, acting) == (200, "")
    assert (await status(world, world.key, "/rbac/roles"))[0] == 200
    assert (await status(world, acting, "/rbac/roles"))[0] == 403
    await world.ok("DELETE", f"/rbac/users/{world.ann.id}/roles?role=helpdesk&domain=default", world.admin.headers)
    assert (await status(world, acting))[0] == 403
    await roles(world, world.ann, "helpdesk")
    assert (await status(world, acting))[0] == 200
    assert (await world.api.delete(f"{GRANTS}/{grant}", headers=world.bob.headers)).status_code == 404
    await world.ok("DELETE", f"{GRANTS}/{grant}", world.ann.headers)
    assert await status(world, acting) == (403, "denied")


async def test_it_ends_with_the_person(world: MachineWorld) -> None:
    """Ann disabled: nothing is done for her any more, with the header or with a token from before."""
    grant, acting = await given(world)
    token = await world.ok("POST", f"{GRANTS}/{grant}/token", world.key)
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    await world.ok(
        "POST",
        "/iam/graph/link",
        world.admin.headers,
        {"source": world.bob.id, "relation": "owner_of", "target": world.urn},
    )
    assert (await status(world, bearer))[0] == 200
    await world.ok("PATCH", f"/users/{world.ann.id}", world.admin.headers, {"is_active": False})
    assert [(await status(world, headers))[0] for headers in (acting, bearer, world.key)] == [403, 403, 200]


async def test_uses_and_resources_are_counted(world: MachineWorld) -> None:
    """A grant of two uses is used twice; one for other objects is good for nothing else."""
    _, acting = await given(world, max_uses=2)
    assert [(await status(world, acting))[0] for _ in range(3)] == [200, 200, 403]
    _, elsewhere = await given(world, resources=["another"])
    assert (await status(world, elsewhere))[0] == 403


async def test_a_token_is_short_and_dies_with_the_key(world: MachineWorld) -> None:
    """Its subject is the person, its actor the machine; for others there is none, and it is not passed on."""
    grant, acting = await given(world)
    answer = await world.api.post(f"{GRANTS}/{grant}/token", headers=world.key)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert 0 < answer.json()["expires_in"] <= 600
    claims = _claims(answer.json()["access_token"])
    assert (claims["sub"], claims["act"]) == (f"urn:au:user:{world.ann.id}", {"sub": world.urn})
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await status(world, bearer))[0] == 200
    assert (await status(world, bearer, "/rbac/roles"))[0] == 403
    refused = [
        (await world.api.post(f"{GRANTS}/{grant}/token", headers=headers)).status_code
        for headers in (world.ann.headers, world.bob.headers, acting, bearer)
    ]
    assert refused == [403, 403, 404, 404]
    spare = await world.new_key()
    other = await world.ok("POST", f"{GRANTS}/{grant}/token", {"x-api-key": spare["secret"]})
    await world.ok("DELETE", f"/iam/service-accounts/{world.machine}/keys/{spare['id']}", world.admin.headers)
    dead = {"authorization": f"Bearer {other['access_token']}"}
    assert (await status(world, dead))[0] == 401


async def test_nobody_gives_more_than_they_hold(world: MachineWorld) -> None:
    """A permission that ann lacks, a machine that grants, an end in the past, no machine: refused."""
    too_much = await world.api.post(
        GRANTS, headers=world.ann.headers, json=grant_body(world, permissions=["identity.users.delete"])
    )
    assert (too_much.status_code, slug(too_much), too_much.json()["excess"]) == (
        403,
        "exceeds-own-rights",
        "identity.users.delete",
    )
    machine = await world.api.post(GRANTS, headers=world.key, json=grant_body(world))
    assert (machine.status_code, slug(machine)) == (403, "human-only")
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    bad: list[dict[str, object]] = [
        {"expires_at": past},
        {"expires_at": "2026-01-01T00:00:00"},
        {"agent": world.bob.id},
        {"agent": "urn:au:user:x"},
        {"permissions": []},
        {"max_uses": 0},
        {"extra": 1},
    ]
    for more in bad:
        answer = await world.api.post(GRANTS, headers=world.ann.headers, json=grant_body(world, **more))
        assert answer.status_code == 422, more


async def test_grants_are_seen_by_both_ends(world: MachineWorld) -> None:
    """Ann and the machine list it, bob does not, who administers does; a machine acts under its own grants only."""
    grant, _ = await given(world)
    listed = [
        [item["id"] for item in (await world.ok("GET", GRANTS, headers))["items"]]
        for headers in (world.ann.headers, world.bob.headers, world.admin.headers)
    ]
    assert listed == [[grant], [], [grant]]
    other = await world.ok(
        "POST",
        "/iam/service-accounts",
        world.admin.headers,
        {"name": "Other", "purpose": "Other", "custodian": world.bob.id},
    )
    key = await world.ok(
        "POST",
        f"/iam/service-accounts/{other['id']}/keys",
        world.admin.headers,
        {"name": "Night", "scopes": ["identity.*"]},
    )
    stolen = {"x-api-key": key["secret"], "x-on-behalf-of": grant}
    assert await status(world, stolen) == (403, "denied")
    for nonsense in ("none", "00000000-0000-7000-8000-000000000000", ""):
        assert (await status(world, world.key | {"x-on-behalf-of": nonsense}))[0] == 403


async def test_no_route_for_people_is_passed_on_behalf(world: MachineWorld) -> None:
    """Acting for a person makes nobody a person: her account, keys and grants are hers."""
    _, acting = await given(world, permissions=["identity.users.read"])
    calls = [
        ("POST", GRANTS, grant_body(world)),
        ("POST", "/auth/api-keys/", {"name": "x", "scopes": ["identity.users.read"]}),
        ("DELETE", "/users/me", None),
        ("POST", f"/iam/service-accounts/{world.machine}/keys", {"name": "x", "scopes": ["identity.users.read"]}),
    ]
    for method, path, body in calls:
        answer = await world.api.request(method, path, headers=acting, json=body)
        assert (answer.status_code, slug(answer)) == (403, "human-only"), (path, answer.text)


async def test_a_capped_machine_holds_what_who_answers_for_it_holds(world: MachineWorld) -> None:
    """With cap=custodian it does what ann may do, as long as she may; a machine that it made holds no more than it."""
    own = f"/iam/service-accounts/{world.machine}"
    assert [(await status(world, world.key, path))[0] for path in ("/users", "/rbac/roles")] == [200, 200]
    await world.ok("PATCH", own, world.admin.headers, {"cap": "custodian"})
    assert [(await status(world, world.key, path))[0] for path in ("/users", "/rbac/roles")] == [200, 403]
    await world.ok("DELETE", f"/rbac/users/{world.ann.id}/roles?role=helpdesk&domain=default", world.admin.headers)
    assert (await status(world, world.key))[0] == 403
    await world.ok("PATCH", own, world.admin.headers, {"cap": "none"})
    body = {"name": "Parent", "purpose": "Holds nothing", "custodian": world.ann.id}
    parent = await world.ok("POST", "/iam/service-accounts", world.admin.headers, body)
    assert (await status(world, world.key))[0] == 200
    link = {"source": world.urn, "relation": "child_of", "target": parent["urn"]}
    await world.ok("POST", "/iam/graph/link", world.admin.headers, link)
    assert (await status(world, world.key))[0] == 403


def _claims(token: str) -> dict[str, Any]:  # Any: JSON
    import base64
    import json

    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))  # Any: JSON
    return found
