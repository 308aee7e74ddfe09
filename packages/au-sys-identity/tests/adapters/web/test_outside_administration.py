"""Directories and login providers, as an administrator's browser without scripts."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

ADMIN = "a very different sentence"
HTML = {"accept": "text/html"}
DIRECTORIES = "/admin/identity/directories"
PROVIDERS = "/admin/identity/login-providers"
PROVIDER = {
    "name": "corp",
    "label": "Corporate <login>",
    "kind": "oidc",
    "issuer": "https://idp.invalid",
    "client_id": "platform",
    "client_secret": "hush hush secret",
    "scopes": "openid email",
    "enabled": "on",
}
DIRECTORY = {
    "name": "staff",
    "label": "Staff",
    "servers": "ldaps://127.0.0.1:1\nldap://127.0.0.1:2",
    "base": "dc=example,dc=org",
    "user": "cn=service,dc=example,dc=org",
    "password": "hush hush password",
    "people": "(objectClass=inetOrgPerson)",
    "roles": "helpdesk: cn=admins,dc=example,dc=org",
    "provision": "on",
    "enabled": "on",
}


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> AsyncClient:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org", "Ada Admin"), ADMIN)
    await client.post("/login", data={"email": "admin@example.org", "password": ADMIN})
    return client


async def post(admin: AsyncClient, page: str, path: str, **form: str) -> Response:
    """Send a form of a page."""
    shown = await admin.get(page, headers=HTML)
    found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
    assert found, shown.text
    return await admin.post(path, headers=HTML, data={"csrf_token": found.group(1), **form})


async def test_a_provider_that_is_added_stands_on_the_sign_in_page(admin: AsyncClient) -> None:
    """At once, without a restart; switched off it is gone, and removed as well. Its secret is shown to nobody."""
    assert (await post(admin, f"{PROVIDERS}/new", f"{PROVIDERS}/save", **PROVIDER)).headers["location"] == PROVIDERS
    session = admin.cookies["identity_session"]
    admin.cookies.delete("identity_session")
    page = await admin.get("/login", headers=HTML)
    assert 'href="/auth/oauth/corp/authorize"' in page.text
    assert "Corporate &lt;login&gt;" in page.text
    assert (await admin.get("/auth/providers")).json()["items"][0]["name"] == "corp"
    admin.cookies.set("identity_session", session)
    for path in (PROVIDERS, f"{PROVIDERS}/corp/edit"):
        assert "hush" not in (await admin.get(path, headers=HTML)).text
    changed = {**PROVIDER, "old": "corp", "client_secret": "", "enabled": ""}
    assert (await post(admin, f"{PROVIDERS}/corp/edit", f"{PROVIDERS}/save", **changed)).status_code == 303
    assert (await admin.get("/auth/providers")).json()["items"] == []
    assert (await post(admin, PROVIDERS, f"{PROVIDERS}/corp/remove")).headers["location"] == PROVIDERS
    assert (await admin.get(f"{PROVIDERS}/corp/edit", headers=HTML)).status_code == 404


async def test_a_provider_is_tried_before_people_are_sent_there(admin: AsyncClient) -> None:
    """One that does not answer is said to, in a sentence."""
    await post(admin, f"{PROVIDERS}/new", f"{PROVIDERS}/save", **PROVIDER)
    tried = await post(admin, PROVIDERS, f"{PROVIDERS}/corp/test")
    assert (tried.status_code, "does not answer as it should" in tried.text) == (502, True)


async def test_a_directory_is_set_up_tried_and_removed(admin: AsyncClient) -> None:
    """Several servers, a map of roles; the sign-in page offers it; a run of one that is down says so and is listed."""
    made = await post(admin, f"{DIRECTORIES}/new", f"{DIRECTORIES}/save", **DIRECTORY)
    assert made.headers["location"] == f"{DIRECTORIES}/staff"
    here = f"{DIRECTORIES}/staff"
    for page in (here, f"{here}/edit", DIRECTORIES):
        shown = await admin.get(page, headers=HTML)
        assert (shown.status_code, "hush" in shown.text) == (200, False)
    assert "helpdesk: cn=admins,dc=example,dc=org" in (await admin.get(f"{here}/edit", headers=HTML)).text
    assert "does not answer" in (await post(admin, here, f"{here}/test")).text
    assert "does not answer" in (await post(admin, here, f"{here}/run", dry_run="yes")).text
    assert "failed" in (await admin.get(DIRECTORIES, headers=HTML)).text
    session = admin.cookies["identity_session"]
    admin.cookies.delete("identity_session")
    assert 'href="/login/directory/staff"' in (await admin.get("/login", headers=HTML)).text
    form = await post(admin, "/login/directory/staff", "/login/directory/staff", login="ann", password="x")
    assert (form.status_code, form.headers["retry-after"]) == (502, "5")
    assert (await admin.get("/login/directory/nowhere", headers=HTML)).status_code == 404
    admin.cookies.set("identity_session", session)
    assert (await post(admin, here, f"{here}/remove")).headers["location"] == DIRECTORIES
    assert (await admin.get(here, headers=HTML)).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Not A Name", "is not a short name"),
        ("servers", "http://ldap.example.org", "is not an address of the right kind"),
        ("people", "(&(objectClass=person)", "is not a filter"),
        ("roles", "helpdesk", "role: group on each line"),
        ("roles", "nonsense: cn=a", "no such role"),
        ("login", "mail)(uid=*", "is not the name of an attribute"),
        ("base", "", "must be a text"),
    ],
)
async def test_a_form_with_a_mistake_comes_back(admin: AsyncClient, field: str, value: str, said: str) -> None:
    """With the sentence, with what was typed, and without the password."""
    answer = await post(admin, f"{DIRECTORIES}/new", f"{DIRECTORIES}/save", **{**DIRECTORY, field: value})
    assert (answer.status_code, said in answer.text, "hush" in answer.text) == (400, True, False)
    assert "ldap" in answer.text
    assert (await admin.get(f"{DIRECTORIES}/staff", headers=HTML)).status_code == 404


async def test_a_name_is_used_once(admin: AsyncClient) -> None:
    """A second provider of the name is refused and does not replace the first."""
    await post(admin, f"{PROVIDERS}/new", f"{PROVIDERS}/save", **PROVIDER)
    again = await post(admin, f"{PROVIDERS}/new", f"{PROVIDERS}/save", **{**PROVIDER, "label": "Another"})
    assert (again.status_code, "in use already" in again.text) == (400, True)
    assert "Another" not in (await admin.get(PROVIDERS, headers=HTML)).text


@pytest.mark.parametrize("path", [DIRECTORIES, f"{DIRECTORIES}/new", PROVIDERS, f"{PROVIDERS}/new"])
async def test_ordinary_people_see_neither_page_nor_link(client: AsyncClient, path: str) -> None:
    """Who may not use a page gets 403 and no entry in the menu."""
    person = {"email": "ann@example.org", "password": "correct horse battery staple"}
    await client.post("/auth/register", json=person)
    await client.post("/login", data=person)
    assert (await client.get(path, headers=HTML)).status_code == 403
    assert "/admin/identity" not in (await client.get("/account", headers=HTML)).text
