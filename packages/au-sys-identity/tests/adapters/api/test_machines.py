"""Service accounts and their keys over HTTP."""

import asyncio
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
ACCOUNTS = "/iam/service-accounts"
Header = dict[str, str]


async def sign_in(client: AsyncClient, email: str, password: str = PASSWORD) -> Header:
    """The header of a signed-in program."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": password})
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def join(client: AsyncClient, email: str) -> Header:
    """Register and sign in."""
    await client.post("/auth/register", json={"email": email, "password": PASSWORD})
    return await sign_in(client, email)


async def id_of(client: AsyncClient, who: Header) -> str:
    """The id of whoever is signed in."""
    return str((await client.get("/users/me", headers=who)).json()["id"])


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> Header:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org"), ADMIN)
    return await sign_in(client, "admin@example.org", ADMIN)


@pytest.fixture
async def ann(client: AsyncClient) -> Header:
    return await join(client, "ann@example.org")


@pytest.fixture
async def account(client: AsyncClient, admin: Header, ann: Header) -> str:
    """The path of a service account that ann answers for, and that may read people."""
    body = {"name": "Importer", "purpose": "Nightly import", "custodian": await id_of(client, ann)}
    made = await client.post(ACCOUNTS, headers=admin, json=body)
    assert (made.status_code, made.json()["kind"], made.json()["living"]) == (201, "app", True)
    granted = await client.post(f"/rbac/users/{made.json()['urn']}/roles", headers=admin, json={"role": "helpdesk"})
    assert granted.status_code == 201
    return f"{ACCOUNTS}/{made.json()['id']}"


async def key_of(client: AsyncClient, who: Header, account: str, scope: str = "identity.users.read") -> dict[str, str]:
    """A new key of the account."""
    made = await client.post(f"{account}/keys", headers=who, json={"name": "Night", "scopes": [scope]})
    assert made.status_code == 201, made.text
    found: dict[str, str] = made.json()
    return found


async def test_a_machine_acts_with_its_own_rights(client: AsyncClient, account: str, admin: Header) -> None:
    """Its key gives what its roles and the scopes give; it signs nothing a person must sign."""
    key = {"x-api-key": (await key_of(client, admin, account))["secret"]}
    assert (await client.get("/users", headers=key)).status_code == 200
    assert (await client.get("/rbac/roles", headers=key)).status_code == 403
    shown = (await client.get(account, headers=key)).json()
    assert (shown["name"], shown["mfa"]["mode"], shown["cap"]) == ("Importer", "none", "none")
    refused = await client.post(f"{account}/keys", headers=key, json={"name": "x", "scopes": ["identity.users.read"]})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "human-only")


async def test_a_machine_stops_with_the_person_who_answers_for_it(
    client: AsyncClient, account: str, admin: Header, ann: Header
) -> None:
    """With its only custodian disabled its key is refused at once, and works again when she is back."""
    key = {"x-api-key": (await key_of(client, admin, account))["secret"]}
    ann_id = await id_of(client, ann)
    assert (await client.get("/users", headers=key)).status_code == 200
    await client.patch(f"/users/{ann_id}", headers=admin, json={"is_active": False})
    refused = await client.get("/users", headers=key)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "no-custodian")
    assert (await client.get(account, headers=admin)).json()["living"] is False
    await client.patch(f"/users/{ann_id}", headers=admin, json={"is_active": True})
    assert (await client.get("/users", headers=key)).status_code == 200


async def test_a_key_is_replaced_without_an_interruption(client: AsyncClient, account: str, admin: Header) -> None:
    """Old and new work together until the old one is revoked or the overlap is over; it is rotated once."""
    old = await key_of(client, admin, account)
    made = await client.post(f"{account}/rotate/{old['id']}", headers=admin, json={"overlap_seconds": 60})
    assert (made.status_code, made.json()["supersedes"]) == (201, old["id"])
    for secret in (old["secret"], made.json()["secret"]):
        assert (await client.get("/users", headers={"x-api-key": secret})).status_code == 200
    again = await client.post(f"{account}/rotate/{old['id']}", headers=admin)
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "already-rotated")
    at_once = await client.post(f"{account}/rotate/{made.json()['id']}", headers=admin, json={"overlap_seconds": 0})
    assert (await client.get(account, headers={"x-api-key": made.json()["secret"]})).status_code == 401
    assert (await client.get(account, headers={"x-api-key": at_once.json()["secret"]})).status_code == 200


async def test_custody_gives_no_rights(client: AsyncClient, account: str, admin: Header, ann: Header) -> None:
    """A custodian neither makes nor rotates a key that gives more than she holds herself."""
    key = await key_of(client, admin, account)
    body = {"name": "x", "scopes": ["identity.users.read"]}
    refused = [
        await client.post(f"{account}/keys", headers=ann, json=body),
        await client.post(f"{account}/rotate/{key['id']}", headers=ann),
    ]
    assert [answer.json()["type"].rpartition("/")[2] for answer in refused] == ["exceeds-own-rights"] * 2


async def test_a_machine_rotates_the_key_that_it_uses(client: AsyncClient, account: str, admin: Header) -> None:
    """Without a person; of many at the same time one succeeds. Another key of its own it does not rotate."""
    first, second = await key_of(client, admin, account), await key_of(client, admin, account)
    with_first = {"x-api-key": first["secret"]}
    answers = await asyncio.gather(
        *(client.post(f"{account}/rotate/{first['id']}", headers=with_first) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    refused = await client.post(f"{account}/rotate/{second['id']}", headers=with_first)
    assert refused.status_code == 403


async def test_machines_of_others_are_none_of_ones_business(
    client: AsyncClient, account: str, admin: Header, ann: Header
) -> None:
    """A stranger sees no list entry, no machine and no key, and gets the same answer as for an unknown one."""
    eve = await join(client, "eve@example.org")
    unknown = f"{ACCOUNTS}/01890000-0000-7000-8000-000000000000"
    key = await key_of(client, admin, account)
    assert [len((await client.get(ACCOUNTS, headers=who)).json()["items"]) for who in (admin, ann, eve)] == [1, 1, 0]
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/keys"), ("POST", "/keys"),
        ("DELETE", f"/keys/{key['id']}"), ("POST", f"/rotate/{key['id']}"),
    ):  # fmt: skip
        body = {"name": "x", "scopes": ["identity.users.read"]} if (method, path) == ("POST", "/keys") else {}
        answers = [await client.request(method, base + path, headers=eve, json=body) for base in (account, unknown)]
        assert [answer.status_code for answer in answers] == [404, 404], (method, path)
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert (await client.post(ACCOUNTS, headers=eve, json={"name": "x", "purpose": "y"})).status_code == 403


async def test_nobody_leaves_machines_behind(client: AsyncClient, account: str, admin: Header, ann: Header) -> None:
    """Closing the only custodian's account is refused with the list, unless it is said what becomes of them."""
    ann_id, bob = await id_of(client, ann), await join(client, "bob@example.org")
    refused = await client.delete(f"/users/{ann_id}", headers=admin)
    assert (refused.status_code, len(refused.json()["dependents"])) == (409, 1)
    wrong = await client.delete(f"/users/{ann_id}", headers=admin, params={"successor": ann_id})
    assert wrong.status_code == 422
    bob_id = await id_of(client, bob)
    handed = await client.delete("/users/me", headers=ann, params={"successor": bob_id})
    assert handed.status_code == 204
    assert (await client.get("/users/me", headers=ann)).status_code == 401
    assert [owner["urn"] for owner in (await client.get(account, headers=bob)).json()["custodians"]] == [
        f"urn:au:user:{bob_id}"
    ]
    assert (await client.delete(f"/users/{bob_id}", headers=admin, params={"cascade": "stop"})).status_code == 204
    stopped = (await client.get(account, headers=admin)).json()
    assert (stopped["status"], stopped["living"]) == ("disabled", False)


async def test_a_machine_is_changed_and_closed(client: AsyncClient, account: str, admin: Header) -> None:
    """Changes ask for the version that was read; a disabled one is refused, a closed one is gone with its keys."""
    key = {"x-api-key": (await key_of(client, admin, account))["secret"]}
    renamed = await client.patch(account, headers={**admin, "if-match": '"1"'}, json={"name": "Loader"})
    assert (renamed.json()["name"], renamed.headers["etag"]) == ("Loader", '"2"')
    assert (await client.patch(account, headers={**admin, "if-match": '"1"'}, json={"name": "x"})).status_code == 412
    await client.patch(account, headers=admin, json={"status": "disabled", "status_reason": "leaked"})
    assert (await client.get("/users", headers=key)).status_code == 401
    await client.patch(account, headers=admin, json={"status": "active"})
    assert (await client.get("/users", headers=key)).status_code == 200
    assert (await client.delete(account, headers=admin)).status_code == 204
    assert [
        (await client.get(account, headers=admin)).status_code,
        (await client.get("/users", headers=key)).status_code,
    ] == [404, 401]


async def test_a_key_is_revoked_for_good(client: AsyncClient, account: str, ann: Header, admin: Header) -> None:
    """By its custodian; it is listed as revoked, without its secret."""
    key = await key_of(client, admin, account)
    assert (await client.delete(f"{account}/keys/{key['id']}", headers=ann)).status_code == 204
    listed = (await client.get(f"{account}/keys", headers=ann)).json()["items"]
    assert [(item["status"], item["owner"].split(":")[2], "secret" in item) for item in listed] == [
        ("revoked", "app", False)
    ]
    assert (await client.get("/users", headers={"x-api-key": key["secret"]})).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "purpose": "x"},
        {"name": "x", "purpose": " "},
        {"name": "x\u202e", "purpose": "x"},
        {"name": "x", "purpose": "x", "custodian": "nobody"},
        {"name": "x", "purpose": "x", "custodian": "01890000-0000-7000-8000-000000000000"},
        {"name": "x", "purpose": "x", "status": "active"},
    ],
)
async def test_bad_machines_are_not_made(client: AsyncClient, admin: Header, body: dict[str, str]) -> None:
    """No name, no purpose, nobody living who answers for it, or a protected field is a 422."""
    assert (await client.post(ACCOUNTS, headers=admin, json=body)).status_code == 422
    assert (await client.get(ACCOUNTS, headers=admin)).json()["items"] == []


async def test_a_personal_key_does_not_renew_itself(client: AsyncClient, admin: Header) -> None:
    """Under a person's own id the way of machines does not exist: who found a key cannot outlive its end with it."""
    body = {"name": "Mine", "scopes": ["identity.users.read"]}
    key = (await client.post("/auth/api-keys/", headers=admin, json=body)).json()
    path = f"{ACCOUNTS}/{await id_of(client, admin)}/rotate/{key['id']}"
    refused = await client.post(path, headers={"x-api-key": key["secret"]})
    assert refused.status_code == 404
    assert len((await client.get("/auth/api-keys/", headers=admin)).json()["items"]) == 1
