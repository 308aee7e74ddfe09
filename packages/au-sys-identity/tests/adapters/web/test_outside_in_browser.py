"""Pages of directories and login providers in a real browser: narrow and wide, by their forms, axe clean."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from au_sys_identity.conformance.slapd import GROUPS, SERVICE, SERVICE_PASSWORD, SUFFIX, Slapd, slapd_server
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.needs_chromium,
    pytest.mark.needs_slapd,
]

AXE = Path(__file__).parents[4] / "fsp-runtime" / "tests" / "hub" / "vendor" / "axe.min.js"
ADMIN = "a very different sentence"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
CHEAP = {"IDENTITY_PASSWORD_MEMORY_KIB": "8", "IDENTITY_PASSWORD_TIME_COST": "1"}


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd_server(tmp_path_factory.mktemp("slapd") / "server") as server:
        server.group("admins", server.person("ann", "Ann Åkesson", "a password"))
        server.person("bob", "Bob", "a password")
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = {name: os.environ.get(name) for name in CHEAP}
    os.environ.update(CHEAP)
    url = f"http://localhost:{port}"
    platform = PlatformSettings(environment="test", data_dir=tmp_path_factory.mktemp("site"), public_url=url)
    asyncio.run(Operator(platform).create_admin(NewPerson("admin@example.com", "Ada Admin"), ADMIN))
    with serve(create_app(platform, capabilities=[Identity()]), port=port):
        yield url
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(scope="module")
def page(site: str) -> "Iterator[Page]":
    """The administrator's browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        opened = browser.new_context(base_url=site).new_page()
        opened.set_default_timeout(20_000)
        opened.goto("/login")
        opened.get_by_label("E-mail address").fill("admin@example.com")
        opened.get_by_label("Password").fill(ADMIN)
        opened.get_by_role("button", name="Sign in", exact=True).click()
        opened.wait_for_url("**/account")
        yield opened
        browser.close()


def sound(page: "Page", name: str, folder: Path) -> None:
    """At 360 and 1280 px nothing runs out of the page and axe finds nothing; pictures are kept for people."""
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")["violations"]
        assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found] == [], (name, width)
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)


def test_a_directory_from_its_form_to_its_first_run(page: "Page", slapd: Slapd, tmp_path: Path) -> None:
    """Added, tried, run dry with a preview, run; then the people are there and the sign-in page offers it."""
    page.goto("/admin/identity/directories")
    sound(page, "directories", tmp_path)
    page.get_by_role("link", name="Add a directory").click()
    sound(page, "new-directory", tmp_path)
    for label, text in {
        "Short name": "staff",
        "Name on the sign-in page": "Staff directory",
        "Servers": slapd.ldaps,
        "File with the authorities": str(slapd.ca),
        "Where to search": SUFFIX,
        "DN of the service account": SERVICE,
        "Password of the service account": SERVICE_PASSWORD,
        "Roles from groups": f"helpdesk: cn=admins,{GROUPS}",
    }.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Test the connection").click()
    page.get_by_text("It answers. 2 people are found.").wait_for()
    page.get_by_role("button", name="Dry run").click()
    page.get_by_role("heading", name="What a run would do").wait_for()
    page.get_by_role("cell", name="ann@example.org").wait_for()
    sound(page, "dry-run", tmp_path)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("heading", name="What was done").wait_for()
    page.goto("/admin/identity/users?q=example.org")
    page.get_by_role("link", name="Ann Åkesson").wait_for()


def test_a_login_provider_from_its_form(page: "Page", tmp_path: Path) -> None:
    """Added, listed, tried, edited; a mistake is said beside its field."""
    page.goto("/admin/identity/login-providers")
    page.get_by_role("link", name="Add a provider").click()
    page.get_by_label("Short name").fill("corp")
    page.get_by_label("Name on the sign-in page").fill("Corporate login")
    page.get_by_label("Issuer").fill("http://idp.invalid")
    page.get_by_label("Client id").fill("platform")
    page.get_by_role("button", name="Save").click()
    page.locator("#field-issuer-error").wait_for()
    sound(page, "provider-mistake", tmp_path)
    page.get_by_label("Issuer").fill("https://idp.invalid")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Corporate login").wait_for()
    sound(page, "providers", tmp_path)
    page.get_by_role("button", name="Test Corporate login").click()
    page.get_by_text("does not answer as it should").wait_for()


def test_the_sign_in_page_offers_both(page: "Page", tmp_path: Path) -> None:
    """What was set up above stands there for who is not signed in, and the directory's form lets its people in."""
    page.context.clear_cookies()
    page.goto("/login?next=/account/security")
    page.get_by_role("link", name="Corporate login").wait_for()
    sound(page, "sign-in", tmp_path)
    page.get_by_role("link", name="Staff directory").click()
    page.get_by_label("Name in the directory").wait_for()
    sound(page, "directory-sign-in", tmp_path)
    page.get_by_label("Name in the directory").fill("ann@example.org")
    page.get_by_label("Password").fill("a password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account/security")
