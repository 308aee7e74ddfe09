"""Invitation, profile, keys, notices and settings in a real browser: by their forms, narrow, dark, axe clean."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs_chromium

AXE = Path(__file__).parents[4] / "fsp-runtime" / "tests" / "hub" / "vendor" / "axe.min.js"
ADMIN = "a very different sentence"
PASSWORD = "correct horse battery staple"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
CHEAP = {"IDENTITY_PASSWORD_MEMORY_KIB": "8", "IDENTITY_PASSWORD_TIME_COST": "1", "IDENTITY_RATE_SIGN_IN": "900/minute"}
PAGES = ("/account/profile", "/account/security", "/account/notices", "/admin/identity/settings", "/invitation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("IDENTITY_")]:
            patch.delenv(name)
        for name, value in CHEAP.items():
            patch.setenv(name, value)
        url = f"http://localhost:{port}"
        platform = PlatformSettings(environment="test", data_dir=folder, public_url=url)
        asyncio.run(Operator(platform).create_admin(NewPerson("admin@example.com", "Ada Admin"), ADMIN))
        with serve(create_app(platform, capabilities=[Identity()]), port=port):
            yield url


@pytest.fixture(scope="module")
def browser(site: str) -> "Iterator[Browser]":
    assert site  # its event loop comes first: Playwright keeps one of its own running
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield started
        started.close()


def opened(browser: "Browser", site: str, *, width: int = 1280) -> "Page":
    context = browser.new_context(base_url=site, viewport={"width": width, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


def signed_in(browser: "Browser", site: str, *, width: int = 1280) -> "Page":
    page = opened(browser, site, width=width)
    page.goto("/login")
    page.get_by_label("E-mail address").fill("admin@example.com")
    page.get_by_label("Password").fill(ADMIN)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def link_to(folder: Path, address: str) -> str:
    """The link of the letter to an address, when it was sent."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for file in (folder / "outbox").glob("*.eml"):
            message = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = message.get_body(("plain",))
            found = re.search(r"http://\S+#token=\S+", str(body.get_content()) if body else "")
            if found and address in str(message["To"]):
                return found.group()
        time.sleep(0.2)
    raise AssertionError("no letter")


def test_an_invited_person_arrives(browser: "Browser", site: str, folder: Path) -> None:
    """Invited from the list of people, the link leads to a password, and the account signs in."""
    page = signed_in(browser, site)
    page.goto("/admin/identity/users")
    page.locator("#invite-email").fill("bob@example.org")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_text("The invitation is on its way.").wait_for()
    page.context.close()
    guest = opened(browser, site)
    guest.goto(link_to(folder, "bob@example.org"))
    guest.get_by_role("button", name="Go on").click()
    guest.get_by_text("bob@example.org").wait_for()
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Make my account").click()
    guest.get_by_text("Your account is ready.").wait_for()
    assert "#token=" not in guest.url
    guest.context.close()


def test_a_key_is_shown_once_and_a_setting_is_changed(browser: "Browser", site: str) -> None:
    """By the forms alone; afterwards the secret is on no page, and the setting is in force."""
    page = signed_in(browser, site)
    page.goto("/account/security")
    page.get_by_label("What the key is for").fill("Nightly report")
    page.get_by_label("What it may do").select_option("identity.users.read")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_text("it is shown only this once").wait_for()
    assert "au_live_" in page.content()
    page.goto("/account/security")
    assert "au_live_" not in page.content()
    page.get_by_role("button", name="Revoke Nightly report").click()
    page.wait_for_url("**/account/security?saved=key")
    page.goto("/admin/identity/settings")
    page.get_by_label("VERIFY_TTL", exact=True).fill("7200")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert page.get_by_label("VERIFY_TTL", exact=True).input_value() == "7200"
    page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_for_everybody(browser: "Browser", site: str, path: str) -> None:
    """At 360 pixels and in the dark nothing runs out of the page, and axe finds nothing."""
    page = signed_in(browser, site, width=360)
    page.goto(path)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    assert [f"{item['id']}: {node['target']}" for item in found for node in item["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.context.close()
