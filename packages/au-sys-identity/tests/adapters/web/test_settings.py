"""The settings page, as an administrator's browser without scripts."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
HTML = {"accept": "text/html"}
HERE = "/admin/identity/settings"


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> AsyncClient:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org", "Ada Admin"), ADMIN)
    await client.post("/login", data={"email": "admin@example.org", "password": ADMIN})
    return client


def form_of(page: str) -> dict[str, str]:
    """What a browser would send back unchanged."""
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))  # the token comes first
    found |= dict(re.findall(r'type="(?:text|number)" id="[^"]+" name="([^"]+)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select class="input" id="[^"]+" name="([^"]+)".*?>(.*?)</select>', page, re.S):
        found[name] = re.findall(r'<option value="([^"]*)" selected', options)[0]
    for name, rest in re.findall(r'<input type="checkbox" id="[^"]+" name="([^"]+)" value="on"( checked)?', page):
        if rest:
            found[name] = "on"
    return found


async def save(admin: AsyncClient, **changes: str) -> Response:
    """Send the form of the page with these changes."""
    page = await admin.get(HERE, headers=HTML)
    return await admin.post(HERE, headers=HTML, data={**form_of(page.text), **changes})


async def test_a_setting_is_changed_and_goes_back(admin: AsyncClient) -> None:
    """What was typed is in force and shown; an empty field is the default."""
    saved = await save(admin, VERIFY_TTL="3600")
    assert (saved.status_code, saved.headers.get("location")) == (303, f"{HERE}?saved=settings")
    assert form_of((await admin.get(HERE, headers=HTML)).text)["VERIFY_TTL"] == "3600"
    assert (await save(admin, VERIFY_TTL="", accept_weaker="on")).status_code == 303
    assert form_of((await admin.get(HERE, headers=HTML)).text)["VERIFY_TTL"] == "86400"


async def test_saving_without_a_change_changes_nothing(admin: AsyncClient) -> None:
    """The version stays."""
    before = form_of((await admin.get(HERE, headers=HTML)).text)
    assert (await save(admin)).status_code == 303
    assert form_of((await admin.get(HERE, headers=HTML)).text)["version"] == before["version"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"VERIFY_TTL": "many"}, "must be a whole number"),
        ({"VERIFY_TTL": "1"}, "greater than or equal to 600"),
        ({"VERIFY_TTL": "604800"}, "This lowers the guard."),
        ({"RESET_KILLS_KEYS": "off"}, "This lowers the guard."),
    ],
)
async def test_what_is_wrong_stands_at_the_field(admin: AsyncClient, changes: dict[str, str], sentence: str) -> None:
    """Nothing is changed, and what was typed is kept."""
    answer = await save(admin, **changes)
    assert (answer.status_code, sentence in answer.text) == (400, True)


async def test_what_the_environment_says_is_locked(admin: AsyncClient) -> None:
    """It is shown without a field; sending one is ignored."""
    page = await admin.get(HERE, headers=HTML)
    assert 'name="REGISTRATION"' not in page.text
    assert "environment" in page.text
    assert (await save(admin, REGISTRATION="closed")).status_code == 303


async def test_others_do_not_see_the_page(client: AsyncClient) -> None:
    """Without the permission it is refused."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    await client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
    assert (await client.get(HERE, headers=HTML)).status_code == 403
