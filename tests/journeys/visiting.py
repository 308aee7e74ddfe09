"""Somebody's browser that keeps what it complains about, what leaves the host, and what runs that nobody wrote."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Page, expect
from tests.journeys.house import House

AXE = (Path(__file__).resolve().parents[2] / "packages/fsp-runtime/tests/hub/vendor/axe.min.js").read_text("utf-8")
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)
COLOURS = ["color-contrast", "link-in-text-block"]
"""All that another colour scheme can change; the rest of a page is the same in light and dark."""
FINDING = """async rules => {
    const found = await axe.run({preload: false, resultTypes: ['violations'], ...(rules && {runOnly: rules})});
    return found.violations.flatMap(rule => rule.nodes.map(node => rule.id + ': ' + node.target + ' ' + node.html));
}"""
REFUSALS = "the server responded with a status of 40"


class Visit:
    """One person's browser; with ``axe`` its pages can be inspected."""

    def __init__(
        self, browser: Browser, house: House, *, axe: bool = False, width: int = 1280, **more: Any
    ) -> None:  # Any: options of a context
        self.house = house
        self.complaints: list[str] = []
        self.context = browser.new_context(
            base_url=house.url, viewport={"width": width, "height": 900}, reduced_motion="reduce", **more
        )
        self.context.set_default_timeout(PATIENCE)
        if axe:
            self.context.add_init_script(AXE)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and REFUSALS not in message.text:
            self.complaints.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.house.url, "data:", "blob:")):
            self.complaints.append(f"request to {url}")

    def heard(self) -> list[str]:
        """What was complained about since it was last asked."""
        told, self.complaints = self.complaints, []
        return told

    def go(self, path: str) -> int:
        """Open a page; returns its status."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer.status

    def sign_in(self, email: str, password: str, target: str = "/login") -> None:
        """With the password, at the sign-in page."""
        self.go(target)
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
        expect(self.page.get_by_role("heading", level=1).first).not_to_have_text("Sign in")

    def menu(self, label: str) -> None:
        """Choose an entry of the menu, whose section may be folded."""
        entry = self.page.locator("a.menu-link", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$"))
        section = self.page.locator("#site-menu details", has=entry)
        if section.count() > 0 and section.get_attribute("open") is None:
            section.locator("summary").click()
        self.page.locator("#site-menu").locator(entry).click()

    def authenticator(self) -> None:
        """Plug a virtual authenticator in, which somebody touches at once."""
        session: CDPSession = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options = {**kind, "isUserVerified": True, "automaticPresenceSimulation": True}
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def violations(self, rules: list[str] | None = None) -> list[str]:
        """What axe-core finds, one line each."""
        found: list[str] = self.page.evaluate(FINDING, rules)
        return found

    def inspected(self) -> list[str]:
        """What is wrong with the page that is open, in light and in dark, its width included."""
        self.show("light")
        told = self.violations()
        self.show("dark")
        told += [f"dark: {text}" for text in self.violations(COLOURS)]
        self.show("light")
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return told + self.heard() + ([f"{wider} px too wide"] if wider > 0 else [])

    def show(self, scheme: Literal["light", "dark"]) -> None:
        """The colours that the reader's system asks for."""
        self.page.emulate_media(color_scheme=scheme)

    def close(self) -> None:
        """Leave."""
        self.context.close()
