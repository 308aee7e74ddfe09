"""What is still on the host: processes, control groups, mounts, notes, rows and blobs of the proofs' workers."""

import asyncio
import contextlib
import ctypes
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from tests.runs.library import Place, blob_keys

from skriptoteket.adapters.sandbox.host.cgroups import choose_cgroups
from skriptoteket.adapters.sandbox.inside import kernel

_DIE_SECONDS = 1.0
_PR_SET_CHILD_SUBREAPER = 36
_ACTIVE = "('starting', 'running', 'collecting')"


def stand_apart() -> None:
    """See our own mounts only, and become the parent of whatever a killed worker leaves."""
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("this process cannot adopt orphans")


def living() -> list[str]:
    """Processes below this one that still have memory; those that are being taken down have none."""
    return [one for one in processes() if one.partition(" ")[2]]


def processes() -> list[str]:
    """Every process below this one that is not buried yet; the dead ones are."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    found = []
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found.append(f"{child} {command[:120]}")
    return found


def groups(place: Place, host: str) -> list[str]:
    """Control groups of a worker's runs."""
    key = hashlib.sha256(str(place.state_dir(host).resolve()).encode()).hexdigest()[:8]
    return [label for label in choose_cgroups().leftovers() if label.startswith(f"{key}-")]


def notes(place: Place, host: str) -> list[str]:
    """Notes about sandboxes in a worker's folder."""
    return [one.name for one in (place.state_dir(host) / "sandboxes").glob("*")]


def mounts() -> set[str]:
    """Every place that something is mounted at; others may unmount theirs meanwhile."""
    return {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def wait_until_gone(look: Callable[[], list[str]], seconds: float = _DIE_SECONDS) -> list[str]:
    """What is still there after so long."""
    until = time.monotonic() + seconds
    while left := look():
        if time.monotonic() > until:
            return left
        time.sleep(0.01)
    return []


class Rows:
    """The rows of a SQLite library, read from beside."""

    def __init__(self, place: Place) -> None:
        self._file = place.database_url.partition("///")[2]

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """One question."""
        connection = sqlite3.connect(self._file, timeout=30)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def states(self) -> dict[str, int]:
        """How many runs are in which state."""
        found = self.ask("SELECT state, count(*) FROM runs GROUP BY state")
        return {str(state): int(str(number)) for state, number in found}

    def ended(self) -> int:
        """How many runs are over."""
        states = self.states()
        return states.get("succeeded", 0) + states.get("lost", 0)

    def registered(self, pid: int) -> bool:
        """Whether the worker with this pid took over."""
        return bool(self.ask("SELECT 1 FROM workers WHERE pid = ?", pid))

    def stuck(self, pid: int) -> list[str]:
        """Runs that a worker other than this one still holds."""
        found = self.ask(
            f"SELECT r.id, r.state FROM runs r LEFT JOIN workers w ON w.id = r.lease_owner"
            f" WHERE r.state IN {_ACTIVE} AND (w.pid IS NULL OR w.pid <> ?)",
            pid,
        )
        return [f"{run} {state}" for run, state in found]

    def dishonest(self) -> list[str]:
        """Runs whose row contradicts itself."""
        complaints = {
            "ended without an end": "state IN ('succeeded', 'lost', 'failed', 'cancelled', 'timed_out')"
            " AND (finished_at IS NULL OR outcome IS NULL OR lease_owner IS NOT NULL)",
            "run twice though it may not be": "NOT idempotent AND attempt > 1",
            "failed by itself": "state IN ('failed', 'timed_out', 'cancelled')",
            "succeeded without its file": "state = 'succeeded' AND NOT EXISTS"
            " (SELECT 1 FROM run_artifacts a WHERE a.run_id = runs.id)",
        }
        found = []
        for what, condition in complaints.items():
            rows = self.ask(f"SELECT id, state, outcome, author_detail FROM runs WHERE {condition}")
            found += [f"{what}: {row}" for row in rows]
        return found

    def unreferenced(self, place: Place) -> list[str]:
        """Blobs that no row speaks of, and rows whose blob is not there."""
        kept = {str(key) for (key,) in self.ask("SELECT blob_key FROM run_artifacts")}
        there = asyncio.run(blob_keys(place))
        return [f"blob {key}" for key in there - kept] + [f"row {key}" for key in kept - there]
