"""Pages of rights, of the audit log and of recovery in a browser: by their forms, narrow and wide, dark, axe clean."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
CHEAP = {"IDENTITY_PASSWORD_MEMORY_KIB": "8", "IDENTITY_PASSWORD_TIME_COST": "1", "IDENTITY_RATE_SIGN_IN": "900/minute"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CHEAP.items():
            patch.setenv(name, value)
        url = f"http://localhost:{port}"
        platform = PlatformSettings(environment="test", data_dir=tmp_path_factory.mktemp("site"), public_url=url)
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


def signed_in(
    browser: "Browser", site: str, *, width: int = 1280, scheme: Literal["light", "dark"] = "light"
) -> "Page":
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    sign_in(page)
    return page


def sign_in(page: "Page", target: str = "/login") -> None:
    page.goto(target)
    page.get_by_label("E-mail address").fill("admin@example.com")
    page.get_by_label("Password").fill(ADMIN)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/login" not in url)


def test_find_an_event_and_its_proof(browser: "Browser", site: str) -> None:
    """Filter, open one entry, see what proves it; then have the whole log recomputed."""
    page = signed_in(browser, site)
    page.goto("/admin/identity/audit")
    page.get_by_label("Did what").fill("role.granted")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_role("heading", name="Proof").wait_for()
    assert "platform-admin" in page.content()
    assert "au-sys-identity audit head v1" in page.content()
    page.goto("/admin/identity/audit")
    page.get_by_role("button", name="Verify now").click()
    page.get_by_text("The log is sound").wait_for()
    page.context.close()


def test_the_log_is_taken_away(browser: "Browser", site: str) -> None:
    """The export is a file that begins as a bundle."""
    page = signed_in(browser, site)
    page.goto("/admin/identity/audit")
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it away").click()
    assert Path(download.value.path()).read_text().startswith('{"t":"bundle"')
    page.context.close()


def test_undo_a_change_and_restore_a_backup(browser: "Browser", site: str) -> None:
    """Back up, verify, take a change back with its preview, restore with its preview."""
    page = signed_in(browser, site)
    page.goto("/admin/identity/backups")
    page.get_by_label("Name of the next backup").fill("by hand")
    page.get_by_role("button", name="Back up now").click()
    page.get_by_text("The backup is made.").wait_for()
    page.get_by_role("button", name="Verify").first.click()
    page.get_by_text("The backup is sound.").wait_for()
    page.goto("/account/profile")
    page.get_by_label("Name").first.fill("Ada Changed")
    page.get_by_role("button", name="Save").click()
    page.goto("/admin/identity/backups")
    page.get_by_role("button", name="Undo … subject.changed").first.click()
    page.get_by_text("Nobody's rights change.").wait_for()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_text("It is taken back.").wait_for()
    page.get_by_role("button", name="Restore …").last.click()
    page.get_by_role("heading", name="What does not come back").wait_for()
    label = page.get_by_label("Repeat the id of the backup")
    wanted = page.locator("label", has_text="Repeat the id").inner_text().split(": ")[1].split()[0]
    label.fill(wanted)
    page.get_by_role("button", name="Restore, and sign everybody out").click()
    page.wait_for_url("**/login?**")
    sign_in(page, "/login?next=/admin/identity/backups")
    page.get_by_text(f"before restoring {wanted}").wait_for()
    page.context.close()


def test_a_role_is_shaped_and_a_rule_explained(browser: "Browser", site: str) -> None:
    """By keyboard: make a role, tick a right, see that nobody is touched yet, save; then ask why somebody may."""
    page = signed_in(browser, site)
    page.goto("/admin/identity/roles")
    page.get_by_label("Name").fill("front-desk")
    page.keyboard.press("Enter")
    page.get_by_text("The role is made.").wait_for()
    page.get_by_label("identity.users.read", exact=False).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Show who gains and who loses").press("Enter")
    page.get_by_role("cell", name="role:front-desk").wait_for()
    page.get_by_role("button", name="Save it so").press("Enter")
    page.get_by_text("It counts at once.").wait_for()
    assert page.get_by_label("identity.users.read", exact=False).is_checked()
    page.goto("/admin/identity/policies/why")
    page.get_by_label("Who").fill("role:front-desk")
    page.get_by_label("What", exact=True).select_option("identity.users.read")
    page.get_by_role("button", name="Ask").click()
    page.get_by_role("heading", name="The way there").wait_for()
    page.context.close()


def test_an_unknown_confirmation_is_refused(browser: "Browser", site: str) -> None:
    """The page says what is wrong, and nothing happens."""
    page = signed_in(browser, site)
    page.goto("/admin/identity/backups")
    page.get_by_role("button", name="Back up now").click()
    page.get_by_text("The backup is made.").wait_for()
    page.get_by_role("button", name="Restore …").first.click()
    page.get_by_label("Repeat the id of the backup").fill("yes")
    page.get_by_role("button", name="Restore, and sign everybody out").click()
    page.get_by_text("is not the id of the backup").wait_for()
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_pages_are_accessible(
    browser: "Browser", site: str, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    """No page has a violation or scrolls sideways."""
    page = signed_in(browser, site, width=width, scheme=scheme)
    kept = Path(os.environ.get("FSP_SCREENSHOTS", str(tmp_path)))
    page.goto("/admin/identity/audit")
    entry = page.get_by_role("row").nth(1).get_by_role("link").get_attribute("href") or ""
    problems: list[str] = []
    rules = "/admin/identity/policies"
    why = f"{rules}/why?subject=role:helpdesk&permission=identity.users.read"
    roles = ("/admin/identity/roles", "/admin/identity/roles/helpdesk", rules, why, f"{rules}/exchange")
    for path in ("/admin/identity/audit", entry, "/admin/identity/backups", *roles):
        page.goto(path)
        name = path.partition("?")[0].strip("/").replace("/", "-")[:40]
        page.screenshot(path=str(kept / f"identity-{name}-{width}-{scheme}.png"), full_page=True)
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("async () => (await axe.run()).violations.map(v => v.id + ' ' + v.nodes[0].html)")
        problems.extend(f"{path}: {violation}" for violation in found)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            problems.append(f"{path} is {wide} px too wide")
    page.context.close()
    assert problems == []
