"""Claim, execute, record: one worker per host and state directory."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi_services_platform import get_logger
from skriptoteket.adapters.sandbox.unsafe_subprocess import UnsafeSubprocess
from skriptoteket.adapters.worker.admission import Budget, default_memory_budget_mib, default_slots, held_back
from skriptoteket.adapters.worker.doorbell import DoorbellListener
from skriptoteket.adapters.worker.identity import StateLock, WorkerIdentity, identify, refuse_second_host
from skriptoteket.adapters.worker.leases import Leases
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.runs.execution import Executor
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.recovery import Recovery
from skriptoteket.core.runs.sandbox import Sandbox

_log = get_logger(__name__)


async def run_worker(settings: WorkerSettings, parts: WorkerParts, *, once: bool = False) -> None:
    """Work until SIGTERM or SIGINT; with ``once`` until the queue holds nothing that this worker can take.

    Raises:
        WorkerRefused: another worker holds the state directory, or another host a database for one host.
    """
    lock = StateLock(settings.state_dir)
    try:
        daemon = _Daemon(settings, parts, identify(settings.state_dir), lock)
        await daemon.run(once)
    finally:
        lock.release()


@dataclass(eq=False)
class _Daemon:
    settings: WorkerSettings
    parts: WorkerParts
    identity: WorkerIdentity
    lock: StateLock
    capabilities: Mapping[str, str] = field(default_factory=dict)
    active: dict[asyncio.Task[None], Run] = field(default_factory=dict)
    draining: bool = False

    def __post_init__(self) -> None:
        settings, parts = self.settings, self.parts
        self.budget = Budget(
            settings.memory_budget_mib or default_memory_budget_mib(), settings.cpu_slots or default_slots()
        )
        self.recovery = Recovery(parts.uow, parts.clock, settings.max_tries)
        self.started_at: datetime = parts.clock.now()
        self.environments = settings.environments if parts.usable is None else frozenset()
        self.bell = DoorbellListener(settings.state_dir)

    async def run(self, once: bool) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain_now)
        try:
            await self._begin()
            async with nullcontext() if self.parts.listening is None else self.parts.listening(self.bell.ring):
                if self.parts.sandbox is None:
                    await self._only_report(once)
                else:
                    await self._work(self.parts.sandbox, once)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            self.bell.close()
            if self.parts.sandbox is not None:
                await self.parts.sandbox.close()
            async with self.parts.uow.write() as unit:
                await unit.workers.remove(self.identity.id)

    def _drain_now(self) -> None:
        self.draining = True
        self.bell.ring()

    async def _begin(self) -> None:
        began = time.monotonic()
        sandbox = self.parts.sandbox
        if sandbox is not None:
            await sandbox.reap(())
            self.capabilities = await sandbox.capabilities()
        rescued = await self.recovery.take_over(self.identity.host_id, self.identity.id)
        await self._register(first=True)
        if sandbox is not None:
            await sandbox.prepare(self.settings.prepared_limits)
        _log.info(
            "worker.started",
            worker=self.identity.id,
            runner="" if sandbox is None else sandbox.name,
            capabilities=dict(self.capabilities),
            rescued=[str(run.id) for run in rescued],
            seconds=round(time.monotonic() - began, 3),
        )

    async def _only_report(self, once: bool) -> None:
        # Nothing is ever run unsandboxed; the record tells everybody what is missing and how to get it.
        _log.error("worker.cannot_isolate", problem=self.parts.report.problem, fix=self.parts.report.fix)
        while not self.draining and not once:
            await self.bell.wait(self.settings.heartbeat_seconds)
            await self._guarded("worker.register", self._register)
            await self._guarded("worker.sweep", self._sweep)

    async def _work(self, sandbox: Sandbox, once: bool) -> None:
        executor = Executor(
            self.parts.uow,
            sandbox,
            self.parts.files,
            self.parts.clock,
            timezone=self.settings.timezone,
            digests=self.parts.digests,
        )
        leases = Leases(self.parts.uow, executor, self.settings.lease_seconds)
        heart = asyncio.create_task(self._beat(leases), name="heartbeat")
        try:
            while not self.draining:
                taken = await self._claim_all(executor, leases)
                if once and not taken and not self.active:
                    break
                await self.bell.wait(self.settings.poll_seconds)
                await self._guarded("worker.cancels", leases.obey_cancels)
            await self._drain(executor)
        finally:
            heart.cancel()
            await asyncio.gather(heart, return_exceptions=True)

    async def _claim_all(self, executor: Executor, leases: Leases) -> int:
        taken = 0
        while not self.draining and self.budget.free_mib > 0:
            run = await self._claim(leases)
            if run is None:
                break
            taken += 1
            leases.hold(run)
            self.budget.take(run)
            task = asyncio.create_task(self._execute(executor, leases, run), name=f"execute {run.id}")
            self.active[task] = run
        return taken

    async def _claim(self, leases: Leases) -> Run | None:
        rules = ClaimRules(
            environments=self.environments,
            capabilities=self.capabilities,
            memory_mib=self.budget.free_mib,
            max_active_per_user=self.settings.max_active_per_user,
            lane_weights=self.settings.lane_weights,
            held_back=held_back(self.settings.pressure),
            isolation_waived=self.parts.sandbox is not None and self.parts.sandbox.name == UnsafeSubprocess.name,
        )
        try:
            async with self.parts.uow.read() as unit:
                if await unit.queue.depth() == 0:
                    return None
            async with self.parts.uow.write() as unit:
                return await unit.queue.claim(self.identity.id, rules, self.parts.clock.now(), leases.duration)
        except Exception as problem:
            _log.error("worker.claim_failed", error=repr(problem))
            return None

    async def _execute(self, executor: Executor, leases: Leases, run: Run) -> None:
        began = time.monotonic()
        try:
            done = await executor.execute(run)
            _log.info(
                "run.finished" if done else "run.fenced",
                run=str(run.id),
                attempt=run.attempt,
                state=done.state.value if done else "",
                outcome=done.outcome.value if done and done.outcome else "",
                seconds=round(time.monotonic() - began, 3),
            )
        except Exception as problem:
            # The lease runs out and the run is rescued; the worker and every other run go on.
            _log.error("run.failed_in_worker", run=str(run.id), attempt=run.attempt, error=repr(problem))
        finally:
            leases.drop(run)
            self.budget.give_back(run)
            self.active.pop(_current_task(), None)
            self.bell.ring()

    async def _beat(self, leases: Leases) -> None:
        while True:
            if not await self._guarded("worker.renew", leases.renew):
                await leases.give_up_if_late()
            await self._guarded("worker.register", self._register)
            await self._guarded("worker.sweep", self._sweep)
            await self._guarded("worker.drain", self._obey_drain)
            await asyncio.sleep(self.settings.heartbeat_seconds)

    async def _drain(self, executor: Executor) -> None:
        await self._guarded("worker.register", self._register)
        _log.info("worker.draining", active=len(self.active))
        if self.active:
            await asyncio.wait(self.active, timeout=self.settings.drain_seconds)
        for run in tuple(self.active.values()):
            await executor.stop(run.id, "drain")
        if self.active:
            await asyncio.wait(self.active)

    async def _obey_drain(self) -> None:
        async with self.parts.uow.read() as unit:
            asked = await unit.workers.asked_to_drain(self.identity.id)
        if asked and not self.draining:
            _log.info("worker.drain_asked", worker=self.identity.id)
            self._drain_now()

    async def _sweep(self) -> None:
        for run in await self.recovery.sweep():
            _log.warning("run.rescued", run=str(run.id), state=run.state.value)

    async def _register(self, *, first: bool = False) -> None:
        self.lock.beat()
        sandbox, report = self.parts.sandbox, self.parts.report
        if self.parts.usable is not None:
            self.environments = self.settings.environments & await self.parts.usable()
        record = Worker(
            id=self.identity.id,
            host_id=self.identity.host_id,
            boot_id=self.identity.boot_id,
            pid=self.identity.pid,
            process_start=self.identity.process_start,
            version=self.settings.version,
            runner="" if sandbox is None else sandbox.name,
            capabilities=self.capabilities,
            environments=tuple(sorted(self.environments)),
            memory_budget_mib=self.budget.memory_mib,
            memory_reserved_mib=self.budget.reserved_mib,
            draining=self.draining,
            started_at=self.started_at,
            heartbeat_at=self.parts.clock.now(),
            problem="" if sandbox is not None else report.problem,
            fix="" if sandbox is not None else report.fix,
        )
        async with self.parts.uow.write() as unit:
            if first and self.parts.one_host:
                alive = timedelta(seconds=self.settings.lease_seconds)
                refuse_second_host(await unit.workers.all(), self.identity.host_id, record.heartbeat_at, alive)
            await unit.workers.save(record)

    async def _guarded(self, event: str, work: Callable[[], object]) -> bool:
        # A database that is away for a while must not end the worker; leases decide what becomes of its runs.
        try:
            result = work()
            if asyncio.iscoroutine(result):
                await result
        except Exception as problem:
            _log.warning("database_step_failed", step=event, error=repr(problem))
            return False
        return True


def _current_task() -> "asyncio.Task[None]":
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("called outside a task")
    return task
