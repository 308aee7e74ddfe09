"""People and roles, as an administrator's browser without scripts."""

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


def token_of(page: Response) -> str:
    """The anti-forgery token of the forms on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found.group(1)


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> AsyncClient:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org", "Ada Admin"), ADMIN)
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    await client.post("/login", data={"email": "admin@example.org", "password": ADMIN})
    return client


async def page_of(admin: AsyncClient, name: str) -> str:
    """The path of somebody's page, found through the search."""
    found = await admin.get("/admin/identity/users", params={"q": name}, headers=HTML)
    links: set[str] = set(re.findall(r'href="(/admin/identity/users/[0-9a-f-]{36})"', found.text))
    assert len(links) == 1
    return links.pop()


async def post(admin: AsyncClient, page: str, path: str, **form: str) -> Response:
    """Send a form of a page."""
    token = token_of(await admin.get(page, headers=HTML))
    return await admin.post(path, headers=HTML, data={"csrf_token": token, **form})


async def test_an_account_is_made_and_its_password_shown_once(admin: AsyncClient) -> None:
    """The one-time password stands on the answer only; a second account with the address is refused with a sentence."""
    here = "/admin/identity/users"
    made = await post(admin, here, here, email="bob@example.org", display_name="Bob <b>")
    shown = re.search(r"<code>(\w{5}(?:-\w{5}){3})</code>", made.text)
    assert (made.status_code, shown is not None, "no-store" in made.headers["cache-control"]) == (200, True, True)
    assert "Bob &lt;b&gt;" in made.text
    again = await post(admin, here, here, email="BOB@example.org", display_name="Bob")
    assert (again.status_code, "in use already" in again.text) == (400, True)
    assert shown is not None
    assert shown.group(1) not in (await admin.get(here, headers=HTML)).text


async def test_roles_are_given_and_taken(admin: AsyncClient) -> None:
    """What the page shows follows what was done; the last administrator is not taken away."""
    ann = await page_of(admin, "ann@")
    assert (await post(admin, ann, f"{ann}/roles", role="helpdesk")).headers["location"] == ann
    assert f'action="{ann}/roles/withdraw"' in (await admin.get(ann, headers=HTML)).text
    await post(admin, ann, f"{ann}/roles/withdraw", role="helpdesk", domain="default")
    assert f'action="{ann}/roles/withdraw"' not in (await admin.get(ann, headers=HTML)).text
    own = await page_of(admin, "admin@")
    refused = await post(admin, own, f"{own}/roles/withdraw", role="platform-admin", domain="*")
    assert (refused.status_code, "no active platform administrator" in refused.text) == (400, True)


async def test_an_account_is_switched_off_and_signed_out(admin: AsyncClient) -> None:
    """Off is off at once, and on again is a button away."""
    ann = await page_of(admin, "ann@")
    await post(admin, ann, f"{ann}/status", active="off")
    assert "Switch on" in (await admin.get(ann, headers=HTML)).text
    await post(admin, ann, f"{ann}/status", active="on")
    assert "Switch off" in (await admin.get(ann, headers=HTML)).text
    assert (await post(admin, ann, f"{ann}/sign-out")).headers["location"] == ann
    assert (await post(admin, ann, f"{ann}/factors/reset")).headers["location"] == ann


@pytest.mark.parametrize("path", ["/admin/identity/users", "/admin/identity/roles"])
async def test_ordinary_people_see_neither_page_nor_link(client: AsyncClient, path: str) -> None:
    """Who may not use a page gets 403 and no entry in the menu."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    await client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
    assert (await client.get(path, headers=HTML)).status_code == 403
    assert "/admin/identity" not in (await client.get("/account", headers=HTML)).text


async def test_nobodys_page_is_not_found(admin: AsyncClient) -> None:
    """An unknown id is 404, on reading and on changing."""
    nobody = "/admin/identity/users/00000000-0000-7000-8000-000000000000"
    assert (await admin.get(nobody, headers=HTML)).status_code == 404
    here = "/admin/identity/users"
    assert (await post(admin, here, f"{nobody}/status", active="off")).status_code == 404
    assert (await post(admin, here, f"{here}/nonsense/roles", role="helpdesk")).status_code == 404


async def test_an_account_is_closed_after_a_look_at_what_depends_on_it(admin: AsyncClient) -> None:
    """Machines that nobody else answers for are shown first; without a choice the page says what is missing."""
    page = await page_of(admin, "ann")
    ann = f"urn:au:user:{page.rpartition('/')[2]}"
    shown = await admin.get(page, headers=HTML)
    assert ("What may be done" in shown.text, f"{page}/close" in shown.text) == (True, True)
    bot = {"name": "Night robot", "purpose": "tests", "custodian": ann}
    csrf = {"x-csrf-token": token_of(shown)}
    assert (await admin.post("/iam/service-accounts", json=bot, headers=csrf)).status_code == 201
    assert (await post(admin, page, f"{page}/unlock")).headers["location"] == page
    assert "Night robot" in (await admin.get(f"{page}/close", headers=HTML)).text
    refused = await post(admin, f"{page}/close", f"{page}/close")
    assert (refused.status_code, "Name a successor" in refused.text) == (400, True)
    wrong = await post(admin, f"{page}/close", f"{page}/close", successor="nobody")
    assert (wrong.status_code, 'id="field-successor-error"' in wrong.text) == (400, True)
    done = await post(admin, f"{page}/close", f"{page}/close", stop="on")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/identity/users")
    assert (await admin.get(page, headers=HTML)).status_code == 404


async def test_people_and_roles_are_found_by_the_search(admin: AsyncClient) -> None:
    """By a part of a name or an address, in the reader's language; nothing is found that is not there."""
    here = "/admin/identity/users"
    await post(admin, here, here, email="berit@example.org", display_name="Berit %")
    found = await admin.get("/search", params={"q": "BERIT@"}, headers=HTML)
    assert (found.status_code, "Berit %" in found.text, 'href="/admin/identity/users/' in found.text) == (
        200,
        True,
        True,
    )
    roles = await admin.get("/search", params={"q": "platform-admin"}, headers={**HTML, "accept-language": "sv"})
    assert ("Roller</h2>" in roles.text, "/admin/identity/roles/platform-admin" in roles.text) == (True, True)
    assert 'href="/admin/identity/users/' not in (await admin.get("/search", params={"q": "%%"}, headers=HTML)).text


async def test_a_change_is_taken_back_from_the_page_that_follows(admin: AsyncClient) -> None:
    """A toast offers it once; taking it back can itself be taken back."""
    page = await page_of(admin, "ann@")
    await post(admin, page, f"{page}/status", active="off")
    shown = (await admin.get(page, headers=HTML)).text
    offered = re.search(r'action="(/admin/identity/backups/changes/[0-9a-f-]{36})"', shown)
    assert (offered is not None, "badge-dot" in shown and ">disabled<" in shown) == (True, True)
    assert "/backups/changes/" not in (await admin.get(page, headers=HTML)).text
    assert offered is not None
    undone = await post(admin, page, offered.group(1), confirm="yes", back=page)
    assert (undone.status_code, undone.headers["location"]) == (303, page)
    again = (await admin.get(page, headers=HTML)).text
    assert (">active<" in again, "/admin/identity/backups/changes/" in again) == (True, True)
    elsewhere = await post(admin, page, offered.group(1), confirm="yes", back="https://evil.test/")
    assert "evil" not in elsewhere.headers.get("location", "")
