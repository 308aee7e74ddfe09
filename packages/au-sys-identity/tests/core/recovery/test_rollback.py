"""Undo of single changes on real databases: the preview is what happens, whatever kind of change it was."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from httpx import AsyncClient

from au_sys_identity.core.ids import uuid7
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Body = dict[str, Any]  # Any: JSON
PASSWORD = "correct horse battery staple"
ADMIN = {"email": "root@example.org", "password": PASSWORD}
TOKEN = "a bootstrap token of this test"
READ, UNLOCK, GROUPS = "identity.users.read", "identity.users.unlock", "identity.groups.read"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
async def client(
    request: pytest.FixtureRequest, start: Start, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncClient]:
    """The first administrator is signed in."""
    if getattr(request, "param", "sqlite") == "postgresql":
        server: PostgresServer = request.getfixturevalue("server")
        monkeypatch.setenv("FSP_DATABASE_URL", server.database(f"rollback_{uuid7().hex[-8:]}"))
    async with start(bootstrap_token=TOKEN) as client:
        await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})
        tokens = (await client.post("/auth/jwt/login", json=ADMIN)).json()
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        yield client


async def sent(client: AsyncClient, method: str, path: str, **body: object) -> Body:
    answer = await client.request(method, path, json=body or None)
    assert answer.status_code < 300, (path, answer.text)
    found: Body = answer.json() if answer.content else {}
    return found


async def rights(client: AsyncClient, subjects: list[str]) -> set[tuple[str, str]]:
    """Which of three permissions each subject holds."""
    asked = [(subject, *name.split(".")) for subject in subjects for name in (READ, UNLOCK, GROUPS)]
    questions = [{"subject": one, "resource": f"/{room}/{noun}/x", "action": verb} for one, room, noun, verb in asked]
    answers = (await sent(client, "POST", "/rbac/check:batch", questions=questions))["allowed"]
    return {
        (one, f"/{room}/{noun}/* {verb}")
        for (one, room, noun, verb), allowed in zip(asked, answers, strict=True)
        if allowed
    }


async def newest(client: AsyncClient) -> str:
    return str((await client.get("/iam/recovery/changes", params={"limit": 1})).json()["items"][0]["id"])


def told(listed: list[Body], subjects: list[str]) -> set[tuple[str, str]]:
    """A preview's rights of these subjects, in the words of :func:`rights`."""
    return {(one["subject"], f"{one['resource']} {one['action']}") for one in listed if one["subject"] in subjects}


async def test_the_preview_of_every_kind_of_change_is_what_happens(client: AsyncClient) -> None:
    """Roles, rules, assignments, members of groups, status: previewed, undone, and the undo undone."""
    ann = await sent(client, "POST", "/users", email="ann@example.org", display_name="Ann")
    await sent(client, "PATCH", f"/users/{ann['id']}", is_verified=True)
    bot = await sent(client, "POST", "/iam/service-accounts", name="bot", purpose="tests")
    group = await sent(client, "POST", "/iam/groups", name="desk")
    await sent(client, "POST", "/rbac/roles", name="reader", permissions=[READ])
    who = [ann["urn"], bot["urn"]]
    deny = {
        "subject": ann["urn"],
        "domain": "default",
        "resource": "/identity/users/*",
        "action": "read",
        "effect": "deny",
    }
    role, place = "/rbac/roles/reader", f"/rbac/users/{group['urn']}/roles"
    edge = {"source": ann["urn"], "relation": "member_of", "target": group["urn"]}
    acts: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("given to the group", lambda: sent(client, "POST", place, role="reader")),
        ("joined the group", lambda: sent(client, "POST", "/iam/graph/link", **edge)),
        ("given to the machine", lambda: sent(client, "POST", f"/rbac/users/{bot['urn']}/roles", role="reader")),
        ("another permission", lambda: sent(client, "PATCH", role, permissions=[READ, UNLOCK])),
        (
            "a rule",
            lambda: sent(
                client, "POST", "/rbac/policies", **{**deny, "effect": "allow", "resource": "/identity/groups/*"}
            ),
        ),
        ("a rule that denies", lambda: sent(client, "POST", "/rbac/policies", **deny)),
        ("its end", lambda: sent(client, "DELETE", "/rbac/policies", **deny)),
        ("switched off", lambda: sent(client, "PATCH", f"/users/{ann['id']}", is_active=False)),
        ("switched on", lambda: sent(client, "PATCH", f"/users/{ann['id']}", is_active=True)),
        ("left the group", lambda: sent(client, "DELETE", "/iam/graph/link", **edge)),
    ]
    for name, act in acts:
        before = await rights(client, who)
        await act()
        after = await rights(client, who)
        done = await newest(client)
        for change, wanted, now in ((done, before, after), ("", after, before)):
            path = f"/iam/recovery/rollback/{change or (await newest(client))}"
            preview = await sent(client, "POST", path)
            gains, losses = told(preview["effect"]["gains"], who), told(preview["effect"]["losses"], who)
            assert (name, await rights(client, who)) == (name, now)
            undone = await sent(client, "POST", path, dry_run=False)
            assert (name, undone["effect"]) == (name, preview["effect"])
            assert (name, await rights(client, who)) == (name, wanted)
            assert (name, gains, losses) == (name, wanted - now, now - wanted)
        again = await client.post(f"/iam/recovery/rollback/{done}", json={"dry_run": False})
        assert (name, again.status_code, again.json()["type"].rpartition("/")[2]) == (name, 409, "superseded")


@pytest.mark.parametrize(
    "client", ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True
)
async def test_attributes_come_back_and_what_moved_on_stays(client: AsyncClient) -> None:
    """Names of people, groups, machines and organizations; an overtaken change; the birth of a role that is held."""
    ann = await sent(client, "POST", "/users", email="ann@example.org", display_name="Ann")
    bot = await sent(client, "POST", "/iam/service-accounts", name="bot", purpose="tests")
    group = await sent(client, "POST", "/iam/groups", name="desk")
    await sent(client, "POST", "/iam/organizations", slug="acme", name="Acme")
    places = {
        f"/users/{ann['id']}": ("display_name", "Ann"),
        f"/iam/service-accounts/{bot['id']}": ("name", "bot"),
        f"/iam/groups/{group['id']}": ("name", "desk"),
        "/iam/organizations/acme": ("name", "Acme"),
    }
    for path, (field, value) in places.items():
        await sent(client, "PATCH", path, **{field: "Somebody"})
        first = await newest(client)
        await sent(client, "PATCH", path, **{field: "Somebody else"})
        second = await newest(client)
        refused = await client.post(f"/iam/recovery/rollback/{first}", json={"dry_run": False})
        assert (path, refused.status_code, refused.json().get("by", refused.text)) == (path, 409, second)
        for change in (second, first):
            await sent(client, "POST", f"/iam/recovery/rollback/{change}", dry_run=False)
        assert (path, (await client.get(path)).json()[field]) == (path, value)
    await sent(client, "POST", "/rbac/roles", name="held", permissions=[READ])
    born = await newest(client)
    await sent(client, "POST", f"/rbac/users/{ann['urn']}/roles", role="held")
    kept = await client.post(f"/iam/recovery/rollback/{born}", json={"dry_run": False})
    assert (kept.status_code, kept.json()["type"].rpartition("/")[2]) == (409, "not-reversible")


async def test_nobody_gets_more_through_an_undo_than_they_hold(client: AsyncClient) -> None:
    """Neither rights, nor the account of somebody who holds more; and an administrator stays."""
    ann = await sent(client, "POST", "/users", email="ann@example.org", display_name="Ann", password=PASSWORD)
    await sent(client, "PATCH", f"/users/{ann['id']}", is_verified=True, must_change_password=False)
    me = (await client.get("/users/me")).json()
    await sent(client, "POST", f"/rbac/users/{ann['urn']}/roles", role="platform-admin")
    await client.request("DELETE", f"/rbac/users/{ann['urn']}/roles", params={"role": "platform-admin", "domain": "*"})
    withdrawn = await newest(client)
    await sent(client, "PATCH", f"/users/{me['id']}", display_name="Root")
    renamed = await newest(client)
    permissions = ["identity.recovery.read", "identity.recovery.rollback"]
    await sent(client, "POST", "/rbac/roles", name="undoer", permissions=permissions)
    await sent(client, "POST", f"/rbac/users/{ann['urn']}/roles", role="undoer")
    root = client.headers["authorization"]
    tokens = (await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})).json()
    client.headers["authorization"] = f"Bearer {tokens['access_token']}"
    for change in (withdrawn, renamed):
        refused = await client.post(f"/iam/recovery/rollback/{change}", json={"dry_run": False})
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "exceeds-own-rights")
    client.headers["authorization"] = root
    assert (await client.post(f"/iam/recovery/rollback/{withdrawn}", json={"dry_run": False})).status_code == 200
