"""The thread that writes log events, so that no request waits for a disk or a terminal.

Events are queued, at most ``capacity`` of them; what does not fit is counted, not waited for. The writer gathers for a
few milliseconds and writes a whole batch at once. A file that cannot be written is tried again after a pause.
"""

import threading
from collections import deque
from time import monotonic
from typing import BinaryIO, NamedTuple

import orjson

from fastapi_services_platform.observability.redaction import redact_bytes
from fastapi_services_platform.observability.text_lines import TextFile, text_of
from fastapi_services_platform.observability.tracebacks import Tracebacks

_GATHER_SECONDS = 0.02
_FILE_PAUSE_SECONDS = 5.0
_BATCH = 2000


class Entry(NamedTuple):
    """An encoded event; its exception is rendered by the writer, because reading source lines blocks.

    ``clean``: it is made of values that hold no secret, so the writer need not search it for one.
    """

    line: bytes
    error: BaseException | None
    clean: bool = False


class LogWriter:
    """One per process. ``dropped`` counts events that found the queue full, ``failures`` unwritten batches."""

    def __init__(self, console: BinaryIO | None, file: TextFile | None = None, *, capacity: int = 20_000) -> None:
        self.dropped = 0
        self.failures = 0
        self._console = console
        self._file = file
        self._capacity = capacity
        self._queue: deque[Entry | threading.Event] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._reported = 0
        self._file_until = 0.0
        self._tracebacks = Tracebacks()
        self._thread = self._start()

    def submit(self, line: bytes, error: BaseException | None = None, *, clean: bool = False) -> None:
        """Queue an event; never waits and never raises."""
        if len(self._queue) >= self._capacity:
            self.dropped += 1
            return
        self._queue.append(Entry(line, error, clean))
        if not self._wake.is_set():
            self._wake.set()

    def flush(self, seconds: float = 2.0) -> bool:
        """Wait until everything that was queued is written; false when that took too long."""
        done = threading.Event()
        self._queue.append(done)
        self._closing.set()
        self._wake.set()
        finished = done.wait(seconds)
        self._closing.clear()
        return finished

    def close(self, seconds: float = 2.0) -> None:
        """Write what is queued and end the thread."""
        self.flush(seconds)
        self._queue.append(_END)
        self._closing.set()
        self._wake.set()
        self._thread.join(seconds)
        if self._file is not None and not self._thread.is_alive():
            self._file.close()

    def restart_after_fork(self) -> None:
        """A forked child has the queue but not the thread; what the parent had queued is the parent's to write."""
        self._queue.clear()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = self._start()

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="fsp-log-writer", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._closing.wait(_GATHER_SECONDS)
            self._wake.clear()
            while self._queue:
                if not self._write_batch():
                    return

    def _write_batch(self) -> bool:
        lines: list[bytes] = []
        flushed: list[threading.Event] = []
        going_on = True
        while self._queue and len(lines) < _BATCH:
            item = self._queue.popleft()
            if item is _END:
                going_on = False
                break
            if isinstance(item, threading.Event):
                flushed.append(item)
            else:
                lines.append(self._finished(item))
        self._report_drops(lines)
        if lines:
            self._write_file(lines)
            self._write_console(lines)
        for event in flushed:
            event.set()
        return going_on

    def _finished(self, entry: Entry) -> bytes:
        line = entry.line if entry.clean else redact_bytes(entry.line)
        if entry.error is None:
            return line
        return b'%s,"exception":%s}' % (line[:-1], self._tracebacks.of(entry.error))

    def _report_drops(self, lines: list[bytes]) -> None:
        if self.dropped > self._reported:
            lost, self._reported = self.dropped - self._reported, self.dropped
            lines.append(orjson.dumps({"level": "warning", "event": "log.dropped", "events": lost}))

    def _write_console(self, lines: list[bytes]) -> None:
        if self._console is None:
            return
        try:
            self._console.write(b"\n".join(lines) + b"\n")
            self._console.flush()
        except (OSError, ValueError):  # a closed pipe must not end the writer
            self.failures += 1

    def _write_file(self, lines: list[bytes]) -> None:
        if self._file is None or monotonic() < self._file_until:
            return
        try:
            self._file.write("".join(f"{text_of(orjson.loads(line))}\n" for line in lines).encode())
        except OSError as error:
            self.failures += 1
            self._file_until = monotonic() + _FILE_PAUSE_SECONDS
            failed = {"level": "error", "event": "log.file_failed", "path": str(self._file.path), "error": str(error)}
            lines.append(orjson.dumps(failed))


_END = threading.Event()
