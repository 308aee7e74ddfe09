"""Numbers of the whole: wheels, the shell from them, its gauntlet, daily commands. Absolute times need an idle machine.

Where the machine was busy at the start, the CPU time of the processes decides instead of the clock.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path

from au_sys_python_factory.shell.assembly.configuration import process_environment
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder, find_platform
from au_sys_python_factory.shell.down import down
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.readiness import fetch_json
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.up import Wish, up
from au_sys_python_factory.wheels.building import RECORD, build
from au_sys_python_factory.wheels.cli import prove
from au_sys_python_factory.wheels.lock.guard import find_leak
from au_sys_python_factory.wheels.members import Workspace, find_workspace
from au_sys_python_factory.wheels.twice import prove_reproducible

ROOT = Path(__file__).resolve().parents[3]
STARTS = 20
EDITED = ROOT / "packages/fsp-runtime/src/fastapi_services_platform/capability/ordering.py"


@dataclass(frozen=True, slots=True)
class Line:
    """A measured number with its bound."""

    what: str
    value: float
    unit: str
    must: float

    @property
    def good(self) -> bool:
        """Whether the bound is met."""
        return self.value < self.must


def main() -> int:
    """0 when every bound is met, else 1."""
    busy = os.getloadavg()[0] > 1.0
    folder = Path(tempfile.mkdtemp(prefix="fsp-bench-"))
    platform = find_platform(find_workspace(ROOT), None)
    state = StateFolder(folder / "shell")
    try:
        lines = [*_building(platform, folder, busy=busy), *_shell(platform, state, busy=busy), *_commands(busy=busy)]
    finally:
        down(state)
        shutil.rmtree(folder, ignore_errors=True)
    clock = "CPU time, the machine was busy" if busy else "clock"
    print(f"{'what':<62} {'measured':>10} {'must':>10}   ({clock})")
    for line in lines:
        mark = "" if line.good else "  MISSED"
        print(f"{line.what:<62} {line.value:>7.2f} {line.unit:<2} {line.must:>7.1f} {line.unit:<2}{mark}")
    return 0 if all(line.good for line in lines) else 1


def _building(platform: PlatformFolder, folder: Path, *, busy: bool) -> list[Line]:
    workspace = platform.workspace
    out = folder / "dist"
    everything = _timed(lambda: build(workspace, workspace.members, out, sdists=True), busy=busy)
    nothing = _timed(lambda: build(workspace, workspace.members, out, sdists=True), busy=busy)
    changed = _one_changed(workspace, out, busy=busy)
    fresh = folder / "proved"
    started = [build(workspace, workspace.members, fresh, sdists=True)]
    with redirect_stdout(StringIO()):
        proof = everything + _timed(lambda: prove(workspace, started[0]), busy=busy)
    equal: list[int] = []
    double = everything + _timed(lambda: equal.append(prove_reproducible(workspace, started[0])), busy=busy)
    leak = find_leak(workspace.root)
    return [
        Line("wheels and sdists of all members, with the proof in a clean place", proof, "s", 8),
        Line("the same, nothing changed", nothing, "s", 2),
        Line("one member changed", changed, "s", 2),
        Line("double build", double, "s", 15),
        Line("files that are not reproducible", float(len(started[0].files) - equal[0]), "", 0.5),
        Line("foreign hosts in uv.lock", float(len(leak.hosts) if leak else 0), "", 0.5),
    ]


def _one_changed(workspace: Workspace, out: Path, *, busy: bool) -> float:
    """As if it had: its entry in the record is gone."""
    record = json.loads((out / RECORD).read_text("utf-8"))
    del record["au-sys-storage-sdk"]
    (out / RECORD).write_text(json.dumps(record), "utf-8")
    return _timed(lambda: build(workspace, workspace.members, out, sdists=True), busy=busy)


def _commands(*, busy: bool) -> list[Line]:
    """Recipes of every day, each once before it is measured: warm is what is promised."""
    here = Path(sys.executable).parent
    measured = [
        ("uv sync, warm", 0.5, ["uv", "sync", "--locked", "--quiet"]),
        ("lint and arch, whole workspace, warm", 5, [str(here / "just"), "lint", "arch"]),
        ("release rehearsal", 60, [str(here / "pytest"), "-q", "tests/release"]),
    ]
    lines = [_cold_sync(busy=busy), _types(busy=busy)]
    for what, must, command in measured:
        if what != "release rehearsal":
            _run(command)
        lines.append(Line(what, _timed(partial(_run, command), busy=busy), "s", must))
    return lines


def _cold_sync(*, busy: bool) -> Line:
    """Into an environment that is not there; packages lie in the cache."""
    with tempfile.TemporaryDirectory(prefix="fsp-bench-") as folder:
        elsewhere = {**os.environ, "UV_PROJECT_ENVIRONMENT": f"{folder}/venv"}
        command = ["uv", "sync", "--locked", "--quiet"]
        seconds = _timed(lambda: subprocess.run(command, cwd=ROOT, env=elsewhere, check=True), busy=busy)
    return Line("uv sync, no environment yet", seconds, "s", 20)


def _types(*, busy: bool) -> Line:
    """mypy over all sources once, then again after one of them got another line."""
    sources = sorted(
        str(path) for place in ("packages", "services", "tooling") for path in (ROOT / place).glob("*/src")
    )
    command = [sys.executable, "-m", "mypy", *sources]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(sources)}
    original = EDITED.read_text("utf-8")

    def check() -> None:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)

    check()
    try:
        EDITED.write_text(f"{original}\n_ONE_MORE: int = 1\n", "utf-8")
        return Line("mypy, warm, after one edit", _timed(check, busy=busy), "s", 5)
    finally:
        EDITED.write_text(original, "utf-8")


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def _gauntlet(state: StateFolder, *options: str) -> float:
    """Seconds by the clock: nearly all of it is waiting for answers."""
    command = [sys.executable, "-m", "au_sys_python_factory", "gauntlet", "--state", str(state.root), *options]
    return _timed(partial(_run, command), busy=False)


def _shell(platform: PlatformFolder, state: StateFolder, *, busy: bool) -> list[Line]:
    first = _timed(lambda: _up(platform, state), busy=busy)
    memory = _resident_memory(state)
    stop = _timed(lambda: down(state), busy=False)
    again = _timed(lambda: _up(platform, state), busy=busy)
    usual, with_faults = _gauntlet(state), _gauntlet(state, "--destructive")
    down(state)
    starts = [_exec_to_first_answer(platform, state, busy=busy) for _ in range(STARTS)]
    return [
        Line("shell up, nothing there", first, "s", 30),
        Line("shell up, nothing changed", again, "s", 6),
        Line(f"web process: exec to the first 200 (median of {STARTS})", statistics.median(starts), "s", 1.5),
        Line("web process: resident memory once ready", memory, "MB", 150),
        Line("stop, idle", stop, "s", 3),
        Line("gauntlet, all stages without what changes the installation", usual, "s", 90),
        Line("gauntlet, with it", with_faults, "s", 240),
    ]


def _up(platform: PlatformFolder, state: StateFolder) -> None:
    up(platform, state, Wish(port=free_port(), detach=True), Progress(quiet=True), lambda _: None)


def _exec_to_first_answer(platform: PlatformFolder, state: StateFolder, *, busy: bool) -> float:
    port = free_port()
    environment = process_environment(platform.config, state, host="127.0.0.1", port=port)
    command = [str(state.venv / "bin" / "fsp"), "run", "--port", str(port)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, cwd=state.run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while fetch_json(f"http://127.0.0.1:{port}/health/live")[0] != 200:
            if process.poll() is not None:
                raise RuntimeError(f"the web process ended with {process.returncode}")
            time.sleep(0.005)
        return _cpu_of(process.pid) if busy else time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _resident_memory(state: StateFolder) -> float:
    from au_sys_python_factory.shell.supervision.state import read_record

    record = read_record(state)
    web = next(item for item in record.processes if item.name == "web") if record else None
    if web is None:
        raise RuntimeError("the shell does not run")
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{web.process.pid}/status").read_text("utf-8"))
    return int(found[1]) / 1024 if found else 0.0


def _timed(work: Callable[[], object], *, busy: bool) -> float:
    before, started = _children_cpu(), time.perf_counter()
    work()
    return _children_cpu() - before if busy else time.perf_counter() - started


def _children_cpu() -> float:
    kinds: Sequence[int] = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
