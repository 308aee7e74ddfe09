"""One running shell and one browser for all journeys."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

FACTORY = Path(sys.executable).parent / "python-factory"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Shell:
    """A platform that runs from wheels, and the one-time credentials of its first administrator."""

    url: str
    email: str
    password: str
    state: Path


@pytest.fixture(scope="session")
def shell(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Build, install and start the shell on a free port; stop it at the end."""
    state = tmp_path_factory.mktemp("shell")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = ["--state", str(state)]
    command = [str(FACTORY), "shell", "up", "--detach", "--json", "--port", str(port), *place]
    started = subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False, timeout=300)
    assert started.returncode == 0, started.stdout + started.stderr
    found: dict[str, Any] = json.loads(started.stdout)["data"]
    admin = found["admin"]
    yield Shell(found["url"], admin["email"], admin["password"], state)
    subprocess.run([str(FACTORY), "shell", "down", *place], cwd=workspace, check=True, timeout=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, offline but for loopback.

    Not for the whole session: while Playwright's own loop runs, no asynchronous test can start in this process.
    """
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=QUIET
        )
        yield started
        started.close()
