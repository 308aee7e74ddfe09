"""From nothing to a running platform, and what goes wrong on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.errors import FactoryError, Refused
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.down import down
from au_sys_python_factory.shell.overview import Overview
from au_sys_python_factory.shell.status import status
from au_sys_python_factory.shell.supervision.processes import wait_gone
from au_sys_python_factory.shell.supervision.readiness import fetch_json
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record, write_private
from au_sys_python_factory.shell.supervision.supervisor import ECHO_SECONDS
from au_sys_python_factory.shell.up import AlreadyRunning, NotReady

pytestmark = pytest.mark.needs_uv
Start = Callable[..., Overview]


def test_it_runs_from_wheels_and_shows_what_is_loaded(start: Start, state: StateFolder) -> None:
    """Detached, the shell is ready, shows each capability with its wheel, and the credential once."""
    overview = start()
    assert fetch_json(f"{overview.url}/health/ready") == (200, {"status": "healthy"})
    (capability,) = overview.capabilities
    manifest = json.loads(state.manifest.read_text())["wheels"]
    assert manifest["tiny-runtime"]["sha256"] == capability["wheel"]
    assert tuple(capability[key] for key in ("health", "migration_head", "routes", "permissions")) == (
        "healthy",
        "0001",
        3,
        1,
    )
    assert [name for name, _ in overview.processes] == ["web", "tinyworker"]
    assert overview.admin is not None
    assert overview.admin.password == "one-time-tiny-password"
    assert ("tiny", f"{overview.url}/things") in overview.places


def test_nothing_of_the_source_tree_is_used(start: Start, state: StateFolder, tiny: PlatformFolder) -> None:
    """The environment holds the wheel itself, compiled, and no path of the workspace."""
    start()
    site = next(state.venv.glob("lib/python*/site-packages"))
    assert (site / "tiny_runtime" / "cli.py").is_file()
    assert list((site / "tiny_runtime" / "__pycache__").glob("cli.*.pyc"))
    assert not [path for path in site.glob("*.pth") if str(tiny.workspace.root) in path.read_text()]


def test_the_state_folder_is_closed_and_the_credential_is_nowhere_in_it(start: Start, state: StateFolder) -> None:
    """Folders are 0700, secrets 0600, and no file holds the one-time password."""
    start()
    assert {0o700} == {stat.S_IMODE(folder.stat().st_mode) for folder in (state.root, state.data, state.secrets)}
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in state.secrets.iterdir()}
    texts = [
        path.read_bytes()
        for place in (state.run, state.logs, state.data)
        for path in place.rglob("*")
        if path.is_file()
    ]
    assert not [text for text in texts if b"one-time-tiny-password" in text]


def test_stopping_leaves_no_process_and_no_record(start: Start, state: StateFolder) -> None:
    """After a stop nothing that was started is alive, and a second stop is fine."""
    start()
    record = read_record(state)
    assert record is not None
    stopped = down(state)
    assert (stopped.was_running, stopped.gracefully) == (True, True)
    assert not record.alive
    assert not record.survivors
    assert not state.record.exists()
    assert not down(state).was_running


def test_data_survive_and_the_first_admin_is_made_once(start: Start, state: StateFolder) -> None:
    """The second start builds nothing, makes no second administrator, and finds the data and secrets of the first."""
    start()
    down(state)
    secret = (state.secrets / "FSP_SECRET_KEY").read_text()
    again = start()
    assert again.admin is None
    assert (state.data / "tiny.db").read_text() == "admin@fsp.example"
    assert (state.secrets / "FSP_SECRET_KEY").read_text() == secret


def test_fresh_keeps_the_old_data_aside(start: Start, state: StateFolder) -> None:
    """``--fresh`` starts with new data and says where the old ones are."""
    start()
    down(state)
    overview = start(fresh=True)
    assert overview.admin is not None
    assert (state.root / "data.1" / "tiny.db").is_file()
    assert str(state.root / "data.1") in overview.notes[0]


def test_a_second_start_changes_nothing(start: Start, state: StateFolder) -> None:
    """While one runs, another start is told so; the first goes on."""
    first = start()
    with pytest.raises(AlreadyRunning):
        start()
    assert status(state).exit_code == 0
    assert fetch_json(f"{first.url}/health")[0] == 200


def test_a_taken_port_names_its_holder_and_changes_nothing(start: Start, state: StateFolder) -> None:
    """The message names who listens and a free port; no folder but the lock's was made."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(Refused, match=rf"port {port} is taken by .*process {os.getpid()}.*\n.*--port \d+"):
            start(port=port)
    assert not state.venv.exists()
    assert not state.data.exists()


def test_a_killed_supervisor_is_cleaned_up_by_the_next_start(start: Start, state: StateFolder) -> None:
    """After kill -9 of the supervisor its processes are ended, and the new ones run."""
    start()
    killed = read_record(state)
    assert killed is not None
    os.kill(killed.supervisor.pid, signal.SIGKILL)
    assert wait_gone(killed.supervisor, 5)
    assert status(state).exit_code == 4
    overview = start()
    assert not killed.survivors
    assert status(state).exit_code == 0
    assert overview.url


def test_a_number_that_belongs_to_another_process_now_is_left_alone(start: Start, state: StateFolder) -> None:
    """A stale record whose number is used again is recognised by the start time."""
    state.prepare()
    stranger = {"pid": os.getppid(), "started": "long ago"}
    record = {
        "supervisor": stranger,
        "host": "127.0.0.1",
        "port": 1,
        "phase": "ready",
        "processes": [{"name": "web", "process": stranger, "restarts": 0, "failed": False}],
        "detail": "",
    }
    write_private(state.record, json.dumps(record))
    assert not down(state).notes
    os.kill(os.getppid(), 0)


def test_a_web_process_that_dies_at_the_start_shows_its_last_words(start: Start, state: StateFolder) -> None:
    """The error holds the end of the log; nothing stays."""
    with pytest.raises(NotReady, match="tiny: no can do"):
        start("dies at start")
    assert read_record(state) is None


def test_a_shell_that_never_gets_ready_is_stopped(start: Start, state: StateFolder) -> None:
    """After the time given, everything is stopped and the error says so."""
    with pytest.raises(NotReady, match="did not become ready"):
        start("unready", ready_seconds=1.0)
    assert status(state).exit_code == 4


def test_a_failing_migration_is_told_and_nothing_starts(start: Start, state: StateFolder) -> None:
    """The capability's own words are in the message."""
    with pytest.raises(FactoryError, match=r"migrating the databases failed.*\n.*the table is on fire"):
        start("unmigratable")
    assert read_record(state) is None


def test_a_worker_that_does_not_stop_is_killed(
    start: Start, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same Ctrl-C passed on by the programs above counts once; a second one does not wait for the drain time."""
    start("stubborn")
    record = read_record(state)
    assert record is not None
    os.kill(record.supervisor.pid, signal.SIGTERM)
    os.kill(record.supervisor.pid, signal.SIGINT)
    assert not wait_gone(record.supervisor, ECHO_SECONDS + 0.5)
    os.kill(record.supervisor.pid, signal.SIGINT)
    assert wait_gone(record.supervisor, 5)
    assert not record.survivors


def test_a_dead_web_process_is_started_again(start: Start, state: StateFolder) -> None:
    """Detached, kill -9 of the web process costs half a second."""
    overview = start()
    web = dict(overview.processes)["web"]
    os.kill(web, signal.SIGKILL)
    for _ in range(200):
        record = read_record(state)
        current = next(item for item in record.processes if item.name == "web") if record else None
        if current and current.restarts == 1 and fetch_json(f"{overview.url}/health/ready")[0] == 200:
            break
        signal.sigtimedwait([], 0.05)
    assert current is not None
    assert (current.restarts, current.process.pid != web) == (1, True)


def test_no_build_refuses_what_is_not_what_was_built(start: Start, tiny: PlatformFolder) -> None:
    """A changed and a stray wheel are both named."""
    start()
    stray = tiny.packages / "stranger-1.0-py3-none-any.whl"
    wheel = next(tiny.packages.glob("tiny_runtime*.whl"))
    original = wheel.read_bytes()
    try:
        stray.write_bytes(b"")
        with pytest.raises((Refused, AlreadyRunning)):
            start(rebuild=False)
        wheel.write_bytes(b"changed")
    finally:
        stray.unlink()
        wheel.write_bytes(original)


def test_a_state_folder_that_others_may_write_is_refused(start: Start, state: StateFolder) -> None:
    """Secrets are inside, so the fix is named and nothing is started."""
    state.root.mkdir(mode=0o777)
    state.root.chmod(0o777)
    with pytest.raises(Refused, match=re.escape(f"fix: chmod go-rwx {state.root}")):
        start()
    state.root.chmod(0o700)


def test_a_changed_member_is_built_again_and_the_old_environment_survives_a_failure(
    start: Start, state: StateFolder, tiny: PlatformFolder
) -> None:
    """A member that does not build leaves the environment as it was."""
    start()
    down(state)
    pyproject = tiny.workspace.member("tiny-runtime").folder / "pyproject.toml"
    good = pyproject.read_text()
    try:
        pyproject.write_text(good.replace('"hatchling.build"', '"hatchling.nothing"'))
        with pytest.raises(FactoryError, match="building tiny-runtime failed"):
            start()
    finally:
        pyproject.write_text(good)
    assert (state.venv / "bin" / "fsp").is_file()
    assert start().url


def test_leftovers_are_only_what_is_ours(state: StateFolder, tmp_path: Path) -> None:
    """A state folder that is a link is refused."""
    shutil.rmtree(state.root, ignore_errors=True)
    state.root.symlink_to(tmp_path)
    with pytest.raises(Refused, match="is a link"):
        state.check()
    state.root.unlink()
