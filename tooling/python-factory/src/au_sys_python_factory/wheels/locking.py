"""One process at a time in a folder, by an advisory lock that dies with its holder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: the shell does not run there, and builds are then not guarded
    fcntl = None  # type: ignore[assignment]  # the module is absent on Windows


def take(path: Path, *, wait: bool) -> int | None:
    """A descriptor that holds the lock until the last process that has it closes it; ``None`` when another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
    return descriptor


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold the lock for the body, waiting for it as long as it takes."""
    descriptor = take(path, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
