"""B1 to B10 of skriptoteket's specification, each with its bound: runs, submissions, pages, streams, kills.

Rows marked gate must hold on any machine, because they are ratios inside one run; rows marked quiet count on a quiet
machine with two cores. `SKRIPTOTEKET_ENVIRONMENTS_DIR` brings pandas, `SKRIPTOTEKET_CONTAINER_URL` an engine to compare
with. `--quick` takes few samples. Exit code 1 when a gate is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.benchmarks.runner import killing, queueing, served

from skriptoteket.conformance.gates import Row

COMMANDS = Path(sys.executable).parent


def main() -> int:
    """Print a row for each figure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--only", default="", help="Parts to measure, by comma: runs, queue, served, kills.")
    chosen = asked.parse_args()
    parts = set(filter(None, chosen.only.split(","))) or {"runs", "queue", "served", "kills"}
    failed = "runs" in parts and runs(chosen.quick) != 0
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as folder:
        for row in rows(parts, Path(folder), chosen.quick):
            print(row, flush=True)
            failed = failed or not (row.met or row.absolute)
    print(f"load {os.getloadavg()[0]:.1f} at the end, on {os.cpu_count()} cores")
    return 1 if failed else 0


def runs(quick: bool) -> int:
    """B1, B2, B3, B5, B6 and the start of B10, as the product measures them itself."""
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as folder:
        state = {"FSP_DATA_DIR": folder, "SKRIPTOTEKET_STATE_DIR": f"{folder}/state"}
        command = [str(COMMANDS / "skriptoteket"), "bench", "--gate", *(["--quick"] if quick else [])]
        return subprocess.run(command, env={**os.environ, **state}, check=False).returncode


def rows(parts: set[str], folder: Path, quick: bool) -> Iterator[Row]:
    """What needs a database or a platform around it."""
    if "queue" in parts:
        yield from asyncio.run(queueing.rows(folder / "queue", 100 if quick else 600))
    if "served" in parts:
        yield from served.rows(folder / "platform", quick)
    if "kills" in parts:
        yield from killing.rows(folder / "kills", 50 if quick else 200)


if __name__ == "__main__":
    raise SystemExit(main())
