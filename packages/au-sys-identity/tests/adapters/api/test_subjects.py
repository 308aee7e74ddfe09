"""Accounts over HTTP, each operation once allowed and once refused."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"


async def sign_in(client: AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of a signed-in program."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": password})
    assert answer.status_code == 200
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> dict[str, str]:
    operator = Operator(PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test"))
    await operator.create_admin(NewPerson("admin@example.org"), ADMIN)
    return await sign_in(client, "admin@example.org", ADMIN)


@pytest.fixture
async def ann(client: AsyncClient) -> dict[str, str]:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    return await sign_in(client, "ann@example.org")


async def my_id(client: AsyncClient, who: dict[str, str]) -> str:
    """The id behind a header."""
    return str((await client.get("/users/me", headers=who)).json()["id"])


@pytest.mark.parametrize("mode", ["invite", "closed"])
async def test_registration_can_be_closed(start: Start, mode: str) -> None:
    """With invite or closed nobody registers without one."""
    async with start(registration=mode) as client:
        answer = await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "registration-closed")


async def test_profile(client: AsyncClient, ann: dict[str, str]) -> None:
    """Name, language and time zone change under If-Match; a stale tag is refused."""
    first = await client.get("/users/me", headers=ann)
    change = {"display_name": "Ann Åkesson", "locale": "sv-SE", "timezone": "Europe/Stockholm"}
    headers = {**ann, "if-match": first.headers["etag"]}
    answer = await client.patch("/users/me", headers=headers, json=change)
    assert answer.status_code == 200
    assert {key: answer.json()[key] for key in change} == change
    stale = await client.patch("/users/me", headers=headers, json=change)
    assert (stale.status_code, stale.json()["type"].rpartition("/")[2]) == (412, "stale")


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": ""},
        {"display_name": "a\u202eb"},
        {"display_name": "x" * 121},
        {"locale": "not a tag!"},
        {"timezone": "Mars/Olympus"},
        {"password": "another fine sentence"},
        {"password": "short", "current_password": PASSWORD},
        {"password": "ann@example.org is me", "current_password": PASSWORD},
    ],
)
async def test_bad_profiles_are_refused(client: AsyncClient, ann: dict[str, str], change: dict[str, str]) -> None:
    """The answer is a 422 and nothing is stored."""
    before = (await client.get("/users/me", headers=ann)).json()
    assert (await client.patch("/users/me", headers=ann, json=change)).status_code == 422
    assert (await client.get("/users/me", headers=ann)).json() == before


async def test_a_new_password_ends_every_session(client: AsyncClient, ann: dict[str, str]) -> None:
    """The old password and every older token are worth nothing; a wrong present password changes nothing."""
    other = await sign_in(client, "ann@example.org")
    new = "another fine sentence"
    wrong = await client.patch("/users/me", headers=ann, json={"password": new, "current_password": "not it"})
    assert wrong.status_code == 401
    right = await client.patch("/users/me", headers=ann, json={"password": new, "current_password": PASSWORD})
    assert right.status_code == 200
    assert [(await client.get("/users/me", headers=who)).status_code for who in (ann, other)] == [401, 401]
    old = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
    assert old.status_code == 401
    await sign_in(client, "ann@example.org", new)


async def test_administrators_make_accounts(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """A generated password is shown once and must be changed; until then nothing else works."""
    body = {"email": "bob@example.org", "display_name": "Bob", "roles": ["helpdesk"]}
    assert (await client.post("/users", headers=ann, json=body)).status_code == 403
    made = await client.post("/users", headers=admin, json=body)
    assert made.status_code == 201
    assert made.json()["must_change_password"] is True
    again = await client.post("/users", headers=admin, json=body)
    assert again.status_code == 409
    bob = await sign_in(client, "bob@example.org", made.json()["one_time_password"])
    refused = await client.get("/users", headers=bob)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "password-change-required")
    change = {"password": "another fine sentence", "current_password": made.json()["one_time_password"]}
    assert (await client.patch("/users/me", headers=bob, json=change)).status_code == 200
    bob = await sign_in(client, "bob@example.org", "another fine sentence")
    assert (await client.get("/users", headers=bob)).status_code == 200


async def test_people_are_listed_and_looked_up(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """Pages follow each other, by cursors of their own list; an id or a URN finds one; anything else is 404 alike."""
    ann_id = await my_id(client, ann)
    first = (await client.get("/users", headers=admin, params={"limit": 1})).json()
    second = (await client.get("/users", headers=admin, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    listed = [item["email"] for item in (*first["items"], *second["items"])]
    assert sorted(listed) == ["admin@example.org", "ann@example.org"]
    assert second["next_cursor"] is None
    for place, bad in (("/users", "x"), ("/users", ann_id), ("/rbac/policies", first["next_cursor"])):
        refused = await client.get(place, headers=admin, params={"cursor": bad})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "cursor")
    for path in (f"/users/{ann_id}", f"/users/urn:au:user:{ann_id}"):
        assert (await client.get(path, headers=admin)).json()["email"] == "ann@example.org"
    for path in ("/users/nonsense", f"/users/urn:au:app:{ann_id}", "/users/00000000-0000-7000-8000-000000000000"):
        missing = await client.get(path, headers=admin)
        assert (missing.status_code, missing.json()["detail"]) == (404, "There is no such person.")
    assert (await client.get(f"/users/{ann_id}", headers=ann)).status_code == 403


async def test_switching_off_is_felt_at_once(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """A disabled account's token is refused by the next request; switched on again it needs a new sign-in."""
    path = f"/users/{await my_id(client, ann)}"
    assert (await client.patch(path, headers=admin, json={"is_active": False})).json()["status"] == "disabled"
    assert (await client.get("/users/me", headers=ann)).status_code == 401
    assert (await client.patch(path, headers=admin, json={"is_active": True})).json()["status"] == "active"
    assert (await client.get("/users/me", headers=ann)).status_code == 401
    await sign_in(client, "ann@example.org")


async def test_deleting_frees_the_address(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """A closed account is gone for good; its address may register anew and gets another id."""
    ann_id = await my_id(client, ann)
    assert (await client.delete(f"/users/{ann_id}", headers=ann)).status_code == 403
    assert (await client.delete(f"/users/{ann_id}", headers=admin)).status_code == 204
    assert (await client.get("/users/me", headers=ann)).status_code == 401
    assert (await client.get(f"/users/{ann_id}", headers=admin)).status_code == 404
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    assert await my_id(client, await sign_in(client, "ann@example.org")) != ann_id


async def test_the_last_administrator_stays(client: AsyncClient, admin: dict[str, str]) -> None:
    """The only one can neither be switched off, deleted nor stripped of the role."""
    admin_id = await my_id(client, admin)
    attempts = [
        await client.patch(f"/users/{admin_id}", headers=admin, json={"is_active": False}),
        await client.delete(f"/users/{admin_id}", headers=admin),
        await client.delete(f"/rbac/users/{admin_id}/roles", headers=admin, params={"role": "platform-admin"}),
    ]
    assert [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in attempts] == [
        (409, "last-admin")
    ] * 3


async def test_sessions_of_others(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """Administrators see and end them; others may not."""
    path = f"/users/{await my_id(client, ann)}/sessions"
    assert (await client.get(path, headers=ann)).status_code == 403
    assert (await client.delete(path, headers=ann)).status_code == 403
    assert len((await client.get(path, headers=admin)).json()["items"]) == 1
    assert (await client.delete(path, headers=admin)).status_code == 204
    assert (await client.get("/users/me", headers=ann)).status_code == 401


async def test_roles_over_http(client: AsyncClient, admin: dict[str, str], ann: dict[str, str]) -> None:
    """Make, change, give, use, take and delete a role; each is refused without the permission."""
    ann_id = await my_id(client, ann)
    role = {"name": "reader", "description": "Reads", "permissions": ["identity.users.read"]}
    assert (await client.post("/rbac/roles", headers=ann, json=role)).status_code == 403
    assert (await client.post("/rbac/roles", headers=admin, json=role)).status_code == 201
    assert (await client.post("/rbac/roles", headers=admin, json=role)).status_code == 409
    unknown = {"name": "odd", "permissions": ["identity.unknown.read"]}
    assert (await client.post("/rbac/roles", headers=admin, json=unknown)).status_code == 422
    path = f"/rbac/users/{ann_id}/roles"
    assert (await client.post(path, headers=ann, json={"role": "reader"})).status_code == 403
    given = await client.post(path, headers=admin, json={"role": "role:reader"})
    assert (given.status_code, given.json()["role"]) == (201, "reader")
    assert [held["role"] for held in (await client.get(path, headers=ann)).json()["roles"]] == ["reader"]
    assert (await client.get("/users", headers=ann)).status_code == 200
    assert (await client.delete("/rbac/roles/reader", headers=admin)).status_code == 409
    assert (await client.delete(path, headers=ann, params={"role": "reader"})).status_code == 403
    assert (await client.delete(path, headers=admin, params={"role": "reader"})).status_code == 204
    assert (await client.get("/users", headers=ann)).status_code == 403
    changed = await client.patch("/rbac/roles/reader", headers=admin, json={"description": "Reads on"})
    assert changed.json()["description"] == "Reads on"
    assert (await client.get("/rbac/roles/reader", headers=admin)).json()["permissions"] == ["identity.users.read"]
    assert (await client.delete("/rbac/roles/reader", headers=admin)).status_code == 204
    names = [role["name"] for role in (await client.get("/rbac/roles", headers=admin)).json()["items"]]
    assert {"helpdesk", "platform-admin", "auditor"} <= set(names)
    assert (await client.get("/rbac/roles", headers=ann)).status_code == 403
    catalogue = (await client.get("/rbac/permissions", headers=admin)).json()["items"]
    assert "identity.users.read" in {item["name"] for item in catalogue}
    admin_roles = f"/rbac/users/{await my_id(client, admin)}/roles"
    assert (await client.get(admin_roles, headers=ann)).status_code == 404
