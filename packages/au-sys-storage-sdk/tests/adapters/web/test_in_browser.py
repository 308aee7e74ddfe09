"""Storage's pages in a real browser: accessible, without complaints, no wider than the window; also without scripts."""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
import pytest

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import create_app
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.needs_chromium


def png(side: int, colour: bytes) -> bytes:
    """A square picture of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + colour * side) * side
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


AXE = (Path(__file__).parents[4] / "fsp-runtime/tests/hub/vendor/axe.min.js").read_text(encoding="utf-8")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PICTURE = png(32, b"\x20\x90\xa0")
LONG = "a/very/long/key/that/does/not/end/" + "x" * 150
PAGES = {
    "overview": "/admin/storage",
    "namespace": "/admin/storage/notes",
    "document": "/admin/storage/notes/first",
    "long": f"/admin/storage/notes/{LONG.replace('/', '%2F')}",
    "blobs": "/admin/storage/files:blobs",
    "picture": "/admin/storage/files:blobs/picture.png",
    "text": "/admin/storage/files:blobs/list.csv",
    "switch": "/admin/storage/:switch",
    "part": "/admin/storage/:switch?part=apart",
    "empty": "/admin/storage/nothing",
}


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served platform with something in it and a second backend."""
    folder = tmp_path_factory.mktemp("storage-site")
    with pytest.MonkeyPatch.context() as patch:
        targets = {"second": f"sqlite://{folder}/second.db", "third": f"sqlite://{folder}/third.db"}
        patch.setenv("STORAGE_SWITCH_TARGETS", json.dumps(targets))
        patch.setenv("STORAGE_PARTS", json.dumps({"apart": {"namespaces": ["apart", "apart.*"]}}))
        app = create_app(settings_for(folder), capabilities=[Storage(), believing_identity()])
        with serve(app) as url:
            with httpx.Client(base_url=url, headers={"Authorization": "Bearer ada"}) as client:
                fill(client)
            yield url


def fill(client: httpx.Client) -> None:
    """Documents and blobs of every kind that the pages show."""
    for number in range(55):
        client.put(f"/storage/notes/n{number:03}", json={"number": number}).raise_for_status()
    client.put("/storage/notes/first", json={"name": "Ada", "tags": ["a", "b"]}, headers={"Storage-TTL": "9999"})
    client.put(f"/storage/notes/{LONG.replace('/', '%2F')}", json={"wide": "x" * 500})
    client.put("/blobs/files/picture.png", content=PICTURE, headers={"Content-Type": "image/png"})
    client.put("/blobs/files/list.csv", content=b"name;number\n" + b"a;1\n" * 50, headers={"Content-Type": "text/csv"})


def signed_in(
    browser: "Browser", site: str, width: int = 1280, scheme: Literal["light", "dark"] = "light", scripts: bool = True
) -> "BrowserContext":
    """A person's browser."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts, base_url=site
    )
    context.add_cookies([{"name": "session", "value": "ada", "url": site}])
    return context


def found_on(page: "Page", complaints: list[str]) -> list[str]:
    """What axe-core, the console and the width of the page have to say."""
    page.evaluate(AXE)
    violations = page.evaluate("axe.run()")["violations"]
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    told = [f"{item['id']}: {node['target']}" for item in violations for node in item["nodes"]]
    told += complaints + ([f"{wider} px too wide"] if wider > 0 else [])
    complaints.clear()
    return told


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_pages_are_accessible(browser: "Browser", site: str, width: int, scheme: Literal["light", "dark"]) -> None:
    """No violation, no complaint on the console, no scrolling sideways."""
    context = signed_in(browser, site, width, scheme)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    problems = []
    for name, path in PAGES.items():
        page.goto(path)
        problems += [f"{name}: {text}" for text in found_on(page, complaints)]
    context.close()
    assert problems == []


def test_a_document_is_edited_and_its_change_is_shown(browser: "Browser", site: str) -> None:
    """Difference, saving, history with before and after; each page without a violation."""
    context = signed_in(browser, site, 360)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(PAGES["document"])
    page.locator("#field-value").fill('{"name": "Grace"}')
    page.get_by_role("button", name="Show the difference").click()
    problems = found_on(page, complaints)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Before and after").click()
    problems += found_on(page, complaints)
    change = page.locator(".diff").inner_text()
    context.close()
    assert (problems, "Ada" in change, "Grace" in change) == ([], True, True)


def test_a_file_is_uploaded_and_shown(browser: "Browser", site: str) -> None:
    """The picture is drawn; it can be deleted after a question."""
    from playwright.sync_api import expect

    context = signed_in(browser, site)
    page = context.new_page()
    page.goto(PAGES["blobs"])
    page.locator("#field-file").set_input_files({"name": "new.png", "mimeType": "image/png", "buffer": PICTURE})
    page.get_by_role("button", name="Upload").click()
    expect(page.locator(".blob-picture")).not_to_have_js_property("naturalWidth", 0)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/files:blobs")
    left = page.get_by_role("link", name="new.png").count()
    context.close()
    assert left == 0


def test_documents_are_moved_and_taken_back_without_scripts(browser: "Browser", site: str) -> None:
    """Check, move, see that it is done, go back: plain forms, and pages that look again by themselves."""
    context = signed_in(browser, site, 360, scripts=False)
    page = context.new_page()
    page.goto(PAGES["switch"])
    page.locator("#field-target").select_option("second")
    page.get_by_role("button", name="Check").click()
    assert "answers and is empty" in page.locator("main").inner_text()
    page.locator("#field-target").select_option("second")
    page.get_by_role("button", name="Move", exact=True).click()
    page.get_by_text("done").wait_for()
    assert "second" in page.locator(".facts").first.inner_text()
    page.get_by_role("button", name="Go back to default").click()
    page.get_by_text("done").wait_for()
    active = page.locator(".facts").first.inner_text()
    context.close()
    assert "default" in active


def test_the_progress_of_a_switch_moves_by_itself(browser: "Browser", site: str) -> None:
    """With scripts the page follows the switch to its end; nothing is inaccessible then."""
    context = signed_in(browser, site)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(PAGES["switch"])
    page.locator("#field-target").select_option("third")
    page.get_by_role("button", name="Move", exact=True).click()
    page.get_by_text("done", exact=True).wait_for()
    problems = found_on(page, complaints)
    page.goto(PAGES["switch"])
    page.get_by_role("button", name="Go back to default").click()
    page.locator(".facts").first.get_by_text("default").wait_for()
    context.close()
    assert problems == []
