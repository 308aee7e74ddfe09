"""API keys and logins elsewhere on the security page, as a browser without scripts."""

import json
import re
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

ADMIN = "a very different sentence"
HTML = {"accept": "text/html"}
HERE = "/account/security"


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> AsyncClient:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org", "Ada Admin"), ADMIN)
    await client.post("/login", data={"email": "admin@example.org", "password": ADMIN})
    return client


async def post(admin: AsyncClient, path: str, **form: str | list[str]) -> Response:
    """Send a form of the page."""
    page = await admin.get(HERE, headers=HTML)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return await admin.post(f"{HERE}{path}", headers=HTML, data={"csrf_token": found.group(1), **form})


async def test_a_key_is_made_shown_once_and_revoked(admin: AsyncClient) -> None:
    """The secret works, stands on no later page, and is dead after a click."""
    made = await post(admin, "/keys", name="Nightly report", scopes=["identity.users.read"], days="7")
    secret = re.search(r"au_live_[0-9A-Za-z]+", made.text)
    assert (made.status_code, secret is not None, made.headers["cache-control"]) == (200, True, "no-store")
    assert secret is not None
    page = (await admin.get(HERE, headers=HTML)).text
    assert ("Nightly report" in page, secret.group() in page) == (True, False)
    admin_cookies, key = dict(admin.cookies), {"x-api-key": secret.group()}
    admin.cookies.clear()
    assert (await admin.get("/users", headers=key)).status_code == 200
    admin.cookies.update(admin_cookies)
    there = re.search(r'action="/account/security(/keys/[0-9a-f-]+/revoke)"', page)
    assert there
    assert (await post(admin, there.group(1))).status_code == 303
    admin.cookies.clear()
    assert (await admin.get("/users", headers=key)).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {"name": "x", "scopes": []},
        {"name": "", "scopes": ["identity.users.read"]},
        {"name": "x", "scopes": ["identity.users.read"], "days": "none"},
        {"name": "x", "scopes": ["identity.users.read"], "days": "5000"},
    ],
)
async def test_keys_that_are_refused(admin: AsyncClient, form: dict[str, str | list[str]]) -> None:
    """Without a scope or a name, or with a life that is none: a sentence, and no key."""
    answer = await post(admin, "/keys", **form)
    assert (answer.status_code, "au_live_" in answer.text) == (400, False)


async def test_a_login_is_offered_for_linking(admin: AsyncClient) -> None:
    """A provider that is set up stands there; one that does not answer is named, an unknown link is not found."""
    provider = {"name": "office", "label": "Office", "issuer": "http://127.0.0.1:9"}
    provider |= {"client_id": "a", "client_secret": "s"}
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', (await admin.get(HERE, headers=HTML)).text)
    assert csrf
    headers = {"x-csrf-token": csrf.group(1), "content-type": "application/json"}
    change = json.dumps({"values": {"PROVIDERS": [provider]}})
    assert (await admin.patch("/management/settings/", headers=headers, content=change)).status_code == 200
    assert 'action="/account/security/logins/office/link"' in (await admin.get(HERE, headers=HTML)).text
    assert (await post(admin, "/logins/office/link")).status_code == 400
    assert (await post(admin, "/logins/no-such-link/unlink")).status_code == 400
