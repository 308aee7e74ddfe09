"""Start a platform from wheels: the steps in their order, each shown with its result."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import FINDINGS, FactoryError
from au_sys_python_factory.shell.assembly.assembling import Assembly, assemble
from au_sys_python_factory.shell.assembly.configuration import EXAMPLE, process_environment, read_variables
from au_sys_python_factory.shell.assembly.installed_commands import (
    FirstAdmin,
    create_admin,
    inventory,
    migrate,
    programs,
)
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.overview import Overview, describe_capabilities, places
from au_sys_python_factory.shell.preflight import (
    check_address,
    check_disk,
    check_tools,
    clean_up_after_killed,
    take_lock,
)
from au_sys_python_factory.shell.services.chosen import extras_of, prepare_services, running_for_a_while
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.detached import launch
from au_sys_python_factory.shell.supervision.processes import ProcessId
from au_sys_python_factory.shell.supervision.readiness import Json, fetch_json
from au_sys_python_factory.shell.supervision.state import (
    DataMarks,
    ShellRecord,
    StateFolder,
    read_record,
    write_private,
)
from au_sys_python_factory.shell.supervision.supervisor import Supervision, Supervisor, last_lines
from au_sys_python_factory.wheels.lock.guard import refuse_leak

ADMIN_EMAIL = "admin@fsp.example"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asked for."""

    host: str = "127.0.0.1"
    port: int = 8001
    host_was_named: bool = False
    detach: bool = False
    fresh: bool = False
    rebuild: bool = True
    ready_seconds: float = 60.0
    admin_email: str = ADMIN_EMAIL
    services: tuple[str, ...] = ()
    index: str | None = None
    """Released wheels out of this index instead of built ones."""


class AlreadyRunning(Exception):
    """Another shell has this state folder; not an error, its status is shown instead."""


class NotReady(FactoryError):
    """The shell did not come up, or its web process died; the end of its log follows."""

    exit_code = FINDINGS


def up(
    platform: PlatformFolder, state: StateFolder, wish: Wish, progress: Progress, show: Callable[[Overview], None]
) -> None:
    """Start, show what runs, and stay with it (or return once it is ready, when detached).

    Raises:
        AlreadyRunning: nothing was started or changed.
        NotReady: it did not become ready in time, or the web process died; everything was stopped.
        FactoryError: a step before the start failed.
    """
    begin = time.monotonic()
    state.check()
    state.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = take_lock(state)
    if lock is None:
        raise AlreadyRunning
    try:
        preparation = _prepare(platform, state, wish, progress)
        supervision = preparation.supervision

        def ready() -> None:
            show(_overview(platform, preparation, time.monotonic() - begin))

        if wish.detach:
            with progress.step("start") as step:
                supervisor = launch(supervision, lock)
                record = _wait_ready(state, supervisor, wish.ready_seconds)
                step.result = f"ready on {record.url}"
            ready()
        else:
            _stay(supervision, ready, progress)
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class _Preparation:
    """Everything that is ready before the first process starts."""

    state: StateFolder
    supervision: Supervision
    assembly: Assembly
    inventory: Mapping[str, Json]
    admin: FirstAdmin | None
    fresh_note: str


def _prepare(platform: PlatformFolder, state: StateFolder, wish: Wish, progress: Progress) -> _Preparation:
    with progress.step("preflight") as step:
        refuse_leak(platform.workspace.root)
        version = check_tools(platform.workspace.root)
        check_disk(state.root)
        for line in clean_up_after_killed(state):
            progress.say(f"  {line}")
        check_address(wish.host, wish.port, host_was_named=wish.host_was_named)
        step.result = f"uv {version}, port {wish.port} is free"
    state.prepare()
    note = _set_aside(state) if wish.fresh else ""
    assembly = assemble(
        platform, state, progress, rebuild=wish.rebuild, extras=extras_of(wish.services), index=wish.index
    )
    services = prepare_services(wish.services, state)
    environment = process_environment(platform.config, state, host=wish.host, port=wish.port)
    addresses = {name: value for service in services for name, value in service.environment.items()}
    write_private(state.addresses, json.dumps(addresses))
    environment |= addresses
    marks = DataMarks(state.services if "postgres" in wish.services else state.data)
    with progress.step("configuration") as step:
        found = inventory(state, environment, _inventory_key(platform, assembly, environment))
        step.result = f"{len(found['capabilities'])} capabilities"
    with running_for_a_while(services, state.logs):
        with progress.step("migrate") as step:
            step.result = _migrate(state, environment, found, marks)
        with progress.step("first admin") as step:
            admin = _first_admin(state, environment, found, wish.admin_email, marks)
            step.result = f"made {admin.email}" if admin else "there is one"
    supervision = Supervision(
        state=state,
        host=wish.host,
        port=wish.port,
        programs=(*programs(state, found, wish.host, wish.port), *(service.program for service in services)),
        environment=environment,
        restart_web=wish.detach,
        ready_seconds=wish.ready_seconds,
    )
    return _Preparation(state, supervision, assembly, found, admin, note)


def _stay(supervision: Supervision, ready: Callable[[], None], progress: Progress) -> None:
    stopping = 0.0

    async def supervise() -> str:
        nonlocal stopping
        supervisor = Supervisor(supervision, ready)
        outcome = await supervisor.run()
        stopping = supervisor.seconds_to_stop
        return outcome

    outcome = asyncio.run(supervise())
    if outcome != "stopped":
        raise _not_ready(supervision.state, outcome)
    progress.say(f"stopped in {stopping:.1f} s")


def _wait_ready(state: StateFolder, supervisor: ProcessId, seconds: float) -> ShellRecord:
    """The detached supervisor writes its record; it ends itself, and everything, when the shell does not get ready."""
    end = time.monotonic() + seconds + 20.0
    while time.monotonic() < end:
        record = read_record(state)
        if record is not None and record.supervisor == supervisor and record.phase == "ready":
            return record
        if not supervisor.alive:
            break
        time.sleep(0.03)
    raise _not_ready(state, "not ready")


def _not_ready(state: StateFolder, outcome: str) -> NotReady:
    log = state.logs / "web.log"
    lines = "\n".join(f"  {line}" for line in last_lines(log))
    what = "the web process died" if outcome == "web died" else "the shell did not become ready; it was stopped"
    return NotReady(f"{what}. The last lines of {log}:\n{lines}", fix="the cause is in these lines")


def _overview(platform: PlatformFolder, preparation: _Preparation, seconds: float) -> Overview:
    record = read_record(preparation.state)
    url = record.url if record else ""
    _, health = fetch_json(f"{url}/health")
    notes = [preparation.fresh_note] if preparation.fresh_note else []
    return Overview(
        url=url,
        seconds=seconds,
        capabilities=describe_capabilities(preparation.inventory, preparation.assembly.hashes, health),
        processes=tuple((item.name, item.process.pid) for item in record.processes) if record else (),
        places=places(url, preparation.inventory),
        notes=tuple(notes),
        admin=preparation.admin,
    )


def _set_aside(state: StateFolder) -> str:
    """Move the data away and keep them; a server's data too, wherever the link to them leads."""
    server = state.services / "postgres" / "data"
    if not any(state.data.iterdir()) and not server.exists():
        return ""
    number = next(number for number in range(1, 10_000) if not state.root.joinpath(f"data.{number}").exists())
    kept = state.root / f"data.{number}"
    shutil.move(state.data, kept)
    state.prepare()
    if server.exists():
        server.rename(server.with_name(f"data.{number}"))
        DataMarks(state.services).forget()
    return f"the old data are kept in {kept}"


def _first_admin(
    state: StateFolder, environment: Mapping[str, str], found: Mapping[str, Json], email: str, marks: DataMarks
) -> FirstAdmin | None:
    """Only in an empty system, and only if a capability brings administrators."""
    provided = {port for item in found["capabilities"] for port in item["provides"]}
    if marks.first_admin.exists() or "authenticator@1" not in provided:
        return None
    admin = create_admin(state, environment, email)
    write_private(marks.first_admin, f"{email}\n")
    return admin


def _migrate(state: StateFolder, environment: Mapping[str, str], found: Mapping[str, Json], marks: DataMarks) -> str:
    """From which revision to which each database went. Data that were at these heads already are not opened."""
    heads = {item["name"]: item["database"]["head"] for item in found["capabilities"] if item["database"]}
    before = marks.read_heads()
    if before == heads:
        return "nothing to do"
    rows = migrate(state, environment)
    write_private(marks.heads, json.dumps(heads))
    moved = [
        f"{row['database']} {before.get(row['database']) or 'nothing'} -> {row['head']}"
        for row in rows
        if before.get(row["database"]) != row["head"]
    ]
    return ", ".join(moved) or "nothing to do"


def _inventory_key(platform: PlatformFolder, assembly: Assembly, environment: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for wheel in assembly.wheels:
        digest.update(f"{wheel.member} {wheel.sha256}\n".encode())
    for path in sorted(platform.config.iterdir()):
        digest.update(path.read_bytes() if path.is_file() else b"")
    for variable in read_variables(platform.config / EXAMPLE):
        digest.update(f"{variable.name}={environment.get(variable.name)}\n".encode())
    return digest.hexdigest()


def default_state(root: Path) -> StateFolder:
    """``.shell`` in the root of the workspace."""
    return StateFolder(root / ".shell")
