"""The pages in Chromium: nothing the policy refuses, no way sideways, and an editor that is the form's field."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import Contribution, Manifest, Service, create_app
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.manifest.plugin import Skriptoteket

pytestmark = pytest.mark.needs_chromium

PATHS = (
    "/browse",
    "/tools/guardian-emails",
    "/tools/guardian-emails/run",
    "/tools/guardian-emails/schedule",
    "/my-runs",
    "/schedules",
    "/suggestions/new",
    "/my-tools",
    "/reviews",
    "/admin/tools",
    "/admin/taxonomy",
    "/admin/suggestions",
    "/admin/nominations",
    "/admin/runs",
    "/admin/operations",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The library over real HTTP; whoever says so is Anna, who may everything."""
    folder = tmp_path_factory.mktemp("library")
    blobs = open_blobs(f"file://{folder}/blobs")
    storage = Prepared(Manifest("storage", "1.0", "blobs"), Contribution(services=(Service(Blobs, lambda _: blobs),)))
    parts: list[Any] = [believing_identity(), storage, Skriptoteket()]  # Any: capabilities of three classes
    settings = settings_for(folder, public_url="http://127.0.0.1")
    with serve(create_app(settings, capabilities=parts)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Signed in as Anna; what the console complains of, and every request elsewhere, fails the test."""
    context = browser.new_context(base_url=site)
    context.add_cookies([{"name": "session", "value": "anna", "url": site}])
    found = context.new_page()
    wrong: list[str] = []
    found.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: wrong.append(str(error)))
    found.on("request", lambda request: None if request.url.startswith((site, "data:")) else wrong.append(request.url))
    yield found
    context.close()
    assert wrong == []


def draft(site: str) -> str:
    """The editor's path of a tool with one draft."""
    headers = {"authorization": "Bearer anna"}
    with httpx.Client(base_url=site, headers=headers) as client:
        tool = client.post("/api/v1/admin/tools", json={"title": "Counter"}).json()["id"]
        body = {"source_code": "def run_tool(i, o):\n    return None\n", "input_schema": []}
        assert client.post(f"/api/v1/tools/{tool}/versions", json=body).status_code == 201
    return f"/editor/tools/{tool}"


def test_every_page_fits(page: Page, site: str) -> None:
    """At the width of a small phone nothing sticks out, and nothing is refused anywhere."""
    page.set_viewport_size({"width": 320, "height": 800})
    for path in (*PATHS, draft(site)):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path


def test_the_editor_is_the_forms_field(page: Page, site: str) -> None:
    """Typed text is saved, Escape and Tab leave it, a comparison shows what differs, unsaved text comes back."""
    at = draft(site)
    page.goto(at)
    code = page.locator(".cm-content")
    code.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("# typed by hand")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert "cm-content" not in page.evaluate("document.activeElement.className")
    page.get_by_label("Show what differs from").select_option(label="1")
    expect(page.locator(".cm-changedLine").first).to_be_visible()
    while page.evaluate("localStorage.length") == 0:
        page.wait_for_timeout(20)
    page.goto(at)
    page.get_by_role("button", name="Bring it back").click()
    assert "# typed by hand" in code.inner_text()
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(f"**{at}**")
    assert "# typed by hand" in code.inner_text()
    assert page.get_by_role("button", name="Bring it back").count() == 0


def test_without_script_the_editor_saves(browser: Browser, site: str, tmp_path: Path) -> None:
    """The textarea is there and its text is kept."""
    context = browser.new_context(base_url=site, java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": "anna", "url": site}])
    found = context.new_page()
    at = draft(site)
    found.goto(at)
    found.get_by_label("Source (Python)").fill("plain = True\n")
    found.get_by_role("button", name="Save draft").click()
    assert "plain = True" in found.get_by_label("Source (Python)").input_value()
    context.close()
