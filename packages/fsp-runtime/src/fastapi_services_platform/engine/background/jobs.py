"""Background jobs: supervised, with jitter, on one process at a time; last run and outcome are kept for the hub."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import Literal

from fastapi_services_platform.capability.contribution import Job
from fastapi_services_platform.engine.background.leadership import Lease
from fastapi_services_platform.engine.background.schedules import seconds_until_run
from fastapi_services_platform.observability.logger_factory import get_logger, log_fields
from fastapi_services_platform.observability.tracing.spans import root_span

_log = get_logger(__name__)
_TELL_SECONDS = 15.0

Outcome = Literal["never", "running", "success", "failed"]


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run that ended, and the process (``<host>:<pid>``) that it was on."""

    outcome: Outcome
    at: datetime
    seconds: float
    error: str = ""
    node: str = ""


Keeper = Callable[[str, JobRun], Awaitable[None]]
"""Where runs are kept for other processes, by the job's name."""


@dataclass(slots=True)
class JobState:
    """One job as the hub shows it."""

    owner: str
    job: Job
    outcome: Outcome = "never"
    last_run: datetime | None = None
    seconds: float = 0.0
    error: str = ""
    runs: int = 0
    failures: int = 0
    told: tuple[str, float] = ("", 0.0)

    @property
    def name(self) -> str:
        """``<capability>.<job>``."""
        own = self.job.name
        return own if own.startswith(f"{self.owner}.") else f"{self.owner}.{own}"


class JobRunner:
    """Runs every job in its time while this process leads. A job that raises is logged and runs again next time; one
    that runs when the lease is lost is cancelled.

    ``keeper`` is told of runs, of a job that runs often at most every 15 s while it goes as before.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._tasks: list[asyncio.Task[None]] = []
        self._locks: dict[str, asyncio.Lock] = {}
        self.states: list[JobState] = []
        self.keeper: Keeper | None = None
        self.node = f"{socket.gethostname()}:{os.getpid()}"

    def start(self, jobs: Sequence[tuple[str, Job]]) -> None:
        """Supervise these jobs from now on."""
        for owner, job in jobs:
            state = JobState(owner, job)
            self.states.append(state)
            self._tasks.append(asyncio.create_task(self._supervise(state), name=f"job {state.name}"))

    async def run_now(self, name: str) -> JobState:
        """Run one job at once, whoever leads; a run that is under way is waited for.

        Raises:
            KeyError: there is no such job.
        """
        state = next((known for known in self.states if known.name == name), None)
        if state is None:
            raise KeyError(name)
        await self._run(state)
        state.told = ("", 0.0)
        await self._tell(state)
        return state

    async def _tell(self, state: JobState) -> None:
        told, at = state.told
        if self.keeper is None or state.last_run is None or state.job.everywhere:
            return
        if told == state.outcome + state.error and monotonic() - at < _TELL_SECONDS:
            return
        state.told = (state.outcome + state.error, monotonic())
        try:
            run = JobRun(state.outcome, state.last_run, state.seconds, state.error, self.node)
            await self.keeper(state.name, run)
        except Exception as error:
            _log.warning("job.not_kept", job=state.name, error=f"{type(error).__name__}: {error}")

    async def stop(self) -> None:
        """End every job and hand the leadership back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._lease.release()

    async def _supervise(self, state: JobState) -> None:
        while True:
            await _pause(seconds_until_run(state.job, datetime.now(UTC)))
            if state.job.everywhere:
                await self._run(state)
            elif await self._lease.is_mine():
                await self._run(state, led=True)
            else:
                continue
            if state.job.everywhere or self._lease.leads:
                await self._tell(state)

    async def _run(self, state: JobState, *, led: bool = False) -> None:
        async with self._locks.setdefault(state.name, asyncio.Lock()):
            begun = perf_counter()
            state.outcome, state.last_run = "running", datetime.now(UTC)
            state.runs += 1
            try:
                with root_span(f"job {state.name}"), log_fields(job=state.name):
                    async with self._lease.term() if led else nullcontext():
                        await state.job.run()
            except Exception as error:
                state.outcome, state.error = "failed", f"{type(error).__name__}: {error}"
                state.failures += 1
                _log.error("job.failed", job=state.name, exc_info=error)
            else:
                state.outcome, state.error = "success", ""
            finally:
                state.seconds = perf_counter() - begun


_pause = asyncio.sleep
