"""Sign-in and security pages in a real browser, with a virtual authenticator, by keyboard, narrow and dark."""

import base64
import os
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
import pytest

from au_sys_identity.core.factors.totp import code_at, step_of
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

pytestmark = pytest.mark.needs_chromium

AXE = Path(__file__).parents[4] / "fsp-runtime" / "tests" / "hub" / "vendor" / "axe.min.js"
PASSWORD = "correct horse battery staple"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SETTINGS = {"REGISTRATION": "open", "REGISTRATION_VERIFY": "off", "PASSWORD_MEMORY_KIB": "8", "PASSWORD_TIME_COST": "1"}
SETTINGS |= {"RATE_SIGN_IN": "1000/minute", "RATE_MAIL": "1000/minute"}


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """A platform behind a name that passkeys take: browsers treat localhost like https."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = dict(os.environ)
    os.environ.update({f"IDENTITY_{name}": value for name, value in SETTINGS.items()})
    url = f"http://localhost:{port}"
    platform = PlatformSettings(environment="test", data_dir=folder, public_url=url)
    with serve(create_app(platform, capabilities=[Identity()]), port=port):
        yield url
    for name in SETTINGS:
        os.environ.pop(f"IDENTITY_{name}")
        if f"IDENTITY_{name}" in before:
            os.environ[f"IDENTITY_{name}"] = before[f"IDENTITY_{name}"]


class Visit:
    """One person's browser, with what it complained about."""

    def __init__(
        self,
        browser: "Browser",
        site: str,
        *,
        width: int = 1440,
        scheme: Literal["light", "dark"] = "light",
        scripts: bool = True,
    ) -> None:
        self.site = site
        self.complaints: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 40" not in text:
            self.complaints.append(text)

    def authenticator(self, **more: object) -> None:
        """Plug a virtual authenticator in."""
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            **more,
        }
        device = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
        self.plugged: tuple[CDPSession, str] = (session, device)

    def present(self, here: bool) -> None:
        """Whether somebody touches the authenticator at once; else even autofill would sign in by itself."""
        session, device = self.plugged
        session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": device, "enabled": here})

    def go(self, path: str) -> None:
        self.page.goto(f"{self.site}{path}")

    def register(self, email: str) -> None:
        answer = httpx.post(f"{self.site}/auth/register", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 202

    def sign_in(self, email: str) -> None:
        """By keyboard alone: the address has the focus, tab leads on, enter sends."""
        self.go("/login")
        self.page.locator("input[name=email]:focus").wait_for()
        self.page.keyboard.type(email)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("heading", name="My account").wait_for()

    def add_passkey(self, name: str) -> None:
        self.go("/account/security")
        self.page.get_by_label("Name of the new passkey").fill(name)
        self.page.get_by_label("Name of the new passkey").press("Enter")
        self.page.wait_for_url("**/account/security?saved=passkey")

    def sign_out(self) -> None:
        self.context.clear_cookies()

    def violations(self) -> list[str]:
        """What axe-core finds, one line each."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run()")["violations"]
        return [f"{item['id']}: {node['target']}" for item in found for node in item["nodes"]]

    def overflow(self) -> int:
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider


@pytest.fixture
def visit(browser: "Browser", site: str) -> Iterator[Visit]:
    visiting = Visit(browser, site)
    yield visiting
    visiting.context.close()
    assert visiting.complaints == []


def test_a_passkey_from_registration_to_removal(visit: Visit) -> None:
    """Register one, sign in with it alone, rename it, confirm with it, remove it."""
    visit.authenticator()
    visit.register("ann@example.org")
    visit.sign_in("ann@example.org")
    visit.add_passkey("Phone")
    assert visit.page.get_by_text("Phone", exact=True).is_visible()
    visit.sign_out()
    visit.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    visit.go("/login")
    visit.page.get_by_role("button", name="Sign in with a passkey").click()
    visit.page.wait_for_url("**/account")
    assert visit.page.get_by_text("You signed in with a passkey").is_visible()
    visit.go("/account/security")
    visit.page.get_by_label("New name").fill("Blue key")
    visit.page.get_by_role("button", name="Rename Phone").click()
    visit.page.get_by_text("Blue key", exact=True).wait_for()
    visit.go("/account/confirm?next=/account/profile")
    visit.page.get_by_role("button", name="Use a passkey").click()
    visit.page.wait_for_url(f"{visit.site}/account/profile")
    visit.go("/account/security")
    visit.page.get_by_role("button", name="Remove Blue key").click()
    visit.page.wait_for_url("**/account/security?saved=passkey")
    assert not visit.page.get_by_text("Blue key", exact=True).is_visible()


def test_a_passkey_is_offered_in_the_address_field(visit: Visit) -> None:
    """The page asks the browser to offer passkeys by autofill; choosing one there signs in without a click."""
    visit.authenticator()
    visit.register("auto@example.org")
    visit.sign_in("auto@example.org")
    visit.add_passkey("Phone")
    visit.sign_out()
    visit.go("/login?next=/account/profile")
    visit.page.wait_for_url(f"{visit.site}/account/profile")


def test_a_passkey_is_the_second_step(visit: Visit) -> None:
    """After the password the page asks for the passkey; a session from before it has to confirm first."""
    visit.authenticator()
    visit.register("bob@example.org")
    visit.sign_in("bob@example.org")
    visit.add_passkey("Key")
    visit.page.get_by_role("button", name="Make new ones").click()
    visit.page.wait_for_url("**/account/confirm?next=/account/security")
    visit.sign_out()
    visit.present(False)
    visit.go("/login")
    visit.page.get_by_label("E-mail address").fill("bob@example.org")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in", exact=True).click()
    visit.page.get_by_role("heading", name="Second step").wait_for()
    visit.present(True)
    visit.page.get_by_role("button", name="Use a passkey").click()
    visit.page.wait_for_url("**/account")


def test_an_authenticator_that_does_not_verify_is_of_no_use(visit: Visit) -> None:
    """Without user verification nothing is made, and the page says so."""
    visit.authenticator(isUserVerified=False)
    visit.register("eve@example.org")
    visit.sign_in("eve@example.org")
    visit.go("/account/security")
    visit.page.get_by_label("Name of the new passkey").fill("Phone")
    visit.page.get_by_role("button", name="Add a passkey").click()
    visit.page.get_by_text("That did not work.").wait_for()


def test_pages_work_without_scripts(browser: "Browser", site: str) -> None:
    """Passkeys say what they need; everything else works: sign-in, app, recovery codes, second step."""
    visit = Visit(browser, site, scripts=False)
    visit.register("plain@example.org")
    visit.go("/login")
    assert "Passkeys need JavaScript" in visit.page.content()
    visit.page.get_by_label("E-mail address").fill("plain@example.org")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in", exact=True).click()
    visit.page.wait_for_url("**/account")
    visit.go("/account/security")
    visit.page.get_by_role("button", name="Set up an app").click()
    shown = visit.page.locator("code").first.inner_text()
    secret = base64.b32decode(shown.strip() + "=" * (-len(shown.strip()) % 8))
    visit.page.get_by_role("textbox", name="Code").fill(code_at(secret, step_of(datetime.now(UTC)) - 1))
    visit.page.get_by_role("button", name="Switch on").click()
    visit.page.get_by_text("Your recovery codes").wait_for()
    visit.sign_out()
    visit.go("/login")
    visit.page.get_by_label("E-mail address").fill("plain@example.org")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in", exact=True).click()
    visit.page.get_by_role("textbox", name="Code").fill(code_at(secret, step_of(datetime.now(UTC))))
    visit.page.get_by_role("button", name="Sign in", exact=True).click()
    visit.page.wait_for_url("**/account")
    visit.context.close()


def test_a_link_in_a_mail_signs_in(visit: Visit, folder: Path) -> None:
    """Ask on the page, open the link, click; the address bar keeps no token."""
    visit.register("mail@example.org")
    visit.go("/login")
    visit.page.get_by_role("link", name="Send me a link").click()
    visit.page.get_by_label("E-mail address").fill("mail@example.org")
    visit.page.get_by_role("button", name="Send me a link").click()
    visit.page.get_by_text("a mail is on its way").wait_for()
    link = _link(visit, folder / "outbox", "mail@example.org")
    visit.page.goto(link)
    visit.page.wait_for_url("**/magic")
    visit.page.get_by_role("button", name="Sign in", exact=True).click()
    visit.page.wait_for_url("**/account")
    assert visit.page.get_by_text("You signed in by a link in a mail").is_visible()


def _link(visit: Visit, outbox: Path, address: str) -> str:
    for _ in range(600):
        for file in outbox.glob("*.eml"):
            letter = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = letter.get_body(("plain",))
            found = re.search(r"http://localhost\S+/magic#token=\S+", str(body.get_content())) if body else None
            if found and address in str(letter["to"]):
                return found.group(0)
        visit.page.wait_for_timeout(100)  # the job that empties the outbox runs by itself
    raise AssertionError("no letter came")


PUBLIC = ("/login", "/login/link", "/magic", "/register", "/forgot-password", "/reset-password", "/verify")
OWN = ("/account", "/account/profile", "/account/password", "/account/security", "/account/confirm")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_pages_are_accessible(
    browser: "Browser", site: str, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    """No page has a violation, scrolls sideways or complains on the console."""
    visit = Visit(browser, site, width=width, scheme=scheme)
    visit.authenticator()
    problems: list[str] = []
    kept = Path(os.environ.get("FSP_SCREENSHOTS", str(tmp_path)))

    def look(path: str) -> None:
        visit.go(path)
        name = path.strip("/").replace("/", "-")
        visit.page.screenshot(path=str(kept / f"identity-{name}-{width}-{scheme}.png"), full_page=True)
        problems.extend(f"{path} {text}" for text in (*visit.violations(), *visit.complaints))
        if visit.overflow() > 0:
            problems.append(f"{path} is {visit.overflow()} px too wide")
        visit.complaints.clear()

    for path in PUBLIC:
        look(path)
    email = f"look-{width}-{scheme}@example.org"
    visit.register(email)
    visit.sign_in(email)
    visit.add_passkey("Phone with a rather long name that wraps")
    for path in OWN:
        look(path)
    visit.context.close()
    assert problems == []
