"""The command line as people and programs use it: signals, exit codes, JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.readiness import fetch_json
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record

pytestmark = pytest.mark.needs_uv


def factory(*arguments: str, folder: Path, mode: str = "") -> subprocess.Popen[str]:
    """The real command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "au_sys_python_factory", *arguments],
        cwd=folder,
        env={**os.environ, "UV_OFFLINE": "1", "TINY_MODE": mode, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def foreground(tiny: PlatformFolder, state: StateFolder) -> Iterator[subprocess.Popen[str]]:
    """A shell in the foreground, ready."""
    process = factory("shell", "up", "--state", str(state.root), "--port", str(free_port()), folder=tiny.workspace.root)
    timer = threading.Timer(60, process.kill)
    timer.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready after"):
            break
    yield process
    timer.cancel()
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(foreground: subprocess.Popen[str], state: StateFolder, number: int) -> None:
    """Ctrl-C, TERM and a closed terminal stop everything; exit 0, and it says how long it took."""
    record = read_record(state)
    assert record is not None
    foreground.send_signal(number)
    _, err = foreground.communicate(timeout=20)
    assert foreground.returncode == 0
    assert "stopped in" in err
    assert not record.survivors
    assert not state.record.exists()


def test_a_web_process_that_dies_ends_everything_with_its_last_words(
    foreground: subprocess.Popen[str], state: StateFolder
) -> None:
    """In the foreground: the end of the log, everything stopped, exit 1."""
    record = read_record(state)
    assert record is not None
    web = next(item for item in record.processes if item.name == "web")
    os.kill(web.process.pid, signal.SIGKILL)
    _, err = foreground.communicate(timeout=20)
    assert foreground.returncode == 1
    assert "the web process died" in err
    assert "tiny: secret key has 44 characters" in err
    assert not record.survivors


def test_json_holds_address_and_credential_and_status_its_exit_codes(tiny: PlatformFolder, state: StateFolder) -> None:
    """``up --detach --json``, ``status``, ``down``: what programs read."""
    root, place = tiny.workspace.root, ["--state", str(state.root)]
    started = factory("shell", "up", "--detach", "--json", "--port", str(free_port()), *place, folder=root)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    data = json.loads(out)["data"]
    assert data["admin"] == {"email": "admin@fsp.example", "password": "one-time-tiny-password"}
    assert "one-time-tiny-password" not in err
    assert fetch_json(f"{data['url']}/health")[0] == 200
    codes = []
    for command in ("status", "down", "status", "down"):
        process = factory("shell", command, *place, folder=root)
        process.communicate(timeout=30)
        codes.append(process.returncode)
    assert codes == [0, 0, 4, 0]


def test_a_refusal_is_json_too(tiny: PlatformFolder, state: StateFolder) -> None:
    """An error with ``--json`` is an object with its exit code, and a sentence on standard error."""
    process = factory(
        *("shell", "up", "--detach", "--json", "--state", str(state.root), "--port", str(free_port())),
        folder=tiny.workspace.root,
        mode="dies at start",
    )
    out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert (process.returncode, document["ok"], document["exit"]) == (1, False, 1)
    assert "tiny: no can do" in document["messages"][0]
    assert "Traceback" not in err


def test_logs_and_a_new_credential(tiny: PlatformFolder, state: StateFolder) -> None:
    """``logs`` shows what the web process wrote, names the logs there are; ``admin`` gives a credential."""
    root, place = tiny.workspace.root, ["--state", str(state.root)]
    factory("shell", "up", "--detach", "--port", str(free_port()), *place, folder=root).communicate(timeout=60)
    shown, _ = factory("shell", "logs", *place, folder=root).communicate(timeout=30)
    assert "tiny: secret key" in shown
    _, err = factory("shell", "logs", "nonsense", *place, folder=root).communicate(timeout=30)
    assert "logs: supervisor, tinyworker, web" in err
    made, _ = factory("shell", "admin", "--json", *place, folder=root).communicate(timeout=30)
    assert json.loads(made)["data"]["admin"]["password"] == "one-time-tiny-password"
