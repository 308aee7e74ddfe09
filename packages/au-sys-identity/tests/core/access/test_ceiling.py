"""Nobody gives or takes more than they hold, and an administrator stays: by every verb that gives or takes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from httpx import AsyncClient

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Body = dict[str, Any]  # Any: JSON
Act = tuple[str, str, Body | str | None]
PASSWORD = "correct horse battery staple"
ADMIN = {"email": "root@example.org", "password": PASSWORD}
TOKEN = "a bootstrap token of this test"
MANAGER = ("roles.read", "roles.write", "roles.assign", "policies.read", "policies.write", "policies.manage")
MORE = ("requests.decide", "machines.create", "keys.create", "users.create", "users.update", "organizations.write")


@pytest.fixture
async def client(start: Start) -> AsyncIterator[AsyncClient]:
    """The first administrator is signed in."""
    async with start(bootstrap_token=TOKEN) as client:
        await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})
        await sign_in(client, ADMIN)
        yield client


async def sign_in(client: AsyncClient, who: Body) -> None:
    client.headers.pop("authorization", None)
    tokens = (await client.post("/auth/jwt/login", json=who)).json()
    client.headers["authorization"] = f"Bearer {tokens['access_token']}"


async def sent(client: AsyncClient, act: Act) -> tuple[int, str]:
    """The status of an answer, and the name of its problem."""
    method, path, body = act
    if isinstance(body, str):
        answer = await client.request(method, path, content=body, headers={"content-type": "text/csv"})
    else:
        answer = await client.request(method, path, json=body)
    slug = answer.json().get("type", "").rpartition("/")[2] if answer.content and answer.status_code >= 400 else ""
    return answer.status_code, slug


async def made(client: AsyncClient, method: str, path: str, **body: object) -> Body:
    answer = await client.request(method, path, json=body)
    assert answer.status_code < 300, answer.text
    found: Body = answer.json() if answer.content else {}
    return found


async def test_nobody_gives_or_takes_more_than_they_hold(client: AsyncClient) -> None:
    """A manager of rights who may not read settings can neither give that right nor take it, in no way at all."""
    ann = await made(client, "POST", "/users", email="ann@example.org", display_name="Ann", password=PASSWORD)
    bob = await made(client, "POST", "/users", email="bob@example.org", display_name="Bob")
    for person in (ann, bob):
        await made(client, "PATCH", f"/users/{person['id']}", is_verified=True, must_change_password=False)
    held = [f"identity.{name}" for name in (*MANAGER, *MORE)]
    await made(client, "POST", "/rbac/roles", name="manager", permissions=held)
    much = {"name": "much", "permissions": ["identity.settings.read"], "requestable": True}
    await made(client, "POST", "/rbac/roles", **much)
    await made(client, "POST", "/rbac/roles", name="little", permissions=["identity.roles.read"])
    await made(client, "POST", f"/rbac/users/{ann['urn']}/roles", role="manager")
    await made(client, "POST", f"/rbac/users/{bob['urn']}/roles", role="much")
    rule = {"subject": bob["urn"], "domain": "default", "resource": "/identity/settings/*", "action": "read"}
    kept = await made(client, "POST", "/rbac/policies", **rule)
    bot = await made(client, "POST", "/iam/service-accounts", name="bot", purpose="tests", custodian=ann["urn"])
    await sign_in(client, {"email": "ann@example.org", "password": PASSWORD})
    line = "p, {subject}, default, /identity/settings/*, read, allow\n".format(subject=ann["urn"])
    own = {**rule, "subject": ann["urn"]}
    assignment = {"subject": ann["urn"], "role": "role:much", "domain": "default"}
    settings = ["identity.settings.read"]
    acts: list[Act] = [
        ("POST", f"/rbac/users/{ann['urn']}/roles", {"role": "much"}),
        ("POST", f"/rbac/users/{bob['urn']}/roles", {"role": "platform-admin"}),
        ("POST", "/rbac/users/role:little/roles", {"role": "much"}),
        ("DELETE", f"/rbac/users/{bob['urn']}/roles?role=much&domain=default", None),
        ("POST", "/rbac/roles", {"name": "mine", "permissions": settings}),
        ("PATCH", "/rbac/roles/little", {"permissions": settings}),
        ("PATCH", "/rbac/roles/much", {"permissions": ["identity.roles.read"]}),
        ("POST", "/rbac/policies", own),
        ("POST", "/rbac/policies", {**own, "resource": "*", "action": "*"}),
        ("POST", "/rbac/policies", {**own, "domain": "*"}),
        ("POST", "/rbac/policies", {**rule, "effect": "deny"}),
        ("DELETE", f"/rbac/policies?id={kept['id']}", None),
        ("POST", "/rbac/policies/bulk", {"policies": [own], "assignments": []}),
        ("POST", "/rbac/policies/bulk", {"policies": [], "assignments": [assignment]}),
        ("POST", "/rbac/policies/bulk", {"policies": [rule], "assignments": [], "mode": "remove"}),
        ("POST", "/rbac/import?dry_run=false", line),
        ("POST", "/rbac/import?dry_run=false&mode=replace", "# nothing\n"),
        ("POST", "/auth/api-keys/", {"name": "mine", "scopes": settings}),
        ("POST", f"/iam/service-accounts/{bot['id']}/keys", {"name": "its", "scopes": settings}),
        ("POST", "/users", {"email": "eve@example.org", "display_name": "Eve", "roles": ["much"]}),
        ("POST", "/iam/organizations/default/invitations", {"email": "eve@example.org", "role": "much"}),
    ]
    before = (await client.get("/rbac/policies")).json()
    answers = [(method, path, *await sent(client, (method, path, body))) for method, path, body in acts]
    assert [one for one in answers if one[2:] != (403, "exceeds-own-rights")] == []
    assert (await client.get("/rbac/policies")).json() == before
    assert await sent(client, ("POST", f"/rbac/users/{bob['urn']}/roles", {"role": "little"})) == (201, "")


async def test_an_administrator_stays(client: AsyncClient) -> None:
    """The only one who may do everything can neither be removed nor be denied, by whatever verb."""
    me = (await client.get("/users/me")).json()
    everything = {"domain": "*", "resource": "*", "action": "*", "effect": "deny"}
    admin, mine = {"subject": "role:platform-admin", **everything}, {"subject": me["urn"], **everything}
    held = {"subject": me["urn"], "role": "role:platform-admin", "domain": "*"}
    acts: list[Act] = [
        ("PATCH", f"/users/{me['id']}", {"is_active": False}),
        ("DELETE", f"/users/{me['id']}", None),
        ("DELETE", "/users/me", None),
        ("DELETE", f"/rbac/users/{me['urn']}/roles?role=platform-admin&domain=*", None),
        ("POST", "/rbac/policies", admin),
        ("POST", "/rbac/policies", mine),
        ("POST", "/rbac/policies", {**everything, "subject": "*"}),
        ("POST", "/rbac/policies", {**mine, "resource": "/identity/*"}),
        ("POST", "/rbac/policies/bulk", {"policies": [mine], "assignments": []}),
        ("POST", "/rbac/policies/bulk", {"policies": [], "assignments": [held], "mode": "remove"}),
        ("POST", "/rbac/import?dry_run=false", "p, role:platform-admin, *, *, *, deny\n"),
        ("POST", "/rbac/import?dry_run=false&mode=replace", "# nothing\n"),
    ]
    answers = [(method, path, *await sent(client, (method, path, body))) for method, path, body in acts]
    assert [one for one in answers if one[2:] != (409, "last-admin")] == []
    assert (await client.get("/users")).status_code == 200
