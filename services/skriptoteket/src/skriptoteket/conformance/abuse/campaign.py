"""Run the catalogue against a runner: every attack beside a harmless run, with a secret planted for it to find."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from skriptoteket.conformance.abuse.attack import SECRET, Attack
from skriptoteket.conformance.abuse.catalogue import judge
from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import watch
from skriptoteket.core.runs.models import Limits, OutcomeCode
from skriptoteket.core.runs.sandbox import Sandbox, SandboxFailed

_CANARY = Limits(wall_seconds=60, memory_mib=96)
_DESCRIPTORS = 40
_PLANTED = "SKRIPTOTEKET_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one attack; ``complaint`` is empty when it was contained."""

    attack: Attack
    complaint: str
    seconds: float


@asynccontextmanager
async def planted_secret(state_dir: Path) -> AsyncIterator[None]:
    """A secret in the worker's environment and in its folder, for attacks to look for."""
    environment = os.environ  # factory: allow A14 -- the attacks look for what stands in the worker's environment
    before = environment.get(_PLANTED)
    file = await asyncio.to_thread(_written, state_dir)
    environment[_PLANTED] = f"postgresql://x:{SECRET}@host/db"
    try:
        yield
    finally:
        await asyncio.to_thread(file.unlink, missing_ok=True)
        if before is None:
            del environment[_PLANTED]
        else:
            environment[_PLANTED] = before


def _written(state_dir: Path) -> Path:
    file = state_dir / "planted.db"
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(SECRET, encoding="ascii")
    return file


async def campaign(sandbox: Sandbox, attacks: Sequence[Attack]) -> AsyncIterator[Verdict]:
    """Each verdict as soon as it is there; an attack that takes its neighbour along is not contained."""
    for attack in attacks:
        began = time.monotonic()
        try:
            complaint = await _beside_a_canary(sandbox, attack)
        except SandboxFailed as problem:
            complaint = f"the sandbox failed: {problem}"
        yield Verdict(attack, complaint, time.monotonic() - began)


async def _beside_a_canary(sandbox: Sandbox, attack: Attack) -> str:
    script = script_of("time.sleep(0.2)\nreturn 'unharmed'", wall_seconds=60, memory_mib=96)
    canary = await sandbox.start(script.spec())
    descriptors = len(os.listdir("/proc/self/fd"))
    try:
        complaint = await judge(sandbox, attack)
        if not complaint and len(os.listdir("/proc/self/fd")) > descriptors + _DESCRIPTORS:
            complaint = "descriptors are left in the worker"
        beside = await watch(sandbox, canary, _CANARY)
        if not complaint and beside.code is not OutcomeCode.OK:
            complaint = f"the run beside it ended as {beside.code}"
        return complaint
    finally:
        await sandbox.destroy(canary)
