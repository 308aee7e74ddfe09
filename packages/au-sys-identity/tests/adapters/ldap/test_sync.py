"""Directory people on a platform: sign-in and runs over HTTP, against a real slapd."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.conformance.slapd import Slapd
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing.postgres import postgres_server

pytestmark = pytest.mark.needs_slapd
PASSWORD = "a password in the directory"
ADMIN = "a very different sentence"
Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Json = Any  # Any: JSON


class House:
    """A platform with the directory, seen by its administrator and by directory people."""

    def __init__(self, client: AsyncClient, bearer: str) -> None:
        self.client = client
        self.admin = {"authorization": f"Bearer {bearer}"}

    async def login(self, login: str, password: str = PASSWORD, *, directory: str = "staff") -> Response:
        body = {"email": login, "password": password, "directory": directory}
        return await self.client.post("/auth/jwt/login", json=body)

    async def run(self, *, dry_run: bool) -> Response:
        body = {"source": "directory:staff", "dry_run": dry_run}
        return await self.client.post("/iam/sync/run", json=body, headers=self.admin)

    async def report(self, *, dry_run: bool) -> Json:
        """The report of a run that succeeds."""
        started = await self.run(dry_run=dry_run)
        assert started.status_code == 202, started.text
        shown = (await self.client.get(f"/iam/sync/runs/{started.json()['run_id']}", headers=self.admin)).json()
        assert (shown["state"], shown["dry_run"]) == ("done", dry_run)
        return shown["report"]

    async def person(self, email: str) -> Json:
        found = (await self.client.get("/users", params={"q": email}, headers=self.admin)).json()["items"]
        return found[0] if found else None

    async def me(self, tokens: Response) -> Response:
        bearer = {"authorization": f"Bearer {tokens.json()['access_token']}"}
        return await self.client.get("/users/me", headers=bearer)


@pytest.fixture
async def house(start: Start, admin: str, given: dict[str, object]) -> AsyncIterator[House]:
    async with start(ldap=json.dumps([given]), sync_disable_limit=50) as client:
        tokens = await client.post("/auth/jwt/login", json={"email": admin, "password": ADMIN})
        yield House(client, tokens.json()["access_token"])


async def test_a_first_sign_in_makes_the_account(house: House, slapd: Slapd) -> None:
    """With the name, the language and the mapped role of the directory; the second one finds it."""
    slapd.group("admins", slapd.person("ann", "Ann Åkesson", PASSWORD))
    first = await house.login("ann@example.org")
    assert (first.status_code, first.json()["strength"]) == (200, "password")
    me = (await house.me(first)).json()
    assert (me["display_name"], me["locale"], me["auth_source"]) == ("Ann Åkesson", "sv", "directory:staff")
    assert (me["is_verified"], me["is_superuser"]) == (True, False)
    again = await house.me(await house.login("ann@example.org"))
    assert again.json()["id"] == me["id"]
    roles = await house.client.get(f"/rbac/users/{me['id']}/roles", headers=house.admin)
    assert [(held["role"], held["source"]) for held in roles.json()["roles"]] == [("helpdesk", "directory:staff")]


@pytest.mark.parametrize(
    ("login", "password", "directory"),
    [
        ("ann@example.org", "wrong", "staff"),
        ("nobody@example.org", PASSWORD, "staff"),
        ("ann@example.org", "", "staff"),
        ("ann@example.org", PASSWORD, "elsewhere"),
        ("*", PASSWORD, "staff"),
    ],
)
async def test_every_failed_sign_in_looks_the_same(
    house: House, slapd: Slapd, login: str, password: str, directory: str
) -> None:
    """Unknown people, directories and passwords are one answer."""
    slapd.person("ann", "Ann", PASSWORD)
    refused = await house.login(login, password, directory=directory)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (401, "bad-credentials")


async def test_nothing_falls_through_between_directory_and_local(house: House, slapd: Slapd) -> None:
    """The directory's password opens no local sign-in, and the local one no directory's."""
    slapd.person("ann", "Ann", PASSWORD)
    assert (await house.login("ann@example.org")).status_code == 200
    local = await house.client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
    assert local.status_code == 401
    assert (await house.login("admin@example.com", ADMIN)).status_code == 401


async def test_a_local_account_is_not_taken_over(house: House, slapd: Slapd) -> None:
    """The directory is not authoritative for the domain: whoever can write a mail attribute gets nobody's account."""
    slapd.person("mallory", "Mallory", PASSWORD, mail="admin@example.com")
    assert (await house.login("admin@example.com")).status_code == 401
    report = await house.report(dry_run=True)
    assert report["counts"] == {"conflict": 1}


async def test_a_dry_run_equals_the_run(house: House, slapd: Slapd) -> None:
    """Newcomers, changes, leavers and come-backs: the same report, and only the real run does it."""
    ann, bob = slapd.person("ann", "Ann", PASSWORD), slapd.person("bob", "Bob", PASSWORD)
    for number in range(3):
        slapd.person(f"p{number}", f"Person {number}", PASSWORD)
    assert await house.person("ann@example.org") is None
    dry = await house.report(dry_run=True)
    assert dry["counts"] == {"create": 5}
    assert await house.person("ann@example.org") is None
    assert await house.report(dry_run=False) == dry
    assert (await house.report(dry_run=False))["counts"] == {}
    slapd.delete(bob)
    slapd.replace(ann, "cn", "Ann Two")
    slapd.person("eve", "Eve", PASSWORD)
    dry = await house.report(dry_run=True)
    assert dry["counts"] == {"change": 1, "create": 1, "disable": 1}
    assert await house.report(dry_run=False) == dry
    assert (await house.person("bob@example.org"))["status"] == "disabled"
    assert (await house.person("ann@example.org"))["display_name"] == "Ann Two"


async def test_leavers_lose_their_sessions_at_the_run(house: House, slapd: Slapd) -> None:
    """The access token is dead with the next request; a person whose filter matches again is switched on again."""
    for number in range(2):
        slapd.person(f"p{number}", f"Person {number}", PASSWORD)
    ann = slapd.person("ann", "Ann", PASSWORD)
    tokens = await house.login("ann@example.org")
    await house.report(dry_run=False)
    slapd.replace(ann, "employeeType", "left")
    assert (await house.me(tokens)).status_code == 200
    await house.report(dry_run=False)
    assert (await house.me(tokens)).status_code == 401
    assert (await house.login("ann@example.org")).status_code == 401
    slapd.replace(ann, "employeeType", "back")
    assert (await house.report(dry_run=False))["counts"] == {"enable": 1}
    assert (await house.login("ann@example.org")).status_code == 200


async def test_leavers_lose_their_sessions_when_they_come_again(house: House, slapd: Slapd) -> None:
    """Attack 34: without any run, the first refused sign-in of somebody who left ends what was open; a wrong password
    of somebody who is still there ends nothing.
    """
    ann = slapd.person("ann", "Ann", PASSWORD)
    tokens = await house.login("ann@example.org")
    assert (await house.login("ann@example.org", "wrong")).status_code == 401
    assert (await house.me(tokens)).status_code == 200
    slapd.replace(ann, "employeeType", "left")
    assert (await house.login("ann@example.org")).status_code == 401
    assert (await house.me(tokens)).status_code == 401


async def test_roles_follow_the_groups(house: House, slapd: Slapd) -> None:
    """A role that came from a group goes with it; one that was given here stays."""
    ann, bob = slapd.person("ann", "Ann", PASSWORD), slapd.person("bob", "Bob", PASSWORD)
    group = slapd.group("admins", ann, bob)
    await house.report(dry_run=False)
    person = await house.person("ann@example.org")
    here = f"/rbac/users/{person['id']}/roles"
    await house.client.post(here, json={"role": "auditor"}, headers=house.admin)
    slapd.change(f"dn: {group}\nchangetype: modify\ndelete: member\nmember: {ann}\n")
    await house.report(dry_run=False)
    roles = (await house.client.get(here, headers=house.admin)).json()["roles"]
    assert [held["role"] for held in roles] == ["auditor"]


async def test_too_many_leavers_stop_the_run(house: House, slapd: Slapd) -> None:
    """More than the limit would be switched off: nothing is done, and the report of a dry run says so."""
    people = [slapd.person(f"p{number}", f"Person {number}", PASSWORD) for number in range(3)]
    await house.report(dry_run=False)
    slapd.delete(people[0])
    slapd.delete(people[1])
    dry = await house.report(dry_run=True)
    assert (dry["counts"], dry["exceeds_threshold"]) == ({"disable": 2}, True)
    refused = await house.run(dry_run=False)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (409, "sync-threshold")
    assert (await house.person("p0@example.org"))["status"] == "active"
    newest = (await house.client.get("/iam/sync/runs", headers=house.admin)).json()["items"][0]
    assert (newest["state"], "switched off" in newest["report"]["error"]) == ("refused", True)


async def test_a_directory_that_is_down_is_no_wrong_password(
    start: Start, admin: str, given: dict[str, object]
) -> None:
    """502 for directory people and runs; local people get in, and nobody is switched off."""
    away = json.dumps([{**given, "servers": ["ldaps://127.0.0.1:1"]}])
    async with start(ldap=away) as client:
        tokens = await client.post("/auth/jwt/login", json={"email": admin, "password": ADMIN})
        assert tokens.status_code == 200
        house = House(client, tokens.json()["access_token"])
        for answer in (await house.login("ann@example.org"), await house.run(dry_run=False)):
            assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (502, "directory-unreachable")
            assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"source": "directory:nowhere"}, 404),
        ({"source": "everything"}, 422),
        ({"source": "directory:staff", "target": "urn:au:user:1"}, 422),
        ({"source": "directory:staff", "force": True}, 422),
    ],
)
async def test_runs_of_what_is_not_there_are_refused(house: House, body: Json, status: int) -> None:
    """With the field, and without a run in the list."""
    assert (await house.client.post("/iam/sync/run", json=body, headers=house.admin)).status_code == status
    assert (await house.client.get("/iam/sync/runs", headers=house.admin)).json()["items"] == []


async def test_who_may_not_run_may_not_look_either(house: House, slapd: Slapd) -> None:
    """Directory people without a role see no run and start none."""
    slapd.person("ann", "Ann", PASSWORD)
    tokens = await house.login("ann@example.org")
    bearer = {"authorization": f"Bearer {tokens.json()['access_token']}"}
    run = await house.client.post("/iam/sync/run", json={"source": "directory:staff"}, headers=bearer)
    look = await house.client.get("/iam/sync/runs", headers=bearer)
    assert (run.status_code, look.status_code) == (403, 403)
    nobody = await house.client.get("/iam/sync/runs/00000000-0000-7000-8000-000000000000", headers=house.admin)
    assert nobody.status_code == 404


@pytest.mark.needs_postgres
async def test_it_is_the_same_on_postgres(
    start: Start, given: dict[str, object], slapd: Slapd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sign-in, a dry run, the run, and somebody who leaves, with everything in PostgreSQL."""
    people = [slapd.person(f"p{number}", f"Person {number}", PASSWORD) for number in range(3)]
    with postgres_server() as server:
        monkeypatch.setenv("FSP_DATABASE_URL", server.database("directory"))
        platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
        await Operator(platform).create_admin(NewPerson("admin@example.com", "Ada Admin"), ADMIN)
        async with start(ldap=json.dumps([given]), sync_disable_limit=50) as client:
            body = {"email": "admin@example.com", "password": ADMIN}
            house = House(client, (await client.post("/auth/jwt/login", json=body)).json()["access_token"])
            tokens = await house.login("p0@example.org")
            assert tokens.status_code == 200
            planned = await house.report(dry_run=True)
            assert planned["counts"] == (await house.report(dry_run=False))["counts"]
            slapd.replace(people[0], "employeeType", "left")
            assert (await house.report(dry_run=False))["counts"]["disable"] == 1
            assert (await house.me(tokens)).status_code == 401
