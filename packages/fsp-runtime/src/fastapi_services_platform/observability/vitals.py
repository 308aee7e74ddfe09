"""The pulse of the process: how late the event loop is, what stalls it, and a short history of its load.

A task wakes up often and notes by how much it came too late. A thread looks from outside: when the loop has not turned
for a while, it logs where the loop stands, because the loop itself cannot.
"""

import asyncio
import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from types import CodeType

from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.observability.metrics import Measurements, Reading, one

_BEAT_SECONDS = 0.025
_SAMPLE_SECONDS = 2.0
_KEPT = 150
_STALL_SECONDS = 0.05
_QUIET_SECONDS = 10.0
_FRAMES = 12
_AT_REST = ("asyncio/runners.py", "asyncio/base_events.py", "selectors.py")
"""Where a loop stands that waits, or that the system does not let run: not held up by anybody's code."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    """What happened in the two seconds before ``at``. Times are milliseconds."""

    at: datetime
    requests_per_second: float
    errors_per_second: float
    mean_ms: float
    lag_ms: float
    memory_mb: float
    connections: int = 0


class Vitals:
    """Watches one event loop from :meth:`start` to :meth:`stop`. ``connections`` tells how many to databases are in
    use.
    """

    def __init__(self, measurements: Measurements, connections: Callable[[], int] = lambda: 0) -> None:
        self._measurements = measurements
        self._connections = connections
        self._task: asyncio.Task[None] | None = None
        self._ended = threading.Event()
        self._watchdog: threading.Thread | None = None
        self._loop_thread = 0
        self._beat = 0.0
        self._worst = 0.0
        self._resident = 0
        self._before = (0, 0, 0.0)
        self.samples: deque[Sample] = deque(maxlen=_KEPT)
        self.lag_seconds = 0.0
        self.stalls = 0
        self.sampled = asyncio.Condition()

    async def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop_thread = threading.get_ident()
        self._beat = monotonic()
        self._ended.clear()
        self._measurements.add_source(self._readings)
        self._task = asyncio.create_task(self._run(), name="vitals")
        self._watchdog = threading.Thread(target=self._watch, name="fsp-loop-watchdog", daemon=True)
        self._watchdog.start()

    async def stop(self) -> None:
        """End the watch."""
        self._ended.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._watchdog is not None:
            await asyncio.to_thread(self._watchdog.join, 1.0)

    async def _run(self) -> None:
        sampled = monotonic()
        while True:
            due = monotonic() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            now = monotonic()
            self._beat = now
            self._worst = max(self._worst, now - due)
            if now - sampled >= _SAMPLE_SECONDS:
                await self._sample(now - sampled)
                sampled = now

    async def _sample(self, seconds: float) -> None:
        measured = self._measurements
        answers, errors, spent = self._before
        self._before = (measured.answers, measured.errors, measured.seconds)
        count = measured.answers - answers
        self.lag_seconds, self._worst = self._worst, 0.0
        self.samples.append(
            Sample(
                at=datetime.now(UTC),
                requests_per_second=round(count / seconds, 2),
                errors_per_second=round((measured.errors - errors) / seconds, 2),
                mean_ms=round(1000 * (measured.seconds - spent) / count, 2) if count else 0.0,
                lag_ms=round(1000 * self.lag_seconds, 2),
                memory_mb=round(self._resident / 1_000_000, 1),
                connections=self._connections(),
            )
        )
        async with self.sampled:
            self.sampled.notify_all()

    def _watch(self) -> None:
        quiet_until, weighed = 0.0, -_SAMPLE_SECONDS
        while not self._ended.wait(_STALL_SECONDS / 2):
            if monotonic() - weighed >= _SAMPLE_SECONDS / 2:
                self._resident, weighed = resident_bytes(), monotonic()  # here: it is read from a file
            late = monotonic() - self._beat - _BEAT_SECONDS
            if late < _STALL_SECONDS or monotonic() < quiet_until:
                continue
            stack = self._where()
            if not stack or stack[-1].partition(":")[0].endswith(_AT_REST):
                continue
            self.stalls += 1
            quiet_until = monotonic() + _QUIET_SECONDS
            _log.warning("loop.stalled", seconds=round(late, 3), stack=stack)

    def _where(self) -> list[str]:
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None:
            return []
        # The loop's thread goes on while its frames are walked: a walk that looks up lines of source on the way takes
        # long enough for frames to end under it, which has ended the interpreter. Only the few that are told, at once.
        seen: list[tuple[CodeType, int]] = []
        while frame is not None and len(seen) < _FRAMES:
            seen.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        return [f"{code.co_filename}:{line} in {code.co_name}" for code, line in reversed(seen)]

    def _readings(self) -> list[Reading]:
        return [
            one("fsp_event_loop_lag_seconds", "By how much the event loop was late at worst lately.", self.lag_seconds),
            one("fsp_event_loop_stalls", "Times the event loop stood still.", self.stalls, "counter"),
        ]


def resident_bytes() -> int:
    """Memory of this process that is in RAM; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return 0
