"""Runtime settings over HTTP, each operation once allowed and once refused."""

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
PLACE = "/management/settings/"


async def sign_in(client: AsyncClient, email: str, password: str) -> dict[str, str]:
    """The header of a signed-in program."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": password})
    assert answer.status_code == 200
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def make_admin(client: AsyncClient, data_dir: Path) -> dict[str, str]:
    """The header of an administrator."""
    operator = Operator(PlatformSettings(environment="test", data_dir=data_dir, public_url="http://platform.test"))
    await operator.create_admin(NewPerson("admin@example.org"), ADMIN)
    return await sign_in(client, "admin@example.org", ADMIN)


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> dict[str, str]:
    return await make_admin(client, tmp_path)


async def one(client: AsyncClient, who: dict[str, str], name: str) -> dict[str, object]:
    """One setting of the list."""
    answer = await client.get(PLACE, headers=who)
    assert answer.status_code == 200
    found: dict[str, object] = next(item for item in answer.json()["items"] if item["name"] == name)
    return found


def slug(problem: dict[str, str]) -> str:
    """The last part of a problem's type."""
    return problem["type"].rpartition("/")[2]


async def test_settings_are_listed_with_source_and_without_secrets(client: AsyncClient, admin: dict[str, str]) -> None:
    """Each says value, default, where it comes from, and whether it may be changed; secrets stay out."""
    assert await one(client, admin, "ACCESS_TTL") == {
        "name": "ACCESS_TTL", "value": 600, "default": 600, "source": "default", "pinned": False, "type": "integer",
        "description": "Seconds that an access token lives.",
    }  # fmt: skip
    assert (await one(client, admin, "REGISTRATION"))["source"] == "environment"
    assert (await one(client, admin, "SECRET_KEY"))["value"] is None


async def test_settings_need_the_permission(client: AsyncClient, admin: dict[str, str]) -> None:
    """People without it neither see nor change settings."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    ann = await sign_in(client, "ann@example.org", PASSWORD)
    change = {"values": {"ACCESS_TTL": 60}}
    answers = [await client.get(PLACE, headers=ann), await client.patch(PLACE, headers=ann, json=change)]
    assert [answer.status_code for answer in answers] == [403, 403]


async def test_a_change_is_in_force_at_once(client: AsyncClient, admin: dict[str, str]) -> None:
    """The next token lives as long as the setting says; null goes back to the default."""
    first = await client.get(PLACE, headers=admin)
    headers = {**admin, "if-match": first.headers["etag"]}
    answer = await client.patch(PLACE, headers=headers, json={"values": {"ACCESS_TTL": 60}})
    assert (answer.status_code, answer.json()["version"]) == (200, first.json()["version"] + 1)
    assert (await one(client, admin, "ACCESS_TTL"))["source"] == "runtime"
    login = await client.post("/auth/jwt/login", json={"email": "admin@example.org", "password": ADMIN})
    assert login.json()["expires_in"] == 60
    stale = await client.patch(PLACE, headers=headers, json={"values": {"ACCESS_TTL": 90}})
    assert (stale.status_code, slug(stale.json())) == (412, "stale")
    back = await client.patch(PLACE, headers=admin, json={"values": {"ACCESS_TTL": None}, "accept_weaker": True})
    assert back.status_code == 200
    assert (await one(client, admin, "ACCESS_TTL"))["value"] == 600


@pytest.mark.parametrize(
    ("values", "status", "expected"),
    [
        ({"NO_SUCH": 1}, 422, "invalid-input"),
        ({"access_ttl": 60}, 422, "invalid-input"),
        ({"ACCESS_TTL": "60"}, 422, "invalid-input"),
        ({"ACCESS_TTL": True}, 422, "invalid-input"),
        ({"ACCESS_TTL": 5}, 422, "invalid-input"),
        ({"API_KEY_DAYS": 300, "API_KEY_MAX_DAYS": 200}, 422, "invalid-input"),
        ({"REGISTRATION_DOMAINS": "not a domain"}, 422, "invalid-input"),
        ({"PROVIDERS": [{"name": "x"}]}, 422, "invalid-input"),
        ({"PROVIDERS": "x"}, 422, "invalid-input"),
        ({"REGISTRATION": "closed"}, 409, "setting-pinned"),
        ({"SECRET_KEY": "x"}, 409, "setting-pinned"),
        ({"HASH_THREADS": 2}, 409, "setting-pinned"),
        ({"ACCESS_TTL": 3600}, 409, "weaker-setting"),
        ({"PASSWORD_MIN_LENGTH": 8}, 409, "weaker-setting"),
        ({"RESET_KILLS_KEYS": False}, 409, "weaker-setting"),
        ({}, 422, "invalid-request"),
    ],
)
async def test_changes_that_are_refused(
    client: AsyncClient, admin: dict[str, str], values: dict[str, object], status: int, expected: str
) -> None:
    """What is unknown, pinned, out of bounds or weaker changes nothing, together with all else in the request."""
    answer = await client.patch(
        PLACE, headers=admin, json={"values": {**values, **({"SIGNING_KEY_DAYS": 7} if values else {})}}
    )
    assert (answer.status_code, slug(answer.json())) == (status, expected)
    assert (await one(client, admin, "SIGNING_KEY_DAYS"))["value"] == 30


async def test_weaker_is_possible_when_meant(client: AsyncClient, admin: dict[str, str]) -> None:
    """With accept_weaker the guard is lowered; the refusal names what is weaker."""
    refused = await client.patch(PLACE, headers=admin, json={"values": {"GUESS_LIMIT": 50, "ACCESS_TTL": 30}})
    assert refused.json()["settings"] == ["GUESS_LIMIT"]
    answer = await client.patch(PLACE, headers=admin, json={"values": {"GUESS_LIMIT": 50}, "accept_weaker": True})
    assert answer.status_code == 200


async def test_secrets_of_lists_are_masked_and_kept(client: AsyncClient, admin: dict[str, str]) -> None:
    """A provider's secret is never shown; sending the mask back keeps it."""
    provider = {
        "name": "work",
        "label": "Work",
        "issuer": "https://id.example.org",
        "client_id": "a",
        "client_secret": "s3",
    }
    answer = await client.patch(PLACE, headers=admin, json={"values": {"PROVIDERS": [provider]}})
    assert answer.status_code == 200
    assert "s3" not in answer.text
    shown = (await one(client, admin, "PROVIDERS"))["value"]
    assert isinstance(shown, list)
    again = await client.patch(PLACE, headers=admin, json={"values": {"PROVIDERS": [{**shown[0], "label": "Office"}]}})
    assert again.status_code == 200
    listed = await client.get("/auth/providers")
    assert [found["label"] for found in listed.json()["items"]] == ["Office"]


async def test_settings_give_nobody_more_than_their_setter_holds(client: AsyncClient, admin: dict[str, str]) -> None:
    """Who may change settings, and nothing else, cannot map a directory's group to the administrators."""
    made = {"email": "ann@example.org", "password": PASSWORD, "display_name": "Ann"}
    assert (await client.post("/auth/register", json=made)).status_code == 202
    ann = await sign_in(client, "ann@example.org", PASSWORD)
    urn = (await client.get("/users/me", headers=ann)).json()["urn"]
    role = {"name": "setter", "permissions": ["identity.settings.read", "identity.settings.write"]}
    assert (await client.post("/rbac/roles", headers=admin, json=role)).status_code == 201
    given = await client.post(f"/rbac/users/{urn}/roles", headers=admin, json={"role": "setter"})
    assert given.status_code == 201
    directory = {
        "name": "school",
        "label": "School",
        "servers": ["ldaps://ldap.example.org"],
        "user": "cn=reader,dc=example,dc=org",
        "password": "s",
        "base": "dc=example,dc=org",
        "roles": {"cn=all,dc=example,dc=org": "platform-admin"},
    }
    ann = await sign_in(client, "ann@example.org", PASSWORD)
    refused = await client.patch(PLACE, headers=ann, json={"values": {"LDAP": [directory]}})
    assert (refused.status_code, slug(refused.json())) == (403, "exceeds-own-rights"), refused.text
    assert (await one(client, admin, "LDAP"))["value"] == []
    answer = await client.patch(PLACE, headers=admin, json={"values": {"LDAP": [directory]}})
    assert answer.status_code == 200, answer.text


async def test_another_node_follows(start: Start, tmp_path: Path) -> None:
    """Two processes on one database: what one changes is in force on the other within a second."""
    async with start(registration="invite") as first, start(registration="open") as second:
        await make_admin(first, tmp_path)
        admin = await sign_in(first, "admin@example.org", ADMIN)
        changed = await first.patch(PLACE, headers=admin, json={"values": {"ACCESS_TTL": 45}})
        assert changed.status_code == 200
        for _ in range(200):
            login = await second.post("/auth/jwt/login", json={"email": "admin@example.org", "password": ADMIN})
            if login.json()["expires_in"] == 45:
                break
        assert login.json()["expires_in"] == 45
