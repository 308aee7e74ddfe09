"""How fast a script starts, runs and dies in each runner, as ratios to a bare interpreter and to a container.

All variants are interleaved in one run, so that a noisy machine disturbs them alike; absolute figures are for a quiet
machine with two cores.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import Script, play
from skriptoteket.core.runs.models import Limits, OutcomeCode
from skriptoteket.core.runs.sandbox import Printed, Sandbox

ROUNDS = 300
_FEW = 12
_COLD_EVERY = 10
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
    """The warm runner, the cold one, and containers where an engine is."""

    warm: Sandbox
    cold: Sandbox
    container: Sandbox | None
    pandas: bool


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


async def kill_overshoot(warm: Sandbox) -> float:
    """The worst time past the deadline, in milliseconds, with twice as many spinning scripts as cores."""
    script = script_of("while True: pass", wall_seconds=1)
    played = await asyncio.gather(*(play(warm, script) for _ in range(4)))
    if any(one.code is not OutcomeCode.TIMEOUT for one in played):
        raise SystemExit("a spinning script did not time out")
    return max((one.exited.usage.wall_seconds or 0.0) - 1.0 for one in played) * 1000


async def memory_per_slot(warm: Sandbox, cold: Sandbox, script: Script) -> tuple[float | None, float | None]:
    """Peak memory of one run in MiB, warm and cold, as the host's cgroup counts it."""
    first, second = await play(warm, script), await play(cold, script)
    return first.exited.usage.peak_memory_mib, second.exited.usage.peak_memory_mib


@dataclass(frozen=True, slots=True)
class Row:
    """One gate: a ratio, or milliseconds, that must be at most or at least something."""

    name: str
    value: float
    gate: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is on the right side."""
        return self.value >= self.gate if self.at_least else self.value <= self.gate

    def __str__(self) -> str:
        how = f"at {'least' if self.at_least else 'most'} {self.gate:g}"
        return f"{self.name:<38} {self.value:8.2f}   {how:<14} {'ok' if self.met else 'MISSED'}"


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed: figures for a person, and rows for a gate."""

    figures: tuple[str, ...]
    rows: tuple[Row, ...]


async def race(runners: Contestants, rounds: int = ROUNDS) -> Report:
    """Everything measured once."""
    script = Script(_PANDAS if runners.pandas else _PLAIN, Limits(wall_seconds=60))
    samples = await measure(runners, script, rounds)
    per_second = await throughput(runners.warm, script, rounds)
    bare_per_second = await asyncio.to_thread(bare_throughput)
    contained = None if runners.container is None else await throughput(runners.container, script, _FEW)
    overshoot = await kill_overshoot(runners.warm)
    slot, whole = await memory_per_slot(runners.warm, runners.cold, script)
    bare, first = percentile(samples.bare, 0.5), percentile(samples.first_byte, 0.5)
    result, cold = percentile(samples.whole, 0.5), percentile(samples.cold, 0.5)
    rows = [
        Row("B1 first byte / bare", first / bare, 0.5),
        Row("B1 cold bubblewrap / first byte", cold / first, 16.0, at_least=True),
        Row("B2 result / bare", result / bare, 1.6),
        Row("B3 runs per second / bare starts", per_second / bare_per_second, 1.2, at_least=True),
        Row("B6 kill past the deadline, ms", overshoot, 100.0),
    ]
    if runners.container is not None and contained is not None:
        rows.append(Row("B1 container / first byte", percentile(samples.container, 0.5) / first, 25.0, at_least=True))
        rows.append(Row("B3 runs per second / container's", per_second / contained, 30.0, at_least=True))
    if slot and whole:
        rows.append(Row("B5 memory of a cold run / warm run", whole / slot, 10.0, at_least=True))
    figures = [
        f"script: {'pandas' if runners.pandas else 'standard library only (no environment was built)'}; n={rounds}",
        f"bare interpreter             p50 {bare:8.1f} ms   {bare_per_second:.1f} starts/s",
        f"first byte                   p50 {first:8.1f} ms   p99 {percentile(samples.first_byte, 0.99):.1f} ms",
        f"result, all removed          p50 {result:8.1f} ms   p99 {percentile(samples.whole, 0.99):.1f} ms",
        f"runs per second, two cores       {per_second:8.1f}",
        f"cold bubblewrap, first byte  p50 {cold:8.1f} ms",
        f"memory of a run, warm / cold     {slot or 0:8.1f} / {whole or 0:.1f} MiB",
    ]
    if samples.container:
        figures.append(f"container, first byte        p50 {percentile(samples.container, 0.5):8.1f} ms")
    else:
        figures.append("container: not judged, no engine is named (SKRIPTOTEKET_CONTAINER_URL)")
    return Report(tuple(figures), tuple(rows))
