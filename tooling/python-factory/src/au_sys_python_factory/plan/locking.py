"""One writer per workspace."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from au_sys_python_factory.errors import Refused

_WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.1


@contextmanager
def single_writer(folder: Path) -> Iterator[None]:
    """Hold the workspace's lock while the block runs; the system releases it when the process dies.

    Raises:
        Refused: another process holds it for ten seconds (the message has its id and its command), or the folder
            cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        where = str(error.filename or folder)
        raise Refused(
            f"cannot be written: {error.strerror}; nothing was changed.", where=where, fix="free it."
        ) from None
    try:
        deadline = time.monotonic() + _WAIT_SECONDS
        while not _take(handle):
            if time.monotonic() > deadline:
                raise Refused(
                    f"another factory works here: {_holder(handle)}.", fix="wait for it, or end that process."
                )
            time.sleep(_LOOK_SECONDS)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "command": " ".join(sys.argv[1:])}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(handle: int) -> str:
    try:
        found = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return "a process that has not said its name"
    return f"process {found.get('pid')} ({found.get('command')})"
