"""Approvals and access requests in a real browser: with a passkey, without scripts, narrow and dark."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, PASSWORD, MachineWorld
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs_chromium

T = TypeVar("T")
AXE = Path(__file__).parents[4] / "fsp-runtime" / "tests" / "hub" / "vendor" / "axe.min.js"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SETTINGS = {"REGISTRATION": "open", "REGISTRATION_VERIFY": "off", "PASSWORD_MEMORY_KIB": "8", "PASSWORD_TIME_COST": "1"}
SETTINGS |= {"RATE_SIGN_IN": "1000/minute", "RATE_MAIL": "1000/minute", "BOOTSTRAP_TOKEN": BOOTSTRAP}
ACCOUNTS = "/iam/service-accounts"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(f"IDENTITY_{name}", value)
        platform = PlatformSettings(environment="test", data_dir=tmp_path_factory.mktemp("site"), public_url=url)
        with serve(create_app(platform, capabilities=[Identity()]), port=port):
            yield url


class Programs:
    """The machine and the administrator's programs, beside the browser, which has the thread's loop to itself."""

    def __init__(self, site: str) -> None:
        self.site = site
        self._thread = ThreadPoolExecutor(1)
        self._loop = asyncio.new_event_loop()
        self.world = self.run(self._made)

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def awaited() -> T:
            return await work()

        return self._thread.submit(self._loop.run_until_complete, awaited()).result(60)

    async def _made(self) -> MachineWorld:
        client = httpx.AsyncClient(base_url=self.site)
        world = await MachineWorld.made(client, lambda: SoftwareAuthenticator(self.site))
        await world.proves("human_delegated", "changes")
        body = {"name": "reader", "description": "Reads people", "permissions": ["identity.users.read"]}
        await world.ok("POST", "/rbac/roles", world.admin.headers, {**body, "requestable": True})
        return world

    def close(self) -> None:
        self.run(self.world.api.aclose)
        self._thread.submit(self._loop.close).result(60)
        self._thread.shutdown()


@pytest.fixture(scope="module")
def programs(site: str) -> Iterator[Programs]:
    made = Programs(site)
    yield made
    made.close()


def opened(browser: "Browser", **more: Any) -> "Page":  # Any: options of a context
    context = browser.new_context(**more)
    context.set_default_timeout(20_000)
    return context.new_page()


def enter(page: "Page", site: str, email: str) -> None:
    page.goto(f"{site}/login")
    page.locator("input[name=email]").first.fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.get_by_role("heading", name="My account").wait_for()


def violations(page: "Page") -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [f"{item['id']}: {node['target']}" for item in found for node in item["nodes"]]


def test_an_act_is_approved_without_scripts_and_denied(browser: "Browser", site: str, programs: Programs) -> None:
    """What can be undone needs no passkey: the exact call stands there, one button approves it, one denies it."""
    world = programs.world
    body = {"name": "Night shift <b>", "purpose": "Helps", "custodian": world.ann.id}
    asked = programs.run(lambda: world.ask("POST", ACCOUNTS, arguments=body, summary="A helper"))
    page = opened(browser, java_script_enabled=False)
    enter(page, site, world.ann.email)
    page.goto(f"{site}/account/approvals")
    card = page.locator(".card", has_text="A helper")
    assert "Importer asks to POST /iam/service-accounts" in card.inner_text()
    assert card.locator("tr", has_text="name").first.inner_text().split("\t") == ["name", "Night shift <b>"]
    assert "left" in card.inner_text()
    card.get_by_role("button", name="Approve POST").click()
    page.get_by_text("Approved. The machine may do it once").wait_for()
    done = programs.run(lambda: world.act("POST", ACCOUNTS, asked["id"], json=body))
    assert done.status_code == 201
    other = programs.run(lambda: world.ask("POST", ACCOUNTS, arguments=body, summary="Another"))
    page.goto(f"{site}/account/approvals")
    page.get_by_role("button", name="Deny POST").click()
    page.get_by_text("Denied. Nothing will happen.").wait_for()
    refused = programs.run(lambda: world.act("POST", ACCOUNTS, other["id"], json=body))
    assert refused.status_code == 403
    page.context.close()


def test_an_irreversible_act_is_signed_with_a_passkey(browser: "Browser", site: str, programs: Programs) -> None:
    """The browser signs the hash of the act; then the machine does it. The page is accessible, narrow, dark."""
    world = programs.world
    spare = programs.run(world.new_key)
    path = f"/auth/api-keys/{spare['id']}"
    page = opened(browser, viewport={"width": 360, "height": 800}, color_scheme="dark")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    enter(page, site, world.ann.email)
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(f"{site}/account/security")
    page.get_by_label("Name of the new passkey").fill("Phone")
    page.get_by_label("Name of the new passkey").press("Enter")
    page.wait_for_url("**/account/security?saved=passkey")
    page.goto(f"{site}/account/confirm?next=/account/approvals")
    page.locator("form[data-passkey] button").first.click()
    page.get_by_role("heading", name="Approvals").wait_for()
    asked = programs.run(lambda: world.ask("DELETE", path, summary="Throw it away"))
    page.reload()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    card = page.locator(".card", has_text="Throw it away")
    assert "irreversible" in card.inner_text()
    assert card.get_by_role("button", name=f"Approve DELETE {path}", exact=True).count() == 0
    card.get_by_role("button", name=f"Approve with a passkey: DELETE {path}").click()
    page.get_by_text("Approved. The machine may do it once").wait_for()
    done = programs.run(lambda: world.act("DELETE", path, asked["id"]))
    assert done.status_code == 204
    page.reload()
    assert "signed with a passkey" in page.locator("main").inner_text()
    assert complaints == []
    page.context.close()


def test_access_is_asked_for_and_given(browser: "Browser", site: str, programs: Programs) -> None:
    """Somebody asks on her page, the administrator gives it on his; both pages are accessible."""
    world = programs.world
    bob = opened(browser)
    enter(bob, site, world.bob.email)
    bob.goto(f"{site}/account/requests")
    assert violations(bob) == []
    bob.get_by_label("Role").select_option("reader")
    bob.get_by_label("For how long").select_option("3600")
    bob.get_by_label("Reason").fill("The audit of spring")
    bob.get_by_role("button", name="Ask").click()
    bob.get_by_text("Asked. Somebody who may decides.").wait_for()
    admin = opened(browser, viewport={"width": 360, "height": 800})
    enter(admin, site, world.admin.email)
    admin.goto(f"{site}/admin/identity/requests")
    assert "The audit of spring" in admin.locator("main").inner_text()
    assert violations(admin) == []
    assert admin.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    admin.get_by_label("Note for who asked").fill("Until noon")
    admin.get_by_role("button", name="Give reader").click()
    admin.get_by_text("Given. It counts at once.").wait_for()
    bob.goto(f"{site}/account/requests")
    assert "provisioned until" in bob.locator("main").inner_text()
    assert bob.goto(f"{site}/admin/identity/requests").status == 403  # type: ignore[union-attr]  # a navigation answers
    for page in (bob, admin):
        page.context.close()
