"""How fast a script starts, runs and dies in each runner: B1, B2, B3, B5, B6 and the start of B10 of the specification.

All variants are interleaved in one run, so that a noisy machine disturbs them alike; absolute figures are for a quiet
machine with two cores, ratios in the same run are the gates. What needs a platform around it (B4, B7 to B10) is
measured by ``just bench runner``.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import Script, play
from skriptoteket.core.runs.models import Limits, OutcomeCode
from skriptoteket.core.runs.sandbox import Printed, Sandbox

ROUNDS = 300
KILLS = 60
SLOTS = 40
FEW = 12
_COLD_EVERY = 10
_MIB = 1024 * 1024
_STREAM_CAP = 1 * _MIB
_BARE = [sys.executable, "-I", "-S", "-c", "pass"]
_PANDAS = """
import pandas
def run_tool(input_dir, output_dir):
    print('x', flush=True)
    frame = pandas.DataFrame({'a': range(1000), 'b': range(1000)})
    return f"<p>{frame.groupby('a').sum()['b'].sum()}</p>"
"""
_PLAIN = """
import csv, io
def run_tool(input_dir, output_dir):
    print('x', flush=True)
    return f"<p>{len(list(csv.reader(io.StringIO('a,b' * 1000))))}</p>"
"""
_FLOOD = """
def run_tool(input_dir, output_dir):
    while True:
        print('x' * 4096)
"""


@dataclass
class Samples:
    """Seconds, by what was measured."""

    first_byte: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    container: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Contestants:
    """The warm runner, the cold one, containers where an engine is, and a maker of warm ones by waiting slots."""

    warm: Sandbox
    cold: Sandbox
    container: Sandbox | None
    parked: Callable[[int], Sandbox]
    pandas: bool

    @property
    def script(self) -> Script:
        """What is run: pandas where it is there."""
        return Script(_PANDAS if self.pandas else _PLAIN, Limits(wall_seconds=60))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies, in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def once(sandbox: Sandbox, script: Script) -> tuple[float, float]:
    """Seconds from submit to the first byte, and to the result with everything removed."""
    began = time.perf_counter()
    handle = await sandbox.start(script.spec())
    first = 0.0
    async for event in sandbox.events(handle):
        if isinstance(event, Printed) and not first:
            first = time.perf_counter() - began
    if await sandbox.result(handle) is None:
        raise SystemExit("the script gave no result")
    await sandbox.destroy(handle)
    return first, time.perf_counter() - began


async def measure(runners: Contestants, script: Script, rounds: int) -> Samples:
    """All variants, interleaved."""
    samples = Samples()
    await runners.warm.prepare(script.limits)
    for number in range(rounds):
        first, whole = await once(runners.warm, script)
        samples.first_byte.append(first)
        samples.whole.append(whole)
        await runners.warm.prepare(script.limits)  # refilled outside the measured time, as between two submissions
        began = time.perf_counter()
        await asyncio.to_thread(subprocess.run, _BARE, check=True)
        samples.bare.append(time.perf_counter() - began)
        if number % _COLD_EVERY == 0:
            samples.cold.append((await once(runners.cold, script))[0])
            if runners.container is not None:
                samples.container.append((await once(runners.container, script))[0])
    return samples


async def throughput(warm: Sandbox, script: Script, runs: int, lanes: int = 4) -> float:
    """Runs per second, refill included."""
    left = iter(range(runs))

    async def lane() -> None:
        for _ in left:
            await once(warm, script)

    began = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(lanes)))
    return runs / (time.perf_counter() - began)


def bare_throughput(starts: int = 100) -> float:
    """Starts of a bare interpreter per second, two at a time."""
    began = time.perf_counter()
    for _ in range(starts // 2):
        pair = [subprocess.Popen(_BARE) for _ in range(2)]  # noqa: S603 - our own interpreter
        for one in pair:
            one.wait()
    return starts / (time.perf_counter() - began)


async def kill_overshoots(warm: Sandbox, kills: int) -> list[float]:
    """Seconds past the deadline, with twice as many spinning scripts as cores."""
    script = script_of("while True: pass", wall_seconds=1)
    together = 2 * (os.cpu_count() or 1)
    late: list[float] = []
    while len(late) < kills:
        await warm.prepare(script.limits)
        played = await asyncio.gather(*(play(warm, script) for _ in range(together)))
        if any(one.code is not OutcomeCode.TIMEOUT for one in played):
            raise SystemExit("a spinning script did not time out")
        late += [(one.exited.usage.wall_seconds or 0.0) - 1.0 for one in played]
    return late


async def cap_delays(warm: Sandbox, floods: int) -> list[float]:
    """Seconds from the last piece of output that was taken to the end of a script that floods past its cap."""
    limits = Limits(wall_seconds=20, stream_kill_bytes=_STREAM_CAP)
    script = Script(_FLOOD, limits)
    delays = []
    for _ in range(floods):
        await warm.prepare(script.limits)
        handle = await warm.start(script.spec())
        last = ended = time.perf_counter()
        async for event in warm.events(handle):
            ended = time.perf_counter()
            last = ended if isinstance(event, Printed) else last
        await warm.destroy(handle)
        delays.append(ended - last)
    return delays


async def parked_slot_mib(make: Callable[[int], Sandbox], script: Script, slots: int) -> tuple[float, float]:
    """Memory of the host that one waiting slot takes, and the seconds from nothing to the first waiting slot."""
    alone, seconds = await _taken(make(1), script)
    many, _ = await _taken(make(slots + 1), script)
    return (many - alone) / slots, seconds


async def _taken(sandbox: Sandbox, script: Script) -> tuple[float, float]:
    before, began = _available_mib(), time.perf_counter()
    try:
        await sandbox.prepare(script.limits)
        return before - _available_mib(), time.perf_counter() - began
    finally:
        await sandbox.close()


def _available_mib() -> float:
    with open("/proc/meminfo", encoding="ascii") as facts:
        found = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in facts)}
    return found["MemAvailable"] / 1024


async def memory_per_slot(warm: Sandbox, cold: Sandbox, script: Script) -> tuple[float | None, float | None]:
    """Peak memory of one run in MiB, warm and cold, as the host's cgroup counts it."""
    first, second = await play(warm, script), await play(cold, script)
    return first.exited.usage.peak_memory_mib, second.exited.usage.peak_memory_mib
