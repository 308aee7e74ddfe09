"""Machines, groups, the graph and organizations in a real browser: by keyboard, without scripts, narrow and dark."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from au_sys_identity.conformance.machine_world import BOOTSTRAP
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.needs_chromium

AXE = Path(__file__).parents[4] / "fsp-runtime" / "tests" / "hub" / "vendor" / "axe.min.js"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PASSWORD = "correct horse battery staple"
SETTINGS = {"REGISTRATION": "open", "REGISTRATION_VERIFY": "off", "PASSWORD_MEMORY_KIB": "8", "PASSWORD_TIME_COST": "1"}
SETTINGS |= {"RATE_SIGN_IN": "1000/minute", "RATE_MAIL": "1000/minute", "BOOTSTRAP_TOKEN": BOOTSTRAP}
ADMIN, ANN = "admin@example.org", "ann@example.org"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield started
        started.close()


@dataclass
class House:
    """A platform with an administrator, ann, and two agents of hers, one of them below the other."""

    url: str
    urns: dict[str, str] = field(default_factory=dict)

    def call(
        self, email: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:  # Any: JSON
        """A program of somebody."""
        signed = httpx.post(f"{self.url}/auth/jwt/login", json={"email": email, "password": PASSWORD}).json()
        header = {"authorization": f"Bearer {signed['access_token']}"}
        answer = httpx.request(method, f"{self.url}{path}", headers=header, json=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}  # Any: as above
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(f"IDENTITY_{name}", value)
        platform = PlatformSettings(environment="test", data_dir=tmp_path_factory.mktemp("site"), public_url=url)
        with serve(create_app(platform, capabilities=[Identity()]), port=port):
            made = House(url)
            for email, more in ((ADMIN, {"bootstrap_token": BOOTSTRAP}), (ANN, {})):
                body = {"email": email, "password": PASSWORD, "display_name": email.partition("@")[0].title(), **more}
                httpx.post(f"{url}/auth/register", json=body).raise_for_status()
            made.urns["ann"] = made.call(ANN, "GET", "/users/me")["urn"]
            provider = made.call(ADMIN, "POST", "/iam/ai-providers", {"name": "Acme AI", "vendor": "Acme"})["urn"]
            for name, parent in (("Sorter", None), ("Reader", "Sorter")):
                agent = {
                    "name": name, "purpose": "Sorts mail", "provider": provider, "model_spec": {"names": ["m"]},
                    "custodian": made.urns["ann"], "parent": made.urns[parent] if parent else None,
                }  # fmt: skip
                made.urns[name] = made.call(ADMIN, "POST", "/iam/ai-agents", agent)["urn"]
            yield made


def opened(browser: "Browser", house: House, email: str, **more: Any) -> "Page":  # Any: options of a context
    context = browser.new_context(**more)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(f"{house.url}/login")
    page.locator("input[name=email]").first.fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.get_by_role("heading", name="My account").wait_for()
    return page


def accessible(page: "Page") -> None:
    """Nothing that axe finds, and nothing wider than the window."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    assert [f"{item['id']}: {node['target']}" for item in found for node in item["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_somebody_stops_her_own_machines_without_scripts(browser: "Browser", house: House) -> None:
    """The preview names the agent and its child; one more press stops them; resumed, they go on."""
    page = opened(browser, house, ANN, java_script_enabled=False)
    page.goto(f"{house.url}/account/machines")
    page.get_by_role("button", name="Stop Sorter").press("Enter")
    card = page.locator(".card", has_text="This would stop")
    assert {"Sorter", "Reader"} <= set(card.inner_text().split())
    assert house.call(ANN, "GET", f"/iam/ai-agents/{house.urns['Reader']}")["status"] == "active"
    card.get_by_role("button", name="Stop them now").press("Enter")
    page.get_by_text("They are stopped.").wait_for()
    assert house.call(ANN, "GET", f"/iam/ai-agents/{house.urns['Reader']}")["status"] == "disabled"
    page.get_by_role("button", name="Resume Sorter").press("Enter")
    page.get_by_role("button", name="Let them go on").press("Enter")
    page.get_by_text("They go on.").wait_for()
    assert house.call(ANN, "GET", f"/iam/ai-agents/{house.urns['Reader']}")["status"] == "active"
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_and_narrow(browser: "Browser", house: House, scheme: Any) -> None:  # Any: a literal
    """Every page of this part at 360 pixels, in both colours, without a word of the browser's console."""
    page = opened(browser, house, ADMIN, viewport={"width": 360, "height": 800}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    group = house.call(ADMIN, "POST", "/iam/groups", {"name": f"Shift in {scheme}"})["urn"]
    edge = {"source": house.urns["ann"], "relation": "member_of", "target": group}
    house.call(ADMIN, "POST", "/iam/graph/link", edge)
    for path in (
        "/account/machines",
        "/admin/identity/machines",
        "/admin/identity/groups",
        f"/admin/identity/groups/{group}",
        f"/admin/identity/graph/{house.urns['ann']}",
        "/admin/identity/organizations",
        "/admin/identity/organizations/default",
    ):
        answer = page.goto(f"{house.url}{path}")
        assert answer is not None
        assert answer.status == 200, path
        accessible(page)
    assert complaints == []
    page.context.close()


def test_the_kill_switch_of_an_administrator(browser: "Browser", house: House) -> None:
    """The tree stands under ann; handing over and stopping show first what they do."""
    page = opened(browser, house, ADMIN)
    page.goto(f"{house.url}/admin/identity/machines")
    tree = page.locator(".card", has=page.get_by_role("heading", name="Ann"))
    assert tree.locator(".identity-tree .identity-tree li").inner_text().startswith("Reader")
    page.get_by_label("Whose, or which machine").fill(house.urns["ann"])
    page.get_by_role("button", name="Preview stopping").click()
    assert "Sorter" in page.locator(".card", has_text="This would stop").inner_text()
    page.get_by_role("link", name="Leave it").click()
    page.get_by_label("Whose, or which machine").fill(house.urns["Reader"])
    page.get_by_label("New custodian").fill("nobody")
    page.get_by_role("button", name="Preview handing over").click()
    assert "is not another active person" in page.locator("main").inner_text()
    assert page.get_by_label("Whose, or which machine").input_value() == house.urns["Reader"]
    page.context.close()


def test_a_group_is_made_filled_and_seen(browser: "Browser", house: House) -> None:
    """Who is taken in stands in the table and in the picture, which the table repeats."""
    page = opened(browser, house, ADMIN)
    page.goto(f"{house.url}/admin/identity/groups")
    page.get_by_label("Name", exact=False).last.wait_for()
    page.locator("input[name=name]").fill("Night shift")
    page.get_by_role("button", name="Make a group").click()
    page.get_by_role("heading", name="Night shift").wait_for()
    page.locator("input[name=member]").fill(house.urns["ann"])
    page.get_by_role("button", name="Take in").click()
    page.get_by_role("link", name="Ann").wait_for()
    page.get_by_role("link", name="Picture").click()
    assert page.locator("svg.identity-graph circle").count() >= 2
    assert "member of" in page.locator("table").inner_text()
    page.go_back()
    page.get_by_role("button", name="Close the group").click()
    assert "depend on it" in page.locator("main").inner_text()
    page.get_by_role("button", name="Let go of Ann").click()
    page.get_by_text("Nobody is in it.").wait_for()
    page.context.close()


def test_an_organization_is_made_and_joined(browser: "Browser", house: House) -> None:
    """With a bad short name nothing typed is lost; a stranger gets no page of it."""
    page = opened(browser, house, ADMIN)
    page.goto(f"{house.url}/admin/identity/organizations")
    page.locator("input[name=slug]").fill("A me")
    page.locator("input[name=name]").fill("Acme")
    page.get_by_role("button", name="Make an organization").click()
    assert page.locator("input[name=name]").input_value() == "Acme"
    page.locator("input[name=slug]").fill("acme")
    page.get_by_role("button", name="Make an organization").click()
    page.get_by_role("heading", name="Acme").wait_for()
    page.locator("input[name=member]").fill(house.urns["ann"])
    page.get_by_role("button", name="Take in").click()
    page.get_by_role("link", name="Ann").wait_for()
    ann = opened(browser, house, ANN)
    for path, status in (("organizations/acme", 403), ("organizations/other", 404), ("machines", 403), ("groups", 403)):
        answer = ann.goto(f"{house.url}/admin/identity/{path}")
        assert answer is not None
        assert answer.status == status, path
    for one in (page, ann):
        one.context.close()
