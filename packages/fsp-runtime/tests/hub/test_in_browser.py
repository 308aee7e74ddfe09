"""The pages in a real browser: nothing inaccessible, nothing from elsewhere, nothing on the console."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest

from fastapi_services_platform import Card, Contribution, Manifest, MenuEntry, create_app
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.observability.logger_factory import set_level
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs_chromium

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = (
    "/",
    "/platform",
    "/platform/audit?check=true",
    "/platform/breakers",
    "/platform/capabilities",
    "/platform/capabilities/hub",
    "/platform/components",
    "/platform/components?q=grace&order=-rows",
    "/platform/events",
    "/platform/flags",
    "/platform/health",
    "/platform/jobs",
    "/platform/log-levels",
    "/platform/permissions",
    "/platform/reference",
    "/platform/routes",
    "/platform/settings",
    "/problems/platform/not-found",
    "/search?q=health",
)

MACHINES = ("api", "events-api", "metrics", "live")
NO_PAGES = ("^/static/", "^/favicon", "^/search/palette")


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    tools = Prepared(
        Manifest("tools", "1.0", "Tools"),
        Contribution(
            cards=(Card("Tools", "Find a tool.", "/platform/components"),),
            menu=(MenuEntry("Tools", "/platform/components", icon="tools"),),
            entry_page="/login",
        ),
    )
    folder = tmp_path_factory.mktemp("site")
    return create_app(settings_for(folder), capabilities=[tools, believing_identity()])


@pytest.fixture(scope="module")
def site(app: Any) -> Iterator[str]:
    app.platform.clients.open("mail", ClientSettings("http://127.0.0.1:9"))
    app.platform.clients.open("directory", ClientSettings("http://127.0.0.1:9")).breaker.hold(3600.0)
    with serve(app) as url:
        yield url


class Visit:
    """One page in one size and one colour scheme, with what the browser complained about."""

    def __init__(
        self, browser: "Browser", site: str, *, width: int, scheme: Literal["light", "dark"], signed_in: bool = True
    ) -> None:
        self.site = site
        self.complaints: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        if signed_in:
            self.context.add_cookies([{"name": "session", "value": "ada", "url": site}])
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 40" not in text:
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.site, "data:")):
            self.complaints.append(f"request to {url}")

    def violations(self) -> list[str]:
        """What axe-core finds, one line each."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run()")["violations"]
        return [f"{item['id']}: {node['target']}" for item in found for node in item["nodes"]]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_pages_are_accessible(browser: "Browser", site: str, width: int, scheme: Literal["light", "dark"]) -> None:
    """No page has a violation, scrolls sideways, complains on the console or asks another host."""
    visit = Visit(browser, site, width=width, scheme=scheme)
    problems = []
    for path in (*PAGES, "/nowhere"):
        visit.page.goto(f"{site}{path}")
        problems += [f"{path} {text}" for text in (*visit.violations(), *visit.complaints)]
        problems += [f"{path} is {visit.overflow()} px too wide"] if visit.overflow() > 0 else []
        visit.complaints.clear()
    visit.context.close()
    assert problems == []


@pytest.mark.parametrize("path", ["/platform", "/platform/components", "/platform/health"])
def test_pages_fit_the_smallest_phone(browser: "Browser", site: str, path: str) -> None:
    """At 320 pixels nothing scrolls sideways (WCAG 2.2, 1.4.10)."""
    visit = Visit(browser, site, width=320, scheme="light")
    visit.page.goto(f"{site}{path}")
    wider = visit.overflow()
    visit.context.close()
    assert wider <= 0


def test_no_page_is_left_out(site: str, app: Any) -> None:
    """Every address at which the hub shows a page is among those that are looked at."""
    shown = [
        entry.regex
        for entry in app.platform.inventory.routes
        if entry.owner.name == "hub" and "GET" in entry.methods and entry.mount_name not in MACHINES
    ]
    seen = [urlsplit(path).path for path in PAGES]
    missing = [regex.pattern for regex in shown if not any(regex.match(path) for path in seen)]
    assert [pattern for pattern in missing if not pattern.startswith(NO_PAGES)] == []


def test_strangers_find_an_accessible_page(browser: "Browser", site: str) -> None:
    """The welcome page has no violation and leads to the entry page."""
    visit = Visit(browser, site, width=360, scheme="light", signed_in=False)
    visit.page.goto(site)
    found = (visit.violations(), visit.page.get_by_role("link", name="Sign in").first.get_attribute("href"))
    visit.context.close()
    assert (*found, visit.complaints) == ([], "/login", [])


def test_the_keyboard_reaches_everything(browser: "Browser", site: str) -> None:
    """The first stop is the skip link; the person's menu opens with Enter and closes with Escape."""
    visit = Visit(browser, site, width=1280, scheme="light")
    visit.page.goto(site)
    visit.page.keyboard.press("Tab")
    first = visit.page.evaluate("document.activeElement.textContent")
    visit.page.locator("details.person-menu > summary").focus()
    visit.page.keyboard.press("Enter")
    opened = visit.page.locator("details.person-menu").get_attribute("open")
    visit.page.keyboard.press("Escape")
    closed = visit.page.locator("details.person-menu").get_attribute("open")
    visit.context.close()
    assert (first, opened, closed) == ("Skip to content", "", None)


def test_the_menu_opens_on_a_small_screen(browser: "Browser", site: str) -> None:
    """On a phone the menu is behind a button that says whether it is open."""
    visit = Visit(browser, site, width=360, scheme="light")
    visit.page.goto(site)
    before = visit.page.locator("#site-menu").is_visible()
    visit.page.get_by_role("button", name="Menu").click()
    after = visit.page.locator("#site-menu").is_visible()
    expanded = visit.page.get_by_role("button", name="Menu").get_attribute("aria-expanded")
    visit.context.close()
    assert (before, after, expanded) == (False, True, "true")


def test_the_menu_needs_no_script(browser: "Browser", site: str) -> None:
    """Without JavaScript the button leads to the drawer, and the drawer's own link closes it."""
    context = browser.new_context(viewport={"width": 360, "height": 800}, java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": "ada", "url": site}])
    page = context.new_page()
    page.goto(site)
    menu = page.locator("#site-menu")
    before = menu.is_visible()
    page.get_by_role("button", name="Menu").click()
    opened = menu.is_visible()
    page.get_by_role("link", name="Close the menu").click()
    closed = menu.is_visible()
    page.get_by_role("link", name="Search").click()
    page.get_by_role("searchbox", name="Search for").fill("health")
    page.get_by_role("button", name="Search", exact=True).click()
    found = page.locator("main").get_by_role("link", name="Health").get_attribute("href")
    context.close()
    assert (before, opened, closed, found) == (False, True, False, "/platform/health")


def test_the_palette_goes_and_acts_by_keyboard(browser: "Browser", site: str) -> None:
    """Ctrl+K opens it; what is typed is found and opened with Enter; an act is posted; it has no violation."""
    visit = Visit(browser, site, width=1280, scheme="dark")
    page = visit.page
    page.goto(site)
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search for, or what to do")
    page.get_by_role("option").first.wait_for()
    violations = visit.violations()
    box.fill("breakers")
    page.get_by_role("option", name="Breakers Platform").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/platform/breakers")
    page.keyboard.press("Control+k")
    box.fill("colours: light")
    page.keyboard.press("Enter")
    page.locator("html[data-theme=light]").wait_for(state="attached")
    visit.context.close()
    assert (violations, visit.complaints) == ([], [])


def test_the_theme_switch_needs_no_reload_and_is_kept(browser: "Browser", site: str) -> None:
    """The switch goes through dark and light, and the next page follows it."""
    visit = Visit(browser, site, width=1280, scheme="light")
    visit.page.goto(site)
    visit.page.locator("[data-theme-switch]").click()
    chosen = visit.page.locator("html").get_attribute("data-theme")
    visit.page.goto(f"{site}/platform")
    kept = visit.page.locator("html").get_attribute("data-theme")
    visit.context.close()
    assert (chosen, kept) == ("dark", "dark")


def test_dialogs_and_toasts_work(browser: "Browser", site: str) -> None:
    """A dialog opens, takes the focus, closes with Escape; a toast is announced."""
    visit = Visit(browser, site, width=1280, scheme="light")
    visit.page.goto(f"{site}/platform/components")
    visit.page.get_by_role("button", name="Open a dialog").click()
    opened = visit.page.locator("#example-dialog").is_visible()
    violations = visit.violations()
    visit.page.keyboard.press("Escape")
    closed = visit.page.locator("#example-dialog").is_visible()
    visit.page.get_by_role("button", name="Show a toast").click()
    toast = visit.page.locator(".toasts").inner_text()
    visit.context.close()
    assert (opened, violations, closed, toast) == (True, [], False, "The tool was published.")


def test_a_form_works_without_javascript(browser: "Browser", site: str) -> None:
    """A log level is changed by a plain form post."""
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": "ada", "url": site}])
    page = context.new_page()
    page.goto(f"{site}/platform/log-levels")
    page.locator("#field-logger").fill("demo.from.browser")
    page.locator("#field-level").select_option("error")
    page.get_by_role("button", name="Change").click()
    row = page.get_by_role("row", name="demo.from.browser")
    shown = row.inner_text()
    context.close()
    set_level("demo.from.browser", None)
    assert "error" in shown


def test_charts_move_by_themselves(browser: "Browser", site: str) -> None:
    """Figures of the health page come over server-sent events, under the strict content policy."""
    visit = Visit(browser, site, width=1280, scheme="light")
    visit.page.goto(f"{site}/platform/health")
    figure = visit.page.locator("[data-live=memory_mb]")
    before = len((figure.get_attribute("data-live-values") or "").split())
    grown = "before => document.querySelector('[data-live=memory_mb]').dataset.liveValues.split(' ').length > before"
    visit.page.wait_for_function(grown, arg=before, timeout=15_000)
    visit.context.close()
    assert visit.complaints == []


def test_a_page_is_light(browser: "Browser", site: str) -> None:
    """The first visit, fonts and scripts included, transfers less than 100 kB."""
    visit = Visit(browser, site, width=1280, scheme="light")
    visit.page.goto(f"{site}/platform/components", wait_until="networkidle")
    sizes = visit.page.evaluate(
        "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
        ".reduce((sum, entry) => sum + entry.transferSize, 0)"
    )
    visit.context.close()
    assert 0 < sizes < 110_000
