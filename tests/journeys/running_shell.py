"""A shell from wheels on a free port, and a browser that stays on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FACTORY = str(Path(sys.executable).parent / "python-factory")
SAMPLE = ROOT / "services/skriptoteket/script_bank/guardian_emails/sample.csv"
OWN_PASSWORD = "seven geese walk slowly home"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@dataclass(frozen=True)
class Shell:
    """A platform that runs from wheels, and the one-time credentials of its first administrator."""

    url: str
    email: str
    password: str
    state: Path


@contextmanager
def running_shell(state: Path) -> Iterator[Shell]:
    """Build, install and start the shell with its state in ``state``; stop it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [FACTORY, "shell", "up", "--detach", "--json", "--port", str(port), "--state", str(state)]
    started = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    if started.returncode != 0:
        raise RuntimeError(started.stdout + started.stderr)
    found: dict[str, Any] = json.loads(started.stdout)["data"]  # Any: JSON
    try:
        yield Shell(found["url"], found["admin"]["email"], found["admin"]["password"], state)
    finally:
        subprocess.run([FACTORY, "shell", "down", "--state", str(state)], cwd=ROOT, check=True, timeout=60)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


def sign_in_for_the_first_time(page: Page, shell: Shell) -> None:
    """From the sign-in page with the printed credentials to an own password."""
    page.get_by_label("E-mail address").fill(shell.email)
    page.get_by_label("Password").fill(shell.password)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    page.get_by_label("Present password").fill(shell.password)
    page.get_by_label("New password").fill(OWN_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Choose your own password")


def run_the_guardian_tool(page: Page) -> None:
    """Upload the sample export and wait for its result."""
    page.goto("/tools/guardian-emails/run")
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_role("main").get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#run")).to_contain_text("Addresses in each class", timeout=30_000)
