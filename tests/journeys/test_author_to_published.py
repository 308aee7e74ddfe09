"""A colleague's idea becomes a tool that a teacher runs on a telephone, and a bad version goes as fast as it came."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from tests.journeys.running_shell import FACTORY, ROOT, Shell

pytestmark = [pytest.mark.needs_bwrap, pytest.mark.needs_chromium, pytest.mark.needs_uv]

PASSWORD = "nine otters drum on hollow logs"
BUNDLES = {"cleo": "contributor", "rut": "admin", "sven": "superuser", "tove": "user"}
SOURCE = '''"""Count the rows of a list."""

import toolkit


def run_tool(input_dir, output_dir, files):
    """One notice and one file for each upload."""
    for file in files:
        with open(file["path"], encoding="utf-8") as source:
            rows = [line for line in source if line.strip()]
        with open(f"{output_dir}/rows.txt", "w", encoding="utf-8") as target:
            target.write(f"{len(rows)} rows\\n")
        return [toolkit.notice(f"WORD {len(rows)}"), toolkit.file("rows.txt", "Number of rows")]
'''
SCHEMA = '[{"kind": "file", "name": "list", "label": {"en": "List", "sv": "Lista"}, "accept": [".csv"]}]'


@dataclass(frozen=True)
class People:
    """Signed-in pages by name, and what their consoles complained of."""

    pages: dict[str, Page]
    complaints: list[str]

    def __getattr__(self, name: str) -> Page:
        return self.pages[name]


def administrator(shell: Shell) -> httpx.Client:
    """A client of an administrator made for this journey, with a password of its own."""
    email = "journey-chief@fsp.example"
    command = [FACTORY, "shell", "admin", "--email", email, "--json", "--state", str(shell.state)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return own_password(shell, email, json.loads(made.stdout)["data"]["admin"]["password"])


def own_password(shell: Shell, email: str, given: str) -> httpx.Client:
    """Sign in with a one-time password, choose an own one, sign in again."""
    client = httpx.Client(base_url=shell.url, timeout=30)
    for password in (given, PASSWORD):
        answer = client.post("/auth/jwt/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        if password == given:
            body = {"current_password": given, "password": PASSWORD}
            assert client.patch("/users/me", json=body).status_code == 200
    return client


@pytest.fixture(scope="module")
def people(browser: Browser, shell: Shell) -> Iterator[People]:
    """Cleo writes, Rut reviews, Sven decides last, Tove teaches; each signs in on a page of their own."""
    pages: dict[str, Page] = {}
    complaints: list[str] = []
    with closing(administrator(shell)) as chief:
        for name, bundle in BUNDLES.items():
            made = chief.post("/users", json={"email": f"{name}@journey.example", "display_name": name.title()})
            assert made.status_code == 201, made.text
            own_password(shell, f"{name}@journey.example", made.json()["one_time_password"]).close()
            if bundle != "user":
                role = {"role": f"skriptoteket:{bundle}"}
                given = chief.post(f"/rbac/users/{made.json()['id']}/roles", json=role)
                assert given.status_code == 201, given.text
            size = {"width": 360, "height": 740} if name == "tove" else {"width": 1280, "height": 900}
            page = browser.new_context(base_url=shell.url, viewport=size).new_page()  # type: ignore[arg-type]  # a TypedDict
            page.on("console", lambda told: complaints.append(f"{told.text} {told.location}") if worse(told) else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto("/login")
            page.get_by_label("E-mail address").fill(f"{name}@journey.example")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
            expect(page).not_to_have_url(re.compile("/login"))
            pages[name] = page
    yield People(pages, complaints)
    for page in pages.values():
        page.context.close()


def worse(told: ConsoleMessage) -> bool:
    """Whether the console complains; that a save was refused is no complaint."""
    return told.type == "error" and "409" not in told.text


def press(page: Page, name: str) -> None:
    """The button of the page's own content."""
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def write(page: Page, text: str) -> None:
    """Replace what stands in the code editor."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def decide(page: Page, verdict: str, reason: str) -> None:
    """The only waiting review."""
    page.goto("/reviews")
    page.get_by_role("main").get_by_role("link", name=re.compile("version")).first.click()
    page.get_by_label("Reason").fill(reason)
    press(page, verdict)


def submit(page: Page, editor: str, text: str, summary: str) -> None:
    """Write a text into the draft and hand it in."""
    page.goto(editor)
    write(page, text)
    page.get_by_label("What changed").fill(summary)
    page.get_by_text("Submit for review").click()
    press(page, "Save and submit")
    expect(page).to_have_url(re.compile("/my-tools"))


def run_on_a_phone(page: Page, shell: Shell, sample: Path, told: str) -> None:
    """Find the tool in the catalogue, upload the list, read what comes out."""
    page.goto("/browse")
    page.get_by_role("searchbox").first.fill("count rows")
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name="Count rows").first.click()
    page.get_by_role("main").get_by_role("link", name="Run", exact=True).click()
    page.locator("input[type=file]").set_input_files(sample)
    press(page, "Run")
    expect(page.locator("#run")).to_contain_text(told, timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_from_an_idea_to_a_tool_and_back(people: People, shell: Shell, tmp_path: Path) -> None:
    """Suggest, accept, write, try, submit, compare, try what waits, send back, mend, publish, run, roll back."""
    sample = tmp_path / "klass.csv"
    sample.write_text("Namn;Klass\nÅsa;7A\nÖrjan;7B\n", encoding="utf-8")

    cleo = people.cleo
    cleo.goto("/suggestions/new")
    cleo.get_by_label("Title").fill("Count rows")
    cleo.get_by_label("What it should do").fill("Counts the rows of a list.")
    cleo.get_by_label("Teacher", exact=True).check()
    cleo.get_by_label("Administration").check()
    press(cleo, "Suggest")
    expect(cleo.get_by_role("main")).to_contain_text("waits")

    rut = people.rut
    rut.goto("/admin/suggestions")
    rut.get_by_role("main").get_by_role("link", name="Count rows").click()
    rut.get_by_label("Reason").fill("Many ask for it.")
    press(rut, "Accept")
    accepted = time.monotonic()

    cleo.goto("/suggestions/mine")
    expect(cleo.get_by_role("main")).to_contain_text("Many ask for it.")
    cleo.get_by_role("link", name="Write it").click()
    editor = cleo.url
    write(cleo, SOURCE.replace("WORD", "Lines:"))
    cleo.get_by_text("Form, instructions, environment").click()
    cleo.get_by_label("Input form (JSON)").fill(SCHEMA)
    cleo.get_by_label("What changed").fill("First version.")
    press(cleo, "Save draft")
    expect(cleo.get_by_role("main")).to_contain_text("draft 1")
    cleo.get_by_text("Try it in the sandbox").click()
    cleo.get_by_label("List").set_input_files(sample)
    press(cleo, "Try")
    expect(cleo.locator("#run")).to_contain_text("Lines: 3", timeout=60_000)
    press(cleo, "Try")  # once more, with the same file
    expect(cleo.locator("#run")).to_contain_text("Lines: 3", timeout=60_000)
    while_she_writes(people, cleo, editor)
    cleo.get_by_text("Submit for review").click()
    cleo.get_by_label("A word for the reviewer").fill("It counts.")
    press(cleo, "Save and submit")
    expect(cleo.get_by_role("main")).to_contain_text("in review")

    rut.goto("/reviews")
    rut.get_by_role("main").get_by_role("link", name="Count rows").click()
    expect(rut.get_by_role("main")).to_contain_text("It counts.")
    expect(rut.get_by_role("main")).to_contain_text("Sandbox runs of exactly this")
    review = rut.url
    rut.get_by_role("link", name="Try this version").click()
    rut.get_by_text("Try it in the sandbox").click()
    rut.get_by_label("List").set_input_files(sample)
    press(rut, "Try")
    expect(rut.locator("#run")).to_contain_text("Lines: 3", timeout=60_000)
    rut.goto(review)
    expect(rut.get_by_role("main")).to_contain_text("succeeded in the sandbox as it stands")
    decide(rut, "Ask for changes", "Say rows, as the title does.")

    submit(cleo, editor, SOURCE.replace("WORD", "Rows:"), "Says rows.")
    rut.goto("/reviews")
    rut.get_by_role("main").get_by_role("link", name="Count rows").click()
    expect(rut.get_by_role("main")).to_contain_text("Say rows, as the title does.")
    rut.get_by_label("Show what differs from").select_option(label="1")
    press(rut, "Compare")
    expect(rut.locator(".diff-added").first).to_contain_text("Rows:")
    rut.get_by_role("link", name="Texts and tags").click()
    rut.get_by_label("Address").fill("count-rows")
    press(rut, "Save")
    approved = time.monotonic()
    rut.goto("/reviews")
    rut.get_by_role("main").get_by_role("link", name="Count rows").click()
    rut.get_by_label("Reason").fill("Fine.")
    rut.get_by_label("Also show the tool in the catalogue").check()
    press(rut, "Publish")
    expect(rut).to_have_url(re.compile("/reviews$"))

    tove = people.tove
    run_on_a_phone(tove, shell, sample, "Rows: 3")
    runnable = time.monotonic()
    with tove.expect_download() as downloading:
        tove.get_by_role("main").get_by_role("link", name="Number of rows").click()
    downloading.value.save_as(tmp_path / "rows.txt")
    assert (tmp_path / "rows.txt").read_text() == "3 rows\n"

    submit(cleo, editor, SOURCE.replace("WORD", "Broken:"), "Looks harmless.")
    decide(rut, "Publish", "Looks harmless to me, too.")
    run_on_a_phone(tove, shell, sample, "Broken: 3")

    noticed = time.monotonic()
    sven = people.sven
    sven.goto("/admin/tools")
    sven.get_by_role("main").get_by_role("link", name="Count rows").first.click()
    sven.get_by_text("Roll back to this").first.click()
    sven.locator("details[open]").get_by_label("Reason").fill("It says Broken.")
    sven.locator("details[open]").get_by_role("button", name="Roll back").click()
    expect(sven.get_by_role("main")).to_contain_text("Rolled back to version")
    run_on_a_phone(tove, shell, sample, "Rows: 3")
    back = time.monotonic()

    print(f"accepted idea to tool {runnable - accepted:.1f} s, approval to run {runnable - approved:.1f} s, "
          f"bad version to good run {back - noticed:.1f} s")  # fmt: skip
    assert people.complaints == []


def while_she_writes(people: People, cleo: Page, editor: str) -> None:
    """Somebody who may write every tool sees who is editing, takes over, and gives it back; her text stays."""
    rut = people.rut
    rut.goto(editor)
    expect(rut.locator("#lock-state")).to_contain_text("Cleo is editing this draft")
    rut.get_by_text("Take over", exact=True).click()
    press(rut, "Take over the draft")
    expect(rut.locator("#lock-state")).to_be_hidden()
    press(cleo, "Save draft")
    expect(cleo.get_by_role("main")).to_contain_text("Not saved; your text is below")
    expect(cleo.locator("#lock-state")).to_contain_text("Rut is editing this draft")
    rut.goto("/reviews")  # leaving gives the lock back
    for _ in range(50):
        cleo.goto(editor)
        if cleo.locator("#lock-state").is_hidden():
            return
    raise AssertionError("the lock was not given back")
