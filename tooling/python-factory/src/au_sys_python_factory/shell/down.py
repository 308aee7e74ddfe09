"""Stop the shell that runs, or clean up after one that was killed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.shell.preflight import clean_up_after_killed, take_lock
from au_sys_python_factory.shell.supervision.processes import terminate
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record

GRACE = 20.0
"""A little more than the supervisor gives its processes."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop did."""

    was_running: bool
    gracefully: bool
    seconds: float
    notes: tuple[str, ...] = ()


def down(state: StateFolder) -> Stopped:
    """End supervisor and processes; nothing running is fine.

    Raises:
        Refused: the folder is not ours, or a shell is only just starting in it.
    """
    state.check()
    started = time.monotonic()
    if not state.run.is_dir():
        return Stopped(was_running=False, gracefully=True, seconds=0.0)
    record = read_record(state)
    was_running = record is not None and record.alive
    gracefully = terminate(record.supervisor, grace=GRACE) if record is not None and was_running else True
    lock = take_lock(state)
    if lock is None:
        raise Refused("a shell is starting here at this moment", where=str(state.root), fix="end that command first")
    try:
        notes = tuple(clean_up_after_killed(state))
    finally:
        os.close(lock)
    return Stopped(was_running or bool(notes), gracefully and not notes, time.monotonic() - started, notes)
