"""The runtime's wheel in an empty environment: its README's app answers, and its README's capability shows up whole."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.needs_uv

TESTS = """
from fastapi_services_platform.testing import CapabilityConformance
from fastapi_services_platform.testing.stand_ins import believing_identity
from greeting import Greeting


class TestConformance(CapabilityConformance):
    def capability(self):
        return Greeting()

    def companions(self):
        return [believing_identity()]
"""
SERVER = """
import sys
from fastapi_services_platform import create_app
from fastapi_services_platform.testing.stand_ins import believing_identity
identity = believing_identity()
"""


class Empty:
    """An environment that holds what was installed into it and nothing else."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FSP_", "VIRTUAL_ENV"))}
        self.variables = {**kept, "UV_FIND_LINKS": str(wheels), "FSP_ENVIRONMENT": "dev"}
        self.run("uv", "venv", "--quiet")

    def run(self, *command: str) -> str:
        """What a command prints; it must succeed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def fsp(self, *arguments: str) -> str:
        """The same for the command line of the platform."""
        return self.run(str(self.folder / ".venv" / "bin" / "fsp"), *arguments)


@pytest.fixture(scope="module")
def empty(built_wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Empty:
    """An environment with the runtime's wheel and what that depends on."""
    made = Empty(tmp_path_factory.mktemp("empty"), built_wheels)
    wheel = next(built_wheels.glob("fastapi_services_platform-*.whl"))
    made.run("uv", "pip", "install", "--quiet", str(wheel))
    return made


def block(workspace: Path, after: str, language: str = "python") -> str:
    """The first block of the README below a line."""
    rest = (workspace / "packages" / "fsp-runtime" / "README.md").read_text().split(after, 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", rest, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def served(empty: Empty, workspace: Path) -> Iterator[str]:
    """The address of the README's app, served by ``fsp run``."""
    app = block(workspace, "## A platform in ten lines")
    assert len(app.splitlines()) <= 10
    (empty.folder / "asgi.py").write_text(app)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(empty.folder / ".venv" / "bin" / "fsp"), "run", "--app", "asgi:app", "--port", str(port)]
    with (empty.folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=empty.folder, env=empty.variables, stdout=log, stderr=log)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(60)


def test_the_app_answers(served: str) -> None:
    """Health, discovery and the hub are there."""
    answers = {}
    for path in ("/health", "/discovery", "/"):
        with urlopen(f"{served}{path}", timeout=30) as answer:
            answers[path] = (answer.status, answer.headers["content-type"].partition(";")[0])
    assert answers == {
        "/health": (200, "application/json"),
        "/discovery": (200, "application/json"),
        "/": (200, "text/html"),
    }


def test_the_capability_shows_up_and_conforms(empty: Empty, workspace: Path) -> None:
    """Route, permission, menu entry, setting and health check are listed, and the suite of the kit passes."""
    empty.run("uv", "pip", "install", "--quiet", "fastapi-services-platform[testing]", "pytest-asyncio")
    (empty.folder / "greeting.py").write_text(block(workspace, "<!-- the tests run this block"))
    (empty.folder / "stand_in.py").write_text(SERVER)
    (empty.folder / "test_greeting.py").write_text(TESTS)
    points = block(workspace, "Name it in the wheel's", "toml")
    (empty.folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "greeting"\nversion = "1.0"\n'
        f'{points}identity = "stand_in:identity"\n'
        '[tool.hatch.build.targets.wheel]\nonly-include = ["greeting.py", "stand_in.py"]\n'
        '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'
    )
    empty.run("uv", "pip", "install", "--quiet", "--editable", ".")
    listed = {item["name"]: item for item in json.loads(empty.fsp("list", "--json"))["capabilities"]}
    greeting = listed["greeting"]
    assert (greeting["routes"], greeting["permissions"]) == (1, ["greeting.word.read"])
    assert (greeting["menu"], greeting["settings"]) == (["/api/v1/greeting"], ["GREETING_WORD"])
    assert greeting["health_checks"] == ["words"]
    python = str(empty.folder / ".venv" / "bin" / "python")
    assert " passed" in empty.run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_greeting.py")
