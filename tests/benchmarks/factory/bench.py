"""Numbers of the factory, each from the start of a process; medians of five, CPU time beside the clock.

Where the machine is busy at the start, CPU time decides instead of the clock. ``--quick`` takes one run of each.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.benchmarks.factory.fifty import make_fifty
from tests.benchmarks.factory.large import make_large

ROOT = Path(__file__).resolve().parents[3]
FACTORY = [sys.executable, "-m", "au_sys_python_factory"]
SKELETON = ROOT / "tooling/python-factory/tests/skeleton"
EDITED = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A measured number with its bound; ``cpu`` is ``None`` for what is no time."""

    what: str
    wall: float
    cpu: float | None
    must: float
    aim: float
    unit: str = "s"
    cores: int = 1
    """On how many cores it works at once: on a busy machine its CPU time is that of each of them."""

    def decisive(self, *, busy: bool) -> float:
        """What the bound is held against: on a busy machine the CPU time of each core."""
        return self.cpu / self.cores if busy and self.cpu is not None else self.wall

    def good(self, *, busy: bool) -> bool:
        """Whether the bound is met."""
        return self.decisive(busy=busy) < self.must


class Bench:
    """Runs commands and measures them."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> tuple[float, float]:
        """One run of the factory: seconds by the clock, seconds of CPU."""
        return self.measured([*FACTORY, *arguments], ROOT, codes)

    def measured(self, arguments: list[str], place: Path, codes: tuple[int, ...] = (0,)) -> tuple[float, float]:
        """One run of a command.

        Raises:
            SystemExit: it ended with another exit code than ``codes``.
        """
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(arguments, cwd=place, env=_surroundings(), capture_output=True, text=True, check=False)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in codes:
            raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def median(self, run: Callable[[int], tuple[float, float]]) -> tuple[float, float]:
        """The medians of several runs."""
        found = [run(number) for number in range(self.runs)]
        return statistics.median(item[0] for item in found), statistics.median(item[1] for item in found)


def main(options: list[str]) -> int:
    """0 when every bound is met, else 1."""
    busy = os.getloadavg()[0] > 1.0
    folder = Path(tempfile.mkdtemp(prefix="fsp-bench-factory-"))
    bench = Bench(folder, 1 if "--quick" in options else 5)
    try:
        lines = [*_small(bench), *_making(bench), *_green(bench), *_fifty(bench), *_real(bench), *_large(bench)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"Python {sys.version.split()[0]}, medians of {bench.runs}{', CPU time decides' if busy else ''}")
    print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    print(f"{'what':<66} {'wall':>9} {'CPU':>9} {'must':>9} {'aim':>9} {'of must':>8}")
    for line in lines:
        cpu = f"{line.cpu:.2f}" if line.cpu is not None else "-"
        mark = "  met" if line.good(busy=busy) else "  MISSED"
        ratio = f"{line.decisive(busy=busy) / line.must:.0%}"
        print(f"{line.what:<66} {line.wall:>8.2f}{line.unit} {cpu:>9} {line.must:>9} {line.aim:>9} {ratio:>8}{mark}")
    return 0 if all(line.good(busy=busy) for line in lines) else 1


def _small(bench: Bench) -> list[Line]:
    wheel = bench.folder / "wheel"
    subprocess.run(
        ["uv", "build", "--quiet", "--wheel", "--out-dir", str(wheel), "--package", "au-sys-python-factory"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    size = max(path.stat().st_size for path in wheel.glob("*.whl")) / 1_000_000
    return [
        Line("--version", *bench.median(lambda _: bench("--version")), 0.15, 0.08),
        Line("wheel with all template versions", size, None, 2.0, 0.5, "M"),
    ]


def _making(bench: Bench) -> list[Line]:
    made: list[tuple[float, float]] = []
    undone: list[tuple[float, float]] = []
    for number in range(bench.runs):
        root = bench.folder / f"small-{number}"
        shutil.copytree(SKELETON, root)
        before = _digests(root)
        made.append(bench("new", "capability", "notes", "--no-sync", "--workspace", str(root)))
        undone.append(bench("undo", "--no-sync", "--workspace", str(root)))
        if before != _digests(root):
            raise SystemExit("undo left another tree")
    return [
        Line("new capability: plan and apply alone", *_medians(made), 0.8, 0.4),
        Line("undo of it, the tree byte-identical", *_medians(undone), 1.0, 0.3),
    ]


def _green(bench: Bench) -> list[Line]:
    """In a clone of this workspace with an environment of its own; a first proof fills the caches."""
    root = bench.folder / "clone"
    subprocess.run(["git", "clone", "--quiet", "--local", str(ROOT), str(root)], check=True)
    subprocess.run(["uv", "sync", "--quiet", "--locked"], cwd=root, env=_surroundings(), check=True)
    factory = [str(root / ".venv/bin/python"), "-m", "au_sys_python_factory"]
    found: list[tuple[float, float]] = []
    undone: list[tuple[float, float]] = []
    for number in range(bench.runs + 1):
        name = f"records-{'abcdefgh'[number]}"
        wanted = ["new", "capability", name, "--wire", "fsp_shell_001", "--verify"]
        found.append(bench.measured([*factory, *wanted], root))
        undone.append(bench.measured([*factory, "undo", "--no-sync"], root))
    said = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    if said.stdout:
        raise SystemExit(f"undo left another tree:\n{said.stdout}")
    return [
        Line("new capability --wire --verify, to the shell's answer", *_medians(found[1:]), 10.0, 6.0, cores=2),
        Line("undo of it, with the lock, in this workspace", *_medians(undone[1:]), 1.0, 0.3),
    ]


def _fifty(bench: Bench) -> list[Line]:
    found: list[tuple[float, float]] = []
    root, templates, kept = bench.folder / "fifty", bench.folder / "templates", bench.folder / "kept"
    make_fifty(kept, SKELETON, templates)
    script = [sys.executable, str(Path(__file__).with_name("fifty.py")), str(templates)]
    for _ in range(bench.runs):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(kept, root)
        found.append(bench.measured([*script, "upgrade", "--all", "--no-sync", "--workspace", str(root)], ROOT))
    return [Line("upgrade --all, 50 packages, two edits in each", *_medians(found), 5.0, 2.0)]


def _surroundings() -> dict[str, str]:
    """The caller's environment, with byte code written: what is measured is a tool in daily use."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")}


def _real(bench: Bench) -> list[Line]:
    edited = ROOT / "packages/au-sys-identity/src/au_sys_identity/core/errors.py"

    def after_an_edit(_: int) -> tuple[float, float]:
        os.utime(edited)
        return bench("check", "--changed", "--quiet", codes=(0, 1))

    bench("check", "--quiet", codes=(0, 1))
    return [Line("check --changed in this workspace, one file edited since", *bench.median(after_an_edit), 0.8, 0.4)]


def _large(bench: Bench) -> list[Line]:
    root = bench.folder / "large"
    modules, count = make_large(root)
    where = ("--workspace", str(root))
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "b"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    title = f"{len(modules):,} modules / {count:,} lines"

    def cold(_: int) -> tuple[float, float]:
        shutil.rmtree(root / ".factory", ignore_errors=True)
        return bench("check", "--quiet", *where, codes=(0, 1))

    def warm(number: int) -> tuple[float, float]:
        for module in modules[number * EDITED : (number + 1) * EDITED]:
            module.write_text(f"{module.read_text()}\n\n# edited {number}\n")
        return bench("check", "--quiet", *where, codes=(0, 1))

    lines = [
        Line(f"check of {title}, no cache", *bench.median(cold), 6.0, 3.0),
        Line(f"the same, cached, {EDITED} modules edited since", *bench.median(warm), 3.0, 1.5),
    ]
    bench("affected", "--since", "HEAD", *where)
    found = bench.median(lambda _: bench("affected", "--since", "HEAD", *where))
    return [*lines, Line("affected there, index warm", *found, 0.3, 0.2)]


def _medians(found: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(item[0] for item in found), statistics.median(item[1] for item in found)


def _digests(root: Path) -> dict[str, str]:
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
