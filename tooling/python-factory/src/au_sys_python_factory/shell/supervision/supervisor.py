"""Keep the processes of a shell running, and end them in order, leaving nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from au_sys_python_factory.shell.supervision.addresses import is_free
from au_sys_python_factory.shell.supervision.processes import identify
from au_sys_python_factory.shell.supervision.readiness import Json, answers, fetch_json
from au_sys_python_factory.shell.supervision.state import RunningProcess, ShellRecord, StateFolder, write_record

WEB = "web"
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new start of a process that died; after the last it is left alone and shown as failed."""
STEADY_SECONDS = 60.0
"""A process that lived so long has its starts counted from nought again."""
ECHO_SECONDS = 0.5
"""One Ctrl-C arrives several times: from the terminal, and from each program above us that passes it on."""
SETTLE_SECONDS = 10.0
"""How long a ready web process is given until its workers have reported too."""
LOG_KEPT_BYTES = 5 * 1024 * 1024

Outcome = Literal["stopped", "web died", "not ready"]


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, and under which name it is shown and logged."""

    name: str
    command: tuple[str, ...]
    listens: int | None = None
    """The port of a server that the others need: they start once it listens, and it ends after them."""
    ready_file: str | None = None
    """A file whose last line says ``ready`` once the server takes work: it listens a moment before that."""
    stop_signal: int = signal.SIGTERM
    folder: str | None = None
    account: tuple[int, int] | None = None
    """User and group to run as, when root starts it."""

    @property
    def serves(self) -> bool:
        """Whether a server takes work now."""
        if self.listens is None or is_free("127.0.0.1", self.listens):
            return False
        if self.ready_file is None:
            return True
        try:
            return Path(self.ready_file).read_text("utf-8").split()[-1] == "ready"
        except (OSError, IndexError):
            return False

    @property
    def own_environment(self) -> dict[str, str] | None:
        """A server gets none of the platform's secrets; ``None`` for the platform's own processes."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"} if self.listens is not None else None

    @property
    def account_arguments(self) -> dict[str, object]:
        """For ``subprocess``."""
        if self.account is None:
            return {}
        return {"user": self.account[0], "group": self.account[1], "extra_groups": []}


@dataclass(frozen=True, slots=True)
class Supervision:
    """Everything that a supervisor is told."""

    state: StateFolder
    host: str
    port: int
    programs: tuple[Program, ...]
    environment: Mapping[str, str]
    restart_web: bool
    """Detached: a web process that dies is started again. In the foreground everything ends instead."""
    ready_seconds: float = 60.0
    drain_seconds: float = 15.0


class Supervisor:
    """Runs once. ``on_ready`` is called when the web process says that it is ready."""

    def __init__(self, supervision: Supervision, on_ready: Callable[[], None] = lambda: None) -> None:
        self._supervision = supervision
        self._on_ready = on_ready
        self._record = ShellRecord(identify(os.getpid()), supervision.host, supervision.port, "starting")
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()
        self._asked_at = 0.0
        self.seconds_to_stop = 0.0

    async def run(self) -> Outcome:
        """Start everything and stay until told to stop, or until the web process is beyond help."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)
        self._note()
        keepers = [asyncio.create_task(self._keep(program)) for program in self._supervision.programs]
        ready = asyncio.create_task(self._until_ready())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            outcome = await self._watch(keepers, ready, stopped)
        finally:
            ready.cancel()
            stopped.cancel()
            await self._end(keepers)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)
        return outcome

    def _ask_to_stop(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._stop.is_set():
            self._asked_at = now
        elif now - self._asked_at > ECHO_SECONDS:
            self._at_once.set()
        self._stop.set()

    async def _watch(
        self, keepers: Sequence[asyncio.Task[None]], ready: asyncio.Task[bool], stopped: asyncio.Task[Literal[True]]
    ) -> Outcome:
        web = keepers[0]
        await asyncio.wait([web, ready, stopped], return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            return "stopped"
        if web.done():
            return "web died"
        if not await ready:
            return "not ready"
        self._note(phase="ready")
        await asyncio.to_thread(self._on_ready)
        await asyncio.wait([web, stopped], return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            return "stopped"
        if not self._supervision.restart_web:
            return "web died"
        self._note(phase="failed", detail="the web process died again and again; see its log")
        await stopped
        return "stopped"

    async def _until_ready(self) -> bool:
        host, port = self._supervision.host, self._supervision.port
        try:
            async with asyncio.timeout(self._supervision.ready_seconds):
                while not await answers(host, port, "/health/ready"):  # noqa: ASYNC110 (no event of another process)
                    await asyncio.sleep(0.03)
        except TimeoutError:
            return False
        await self._until_well()
        return True

    async def _until_well(self) -> None:
        """Give the processes beside the web a moment to report; what stays degraded is shown, not waited for."""
        if len(self._supervision.programs) == 1:
            return
        address = f"http://{self._supervision.host}:{self._supervision.port}/health"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while not _healthy(await asyncio.to_thread(fetch_json, address)):  # noqa: ASYNC110 (no event of theirs)
                    await asyncio.sleep(0.1)

    async def _until_servers_listen(self) -> None:
        for program in (program for program in self._supervision.programs if program.listens is not None):
            while not program.serves:  # noqa: ASYNC110 (no event of another process)
                await asyncio.sleep(0.02)

    async def _keep(self, program: Program) -> None:
        """Start a program, and start it again when it dies. Returns when it is not to be started any more."""
        restarts = 0
        loop = asyncio.get_running_loop()
        if program.listens is None:
            await self._until_servers_listen()
        while True:
            started = loop.time()
            try:
                process = await self._start(program, restarts)
            except OSError as error:
                _append(self._log(program.name), f"shell: {program.command[0]} cannot be started: {error}\n")
            else:
                await process.wait()
                _append(self._log(program.name), f"shell: {program.name} ended with {process.returncode}\n")
            if self._stop.is_set():
                return
            if loop.time() - started > STEADY_SECONDS:
                restarts = 0
            if restarts >= len(BACKOFF) or (program.name == WEB and not self._may_restart_web):
                self._note_failed(program.name)
                return
            await asyncio.sleep(BACKOFF[restarts])
            restarts += 1

    @property
    def _may_restart_web(self) -> bool:
        return self._supervision.restart_web and self._record.phase != "starting"

    async def _start(self, program: Program, restarts: int) -> asyncio.subprocess.Process:
        log = self._log(program.name)
        rotate(log)
        with log.open("ab") as stream:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=program.own_environment or dict(self._supervision.environment),
                cwd=program.folder or self._supervision.state.run,
                start_new_session=True,
                **program.account_arguments,  # type: ignore[arg-type]  # user, group, extra_groups
            )
        self._running[program.name] = process
        self._record = self._record.with_process(RunningProcess(program.name, identify(process.pid), restarts))
        self._note()
        return process

    async def _end(self, keepers: Sequence[asyncio.Task[None]]) -> None:
        """Web first, so that no new work comes; workers give back what they hold; servers last; the rest is killed."""
        self._stop.set()
        self._note(phase="stopping")
        started = asyncio.get_running_loop().time()
        end = started + self._supervision.drain_seconds
        order = sorted(
            self._supervision.programs, key=lambda program: (program.listens is not None, program.name != WEB)
        )
        for program in order:
            process = self._running.get(program.name)
            if process is not None and process.returncode is None:
                await self._end_one(process, program.stop_signal, end)
        for process in self._running.values():
            _kill_group(process.pid)
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        self._supervision.state.record.unlink(missing_ok=True)
        remove_leftovers(self._supervision.state)
        self.seconds_to_stop = asyncio.get_running_loop().time() - started

    async def _end_one(self, process: asyncio.subprocess.Process, number: int, end: float) -> None:
        loop = asyncio.get_running_loop()
        process.send_signal(number)
        gone = asyncio.create_task(process.wait())
        at_once = asyncio.create_task(self._at_once.wait())
        await asyncio.wait([gone, at_once], timeout=max(1.0, end - loop.time()), return_when=asyncio.FIRST_COMPLETED)
        at_once.cancel()
        if not gone.done():
            _kill_group(process.pid)
            await gone

    def _log(self, name: str) -> Path:
        return self._supervision.state.logs / f"{name}.log"

    def _note_failed(self, name: str) -> None:
        for item in self._record.processes:
            if item.name == name:
                self._record = self._record.with_process(replace(item, failed=True))
        self._note()

    def _note(self, *, phase: str | None = None, detail: str | None = None) -> None:
        if phase is not None:
            self._record = replace(self._record, phase=phase)
        if detail is not None:
            self._record = replace(self._record, detail=detail)
        write_record(self._supervision.state, self._record)


def last_lines(log: Path, count: int = 30) -> list[str]:
    """The end of a log, for a message."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 64 * 1024))
            return stream.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def rotate(log: Path) -> None:
    """Put a log that grew large aside; one old one is kept."""
    if log.is_file() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def remove_leftovers(state: StateFolder) -> None:
    """Remove sockets that processes of ours left in ``run``."""
    for path in state.run.iterdir() if state.run.is_dir() else ():
        if path.is_socket():
            path.unlink(missing_ok=True)


def _healthy(answer: tuple[int, Json]) -> bool:
    status, body = answer
    return status == 200 and isinstance(body, dict) and body.get("status") == "healthy"


def _append(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8") as stream:
        stream.write(line)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
