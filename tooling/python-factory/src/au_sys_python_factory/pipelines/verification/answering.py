"""The platform's web process from the wheels, and the new capability's routes asked as they are declared."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.gauntlet.people import Account
from au_sys_python_factory.gauntlet.report import Report, stage_table
from au_sys_python_factory.gauntlet.run import Run
from au_sys_python_factory.gauntlet.sources import rows_of_environment
from au_sys_python_factory.pipelines.verification.sources import PartFailed
from au_sys_python_factory.shell.assembly.configuration import process_environment
from au_sys_python_factory.shell.assembly.installed_commands import create_admin
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.readiness import fetch_json
from au_sys_python_factory.shell.supervision.state import StateFolder, write_private
from au_sys_python_factory.shell.supervision.supervisor import last_lines

HOST = "127.0.0.1"
ADMIN = "verification@fsp.example"
_ACCOUNT = "account.json"
_READY_SECONDS = 120.0
_STOP_SECONDS = 30.0
_LOOK_EVERY = 0.05


def answers(platform: PlatformFolder, state: StateFolder, kept: StateFolder, capability: str) -> str:
    """Start, play the rows that the capability brings, stop; gives their number.

    ``kept`` is where databases were left at an earlier time; they are taken from there, and left there.

    Raises:
        PartFailed: the process did not become ready, or an answer is another than declared.
    """
    state.prepare()
    _begin_with(kept, state)
    port = free_port(HOST)
    environment = process_environment(platform.config, state, host=HOST, port=port)
    with _web(state, environment, port) as url:
        account = _account(state, environment)
        report = _played(url, state, account, capability)
        write_private(state.root / _ACCOUNT, json.dumps({"email": account.email, "password": account.password}))
    if report.failed:
        raise PartFailed(
            stage_table(capability, list(report.failed), report), fix="the rows are in the package's gauntlet/"
        )
    if not report.outcomes:
        raise PartFailed("the package brings no gauntlet row: nothing was asked.", fix="write one into its gauntlet/")
    _leave_behind(state, kept, capability)
    return f"{len(report.outcomes)} answers as declared"


@contextmanager
def _web(state: StateFolder, environment: Mapping[str, str], port: int) -> Iterator[str]:
    log = state.logs / "web.log"
    command = [str(state.venv / "bin" / "fsp"), "run", "--host", HOST, "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - a script of the environment that we made
            command, env=dict(environment), cwd=state.run, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
        try:
            url = f"http://{HOST}:{port}"
            _wait_ready(process, url, log)
            yield url
        finally:
            _stop(process)


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if fetch_json(f"{url}/health/ready")[0] == 200:
            return
        time.sleep(_LOOK_EVERY)
    ended = process.poll() is not None
    what = "the web process ended." if ended else f"the web process was not ready after {_READY_SECONDS:.0f} s."
    raise PartFailed("\n".join([what, *last_lines(log)]), fix="the cause is in these lines")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _account(state: StateFolder, environment: Mapping[str, str]) -> Account:
    """The administrator that is in the databases already, else a new one."""
    path = state.root / _ACCOUNT
    if path.is_file():
        known = json.loads(path.read_text("utf-8"))
        return Account(str(known["email"]), str(known["password"]))
    made = create_admin(state, environment, ADMIN)
    return Account(made.email, made.password)


def _played(url: str, state: StateFolder, account: Account, capability: str) -> Report:
    rows = [row for row in rows_of_environment(state.venv) if row.owner == capability]
    run = Run(url, rows, account, remove_admin=False, tell=lambda _stage, _outcomes, _report: None, only=capability)
    try:
        return asyncio.run(run.play_all())
    except FactoryError as error:
        lines = last_lines(state.logs / "web.log")
        raise PartFailed("\n".join([error.sentence, *lines]), fix="the cause is in these lines") from None


def _begin_with(kept: StateFolder, state: StateFolder) -> None:
    for folder in ("data", "secrets"):
        if (kept.root / folder).is_dir():
            shutil.copytree(kept.root / folder, state.root / folder, dirs_exist_ok=True)
    if (kept.root / _ACCOUNT).is_file():
        shutil.copy2(kept.root / _ACCOUNT, state.root / _ACCOUNT)


def _leave_behind(state: StateFolder, kept: StateFolder, capability: str) -> None:
    """The databases of everything but the new capability, for the next verification."""
    if kept.root.is_dir():
        return
    for path in state.data.glob(f"{capability}.db*"):
        path.unlink()
    fresh = kept.root.with_name(f"{kept.root.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    for name in ("data", "secrets", _ACCOUNT):
        shutil.move(state.root / name, fresh / name)
    with suppress(OSError):
        fresh.rename(kept.root)
