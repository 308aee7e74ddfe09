"""The servers that the caller chose, and a way to have them for the steps before the supervisor takes over."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.shell.assembly.configuration import secret
from au_sys_python_factory.shell.services.ldap import prepare_ldap
from au_sys_python_factory.shell.services.mail import prepare_mail
from au_sys_python_factory.shell.services.postgres import prepare_postgres
from au_sys_python_factory.shell.services.redis import prepare_redis
from au_sys_python_factory.shell.services.server import Server
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.supervision.supervisor import Program, last_lines

KNOWN = ("postgres", "redis", "ldap", "mail")
_START_SECONDS = 20.0


def prepare_services(names: Sequence[str], state: StateFolder) -> tuple[Server, ...]:
    """Each chosen server, ready to be started.

    Raises:
        FactoryError: one is not installed or cannot be set up.
    """
    ways: dict[str, Callable[[], Server]] = {
        "postgres": lambda: prepare_postgres(state.services, secret(state, "POSTGRES_PASSWORD")),
        "redis": lambda: prepare_redis(state.services, secret(state, "REDIS_PASSWORD")),
        "ldap": lambda: prepare_ldap(state.services, secret(state, "LDAP_PASSWORD")),
        "mail": lambda: prepare_mail(state.data / "outbox"),
    }
    return tuple(ways[name]() for name in KNOWN if name in names)


def extras_of(names: Sequence[str]) -> tuple[str, ...]:
    """The platform's optional dependencies for servers: only PostgreSQL needs a driver that is not there anyway."""
    return tuple(name for name in names if name == "postgres")


@contextmanager
def running_for_a_while(services: Sequence[Server], logs: Path) -> Iterator[None]:
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
