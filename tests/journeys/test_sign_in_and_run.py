"""A person signs in with the printed credentials, runs a tool on a real file and takes the result home."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.journeys.running_shell import SAMPLE, Shell, sign_in_for_the_first_time

pytestmark = [
    pytest.mark.needs_bwrap,
    pytest.mark.needs_chromium,
    pytest.mark.needs_uv,
]


@pytest.fixture(scope="module")
def page(browser: Browser, shell: Shell) -> Page:
    """A page that fails the journey for anything the console complains about and any request that leaves the host."""
    opened = browser.new_context(base_url=shell.url, viewport={"width": 1280, "height": 900}).new_page()
    return opened


@pytest.fixture
def complaints(page: Page, shell: Shell) -> list[str]:
    """What the browser complained about, and every address outside the platform that a page asked for."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: found.append(request.url) if not request.url.startswith(shell.url) else None)
    return found


def test_from_the_printed_credentials_to_the_downloaded_list(
    page: Page, shell: Shell, complaints: list[str], tmp_path: Path
) -> None:
    """Sign in, choose an own password, find the tool, upload the export, read the table, download the list."""
    page.goto("/browse")
    expect(page).to_have_url(f"{shell.url}/login?next=/browse")
    sign_in_for_the_first_time(page, shell)

    page.goto("/browse")
    page.get_by_role("main").get_by_role("link", name="Guardian e-mail list").first.click()
    page.get_by_role("main").get_by_role("link", name="Run", exact=True).click()
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_role("button", name="Run").click()

    expect(page.locator("#run")).to_contain_text("Addresses in each class", timeout=20_000)
    table = page.get_by_role("table").first
    expect(table).to_contain_text("@")
    with page.expect_download() as downloading:
        page.get_by_role("main").get_by_role("link", name="Addresses for the BCC line").click()
    downloading.value.save_as(tmp_path / "guardians.txt")
    addresses = (tmp_path / "guardians.txt").read_text().replace(";", "\n").split()
    assert len(addresses) > 3
    assert len(addresses) == len({address.lower() for address in addresses})
    assert all("@" in address for address in addresses)

    page.goto("/my-runs")
    expect(page.get_by_role("main")).to_contain_text("Guardian e-mail list")
    assert complaints == []


def test_a_wrong_file_is_refused_with_what_is_missing(page: Page, complaints: list[str], tmp_path: Path) -> None:
    """A CSV without the columns of the export ends with a sentence that names them, not with an error of the tool."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Fruit;Colour\nApple;red\n")
    page.goto("/tools/guardian-emails/run")
    page.locator("input[type=file]").set_input_files(wrong)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#run")).to_contain_text("“Vårdnadshavare 1 e-post” are missing", timeout=60_000)
    expect(page.locator("#run")).to_contain_text("Columns in this file: Fruit, Colour")
    assert complaints == []


def test_at_phone_width_nothing_scrolls_sideways(browser: Browser, page: Page, shell: Shell) -> None:
    """Every page of the journey fits into 360 pixels."""
    narrow = browser.new_context(
        base_url=shell.url, viewport={"width": 360, "height": 740}, storage_state=page.context.storage_state()
    ).new_page()
    for path in (
        "/",
        "/browse",
        "/tools/guardian-emails",
        "/tools/guardian-emails/run",
        "/my-runs",
        "/account",
    ):
        narrow.goto(path)
        width = narrow.evaluate("document.documentElement.scrollWidth")
        assert (path, width) == (path, 360)
    narrow.context.close()
