"""Warm start: one interpreter with its packages imported, forked into fresh namespaces for every script.

Slots are built ahead, so that a run begins with the release of a process that already waits. A slot serves one run.
"""

import asyncio
import hashlib
import itertools
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

from skriptoteket.adapters.sandbox import workspace
from skriptoteket.adapters.sandbox.arguments import ENVIRONMENT
from skriptoteket.adapters.sandbox.host.cgroups import Cgroups, GroupLimits, choose_cgroups, isolation_of
from skriptoteket.adapters.sandbox.host.remains import Remains
from skriptoteket.adapters.sandbox.host.seccomp import filter_file
from skriptoteket.adapters.sandbox.slots import Shape, Slot, shape_of
from skriptoteket.adapters.sandbox.supervision import Faucet, LiveRun
from skriptoteket.adapters.sandbox.view import interpreter_view
from skriptoteket.adapters.sandbox.zygote_process import INSIDE, INSIDE_AT, ZygoteProcess
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import (
    CollectedFile,
    KillReason,
    RunSpec,
    SandboxEvent,
    SandboxFailed,
    SandboxHandle,
)

_START_SECONDS = 20.0
_MIB = 1024 * 1024
_OVERHEAD_PROCESSES = 1
_MOST_SHAPES = 4
_TOGETHER = 2
DEFAULT_MODULES = (
    "csv", "datetime", "decimal", "html", "io", "json", "random", "re", "statistics", "tempfile", "unicodedata",
    "zipfile", "zoneinfo", "xml.etree.ElementTree", "numpy", "pandas", "openpyxl", "docx", "pypdf", "markdown_it",
    "fpdf", "icalendar",
)  # fmt: skip
"""What a zygote imports before its first slot; what an environment does not have is left out."""


class ZygoteSandbox:
    """Runs each script in a slot of a warm zygote."""

    name = "zygote"

    def __init__(
        self,
        state_dir: Path,
        *,
        modules: Sequence[str] = DEFAULT_MODULES,
        packages: Path | None = None,
        warm_slots: int = 2,
        max_runs: int = 1000,
        max_seconds: float = 3600,
        timezone: str = "Europe/Stockholm",
        slot_uids: range = range(61_000, 61_512),
        cgroups: Cgroups | None = None,
    ) -> None:
        self._modules = modules
        self._view = interpreter_view(packages)
        self._warm_slots = warm_slots
        self._max_runs, self._max_seconds = max_runs, max_seconds
        self._timezone = timezone
        self._lent = slot_uids if os.geteuid() == 0 else None
        self._zygote_uid = slot_uids[0] if os.geteuid() == 0 else None
        self._uids = itertools.cycle(slot_uids[1:])
        self._cgroups = choose_cgroups() if cgroups is None else cgroups
        self._remains = Remains(state_dir / "sandboxes")
        self._key = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:8]
        self._numbers = itertools.count(1)
        self._zygote: ZygoteProcess | None = None
        self._starting = asyncio.Lock()
        self._filling = asyncio.Lock()
        self._base_mib = 0
        self._parked: dict[Shape, deque[tuple[ZygoteProcess, Slot]]] = {}
        self._used: dict[LiveRun, tuple[ZygoteProcess, Slot]] = {}
        self._slots: set[Slot] = set()
        self._refills: set[asyncio.Task[None]] = set()
        self._closed = False

    async def capabilities(self) -> Mapping[str, str]:
        """What a slot isolates; empty where no filter is shipped for this machine."""
        return {} if filter_file() is None else {**isolation_of(self._cgroups), "warm_start": "yes"}

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """Take a waiting slot or build one, put the inputs in and release the script.

        Raises:
            SandboxFailed: with what the zygote or the slot said.
        """
        zygote, slot = await self._take(spec.limits)
        try:
            root = slot.root
            if root is None:
                raise SandboxFailed("the slot has no workspace")
            await workspace.stage(root, spec)
        except BaseException:
            await self._discard(zygote, slot)
            raise
        run = LiveRun(
            run_id=spec.run_id,
            attempt=spec.attempt,
            limits=spec.limits,
            exit_code=slot.exit_code,
            control=slot.control,
            root=root,
            group=slot.group,
            soft_memory=self._soft_memory,
            streams=(
                Faucet("stdout", slot.out, spec.limits.stream_kill_bytes),
                Faucet("stderr", slot.err, spec.limits.stream_kill_bytes),
            ),
            guard_fd=slot.guard_fd,
            first_fd=slot.first_fd,
            root_pids=tuple(pid for pid in (slot.pid, slot.script_pid) if pid),
        )
        self._used[run] = (zygote, slot)
        run.release()
        self._refill(spec.limits)
        return run

    def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """See the port."""
        return _live(handle).events()

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """See the port."""
        _live(handle).kill(reason)

    async def result(self, handle: SandboxHandle) -> bytes | None:
        """See the port."""
        run = _live(handle)
        return workspace.read_result(run.root, run.limits)

    async def artifacts(self, handle: SandboxHandle) -> AsyncIterator[CollectedFile]:
        """See the port."""
        run = _live(handle)
        for found in await asyncio.to_thread(workspace.list_output, run.root, run.limits):
            yield found

    async def destroy(self, handle: SandboxHandle) -> None:
        """See the port."""
        run = _live(handle)
        zygote, slot = self._used.pop(run, (None, None))
        await run.close()
        if zygote is not None and slot is not None:
            os.close(slot.status)
            self._release(zygote, slot)

    async def reap(self, known: Collection[RunId]) -> None:
        """See the port. Slots of this very object are never reaped."""
        mine = {slot.label.rsplit("-", 1)[0] for slot in self._slots}
        await asyncio.to_thread(self._remains.reap, mine, self._cgroups, self._key)

    async def prepare(self, limits: Limits) -> None:
        """Build the waiting slots for these limits now."""
        self._refill(limits)
        if self._refills:
            await asyncio.wait(self._refills)

    async def close(self) -> None:
        """End the zygote and every waiting slot; idempotent."""
        self._closed = True
        for task in tuple(self._refills):
            task.cancel()
        if self._refills:
            await asyncio.wait(self._refills)
        for parked in self._parked.values():
            while parked:
                await self._discard(*parked.popleft())
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    @property
    def _soft_memory(self) -> bool:
        return self._cgroups.capabilities().get("memory_limit") != "hard"

    async def _take(self, limits: Limits) -> tuple[ZygoteProcess, Slot]:
        parked = self._parked.get(shape_of(limits))
        while parked:
            zygote, slot = parked.popleft()
            if zygote.alive and slot.alive:
                return zygote, slot
            await self._discard(zygote, slot)
        return await self._build(limits)

    def _refill(self, limits: Limits) -> None:
        if self._closed:
            return
        task = asyncio.create_task(self._fill(limits), name="refill slots")
        self._refills.add(task)
        task.add_done_callback(self._refills.discard)

    async def _fill(self, limits: Limits) -> None:
        shape = shape_of(limits)
        parked = self._parked[shape] = self._parked.pop(shape, deque())  # the latest shape last
        await self._forget_old_shapes()
        async with self._filling:  # one after the other: two at once would build too many
            while (missing := self._warm_slots - len(parked)) > 0:
                # A group, which waits for all of them when it is cancelled: half a slot has to be given back whole.
                async with asyncio.TaskGroup() as together:
                    made = [together.create_task(self._park(parked, limits)) for _ in range(min(missing, _TOGETHER))]
                if not all(task.result() for task in made):
                    return  # the next run builds its own slot and tells what is wrong

    async def _park(self, parked: "deque[tuple[ZygoteProcess, Slot]]", limits: Limits) -> bool:
        try:
            parked.append(await self._build(limits))
        except (SandboxFailed, OSError):
            return False
        return True

    async def _forget_old_shapes(self) -> None:
        while len(self._parked) > _MOST_SHAPES:
            oldest = self._parked.pop(next(iter(self._parked)))
            while oldest:
                await self._discard(*oldest.popleft())

    async def _build(self, limits: Limits) -> tuple[ZygoteProcess, Slot]:
        zygote = await self._warm_zygote()
        label = f"slot.{os.getpid()}.{next(self._numbers)}-0"
        uid = self._next_uid()
        group_limits = GroupLimits(limits.memory_mib * _MIB, limits.processes + _OVERHEAD_PROCESSES, limits.cpu)
        group = self._cgroups.create(f"{self._key}-{label}", group_limits)
        space = self._base_mib + limits.memory_mib if self._soft_memory else None
        slot = Slot(label, limits, uid, group, space)
        self._slots.add(slot)
        zygote.live += 1
        try:
            async with asyncio.timeout(_START_SECONDS):
                await slot.build(zygote.doors, self._remains.remember)
        except BaseException as problem:
            await self._discard(zygote, slot)
            if isinstance(problem, OSError | TimeoutError | ValueError):
                raise SandboxFailed(f"a slot could not be built: {problem}") from problem
            raise
        zygote.forks += 1
        return zygote, slot

    async def _warm_zygote(self) -> ZygoteProcess:
        async with self._starting:
            old = self._zygote
            if old is not None and old.alive and not self._worn(old):
                return old
            if old is not None:
                old.retired = True
                self._end_if_done(old)
            self._zygote = await self._new_zygote()
            return self._zygote

    def _worn(self, zygote: ZygoteProcess) -> bool:
        return zygote.forks >= self._max_runs or time.monotonic() - zygote.born >= self._max_seconds

    async def _new_zygote(self) -> ZygoteProcess:
        zygote = ZygoteProcess()
        log = os.memfd_create("zygote-log")
        try:
            async with asyncio.timeout(_START_SECONDS):
                self._base_mib = await zygote.start(self._plan(), self._modules, log, self._lent)
        except BaseException as problem:
            zygote.close()
            said = os.pread(log, 4096, 0).decode(errors="replace").strip()
            if isinstance(problem, OSError | TimeoutError | SandboxFailed):
                raise SandboxFailed(f"the zygote could not be started: {problem} {said}".strip()) from problem
            raise
        finally:
            os.close(log)
        return zygote

    def _plan(self) -> dict[str, object]:
        view = self._view
        program = filter_file()
        if program is None:
            raise SandboxFailed("no system call filter is shipped for this machine")
        shown = [[bind.source, bind.target] for bind in view.binds]
        shown += [[str(INSIDE), INSIDE_AT], [str(program), "/filter.bpf"]]
        return {
            "uid": self._zygote_uid,
            "gid": self._zygote_uid,
            "view": shown,
            "hidden": list(view.hidden),
            "links": [list(link) for link in view.links],
            "rlimits": {"RLIMIT_CORE": 0},
            "environment": {**ENVIRONMENT, "TZ": self._timezone},
        }

    async def _discard(self, zygote: ZygoteProcess, slot: Slot) -> None:
        await slot.close()
        self._release(zygote, slot)

    def _release(self, zygote: ZygoteProcess, slot: Slot) -> None:
        self._slots.discard(slot)
        self._remains.forget(slot.label)
        zygote.live -= 1
        self._end_if_done(zygote)

    def _end_if_done(self, zygote: ZygoteProcess) -> None:
        if zygote.retired and zygote.live <= 0:
            zygote.close()

    def _next_uid(self) -> int | None:
        if self._zygote_uid is None:
            return None
        taken = {slot.uid for slot in self._slots}
        return next(uid for uid in self._uids if uid not in taken)


def _live(handle: SandboxHandle) -> LiveRun:
    if not isinstance(handle, LiveRun):
        raise TypeError(f"{type(handle).__name__} is no run of this sandbox")
    return handle
