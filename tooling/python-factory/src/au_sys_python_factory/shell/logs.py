"""Show what the processes of a shell wrote; follow it if asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.supervision.supervisor import last_lines


def log_file(state: StateFolder, name: str) -> Path:
    """The log of a process.

    Raises:
        UsageError: there is no such log; the message names those that are there.
    """
    path = state.logs / f"{name}.log"
    if path.parent != state.logs or not path.is_file():
        known = ", ".join(sorted(found.stem for found in state.logs.glob("*.log"))) or "none yet"
        raise UsageError(f"there is no log of {name}", fix=f"logs: {known}")
    return path


def follow(path: Path, *, lines: int, stay: bool, pause: float = 0.2) -> Iterator[str]:
    """The last lines, then (with ``stay``) each new one as long as the caller takes them, also after a rotation."""
    yield from last_lines(path, lines)
    if not stay:
        return
    stream = path.open("r", encoding="utf-8", errors="replace")
    try:
        stream.seek(0, 2)
        rest = ""
        while True:
            chunk = stream.read()
            if chunk:
                *whole, rest = (rest + chunk).split("\n")
                yield from whole
            elif path.is_file() and path.stat().st_ino != Path(f"/dev/fd/{stream.fileno()}").stat().st_ino:
                stream.close()
                stream = path.open("r", encoding="utf-8", errors="replace")
            else:
                time.sleep(pause)
    finally:
        stream.close()
