"""Log events as detailed text for people, and the rotated file that holds it."""

import os
from pathlib import Path
from typing import BinaryIO

import orjson

_LEADING = ("time", "level", "logger", "event", "exception")
_QUOTED = frozenset(' "=\t\n\r')


def text_of(event: dict[str, object]) -> str:
    """One event as a line of text; a traceback follows indented."""
    time = str(event.get("time", "")).replace("T", " ")
    level = str(event.get("level", "")).upper()
    head = f"{time:<28} {level:<8} {event.get('logger', '')}: {_one_line(event.get('event'))}"
    fields = " ".join(f"{key}={_value(value)}" for key, value in event.items() if key not in _LEADING)
    line = f"{head}  {fields}" if fields else head
    exception = event.get("exception")
    if exception:
        line += "\n" + "\n".join(f"    {part}" for part in str(exception).rstrip().splitlines())
    return line


def _one_line(value: object) -> str:
    return str(value).replace("\n", "\\n").replace("\r", "\\r")


def _value(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return orjson.dumps(text).decode() if isinstance(value, str) and (not text or _QUOTED & set(text)) else text


class TextFile:
    """An appended file that is renamed to ``name.1``, ``name.2`` … when it is full. Used by one thread."""

    def __init__(self, path: Path, *, max_bytes: int = 20 * 1024 * 1024, keep: int = 5) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._handle: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            OSError: the disk does not take it; the file is opened anew at the next call.
        """
        try:
            handle = self._opened()
            if handle.tell() + len(data) > self._max_bytes and handle.tell() > 0:
                self._rotate()
                handle = self._opened()
            handle.write(data)
            handle.flush()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except OSError:  # what could not be flushed is lost with the disk
                return

    def _opened(self) -> BinaryIO:
        if self._handle is not None and self._was_moved(self._handle):
            self.close()
        if self._handle is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            self._handle = os.fdopen(number, "ab")
        return self._handle

    def _was_moved(self, handle: BinaryIO) -> bool:
        """Another process, or an operator's log rotation, may have renamed or removed the file."""
        try:
            return os.stat(self.path).st_ino != os.fstat(handle.fileno()).st_ino
        except FileNotFoundError:
            return True

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        if self.path.exists():
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
