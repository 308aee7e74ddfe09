"""The servers that the caller chose, and a way to have them for the steps before the supervisor takes over."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.shell.assembly.configuration import secret
from au_sys_python_factory.shell.services.postgres import Postgres, prepare_postgres
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.supervision.supervisor import Program, last_lines

KNOWN = ("postgres",)
_START_SECONDS = 20.0


def prepare_services(names: Sequence[str], state: StateFolder) -> tuple[Postgres, ...]:
    """Each chosen server, ready to be started.

    Raises:
        FactoryError: one is not installed or cannot be set up.
    """
    if "postgres" not in names:
        return ()
    return (prepare_postgres(state.services, secret(state, "POSTGRES_PASSWORD")),)


@contextmanager
def running_for_a_while(services: Sequence[Postgres], logs: Path) -> Iterator[None]:
    """The servers run for the body.

    Raises:
        FactoryError: one does not listen in time; the end of its log follows.
    """
    running: list[tuple[Program, subprocess.Popen[bytes]]] = []
    try:
        for service in services:
            running.append((service.program, _start(service.program, logs)))
        for program, process in running:
            _wait(program, process, logs)
        yield
    finally:
        for program, process in reversed(running):
            _stop(program, process)


def _start(program: Program, logs: Path) -> subprocess.Popen[bytes]:
    with (logs / f"{program.name}.log").open("ab") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 (a server that we found ourselves)
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=program.folder,
            env=program.own_environment,
            start_new_session=True,
            **program.account_arguments,  # type: ignore[call-overload]  # user, group, extra_groups
        )
        return process


def _wait(program: Program, process: subprocess.Popen[bytes], logs: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not program.serves:
        if process.poll() is not None or time.monotonic() >= end:
            lines = "\n".join(last_lines(logs / f"{program.name}.log", 15))
            raise FactoryError(f"{program.name} does not start\n{lines}")
        time.sleep(0.02)


def _stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(program.stop_signal)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
