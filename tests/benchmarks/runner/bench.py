"""How fast a script starts, runs and dies in each runner, as ratios to a bare interpreter in the same run.

``bench.py [PACKAGES]``: a folder with pandas (``uv pip install --target PACKAGES pandas``); without it the script uses
the standard library only and the report says so. Exit code 1 when a gate is missed.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import Script, play
from skriptoteket.core.runs.models import Limits, OutcomeCode
from skriptoteket.core.runs.sandbox import Printed, Sandbox

_ROUNDS = 300
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


async def measure(warm: ZygoteSandbox, cold: BubblewrapSandbox, script: Script) -> Samples:
    """All variants, interleaved, so that a noisy machine disturbs them alike."""
    samples = Samples()
    await warm.prepare(script.limits)
    for number in range(_ROUNDS):
        first, whole = await once(warm, script)
        samples.first_byte.append(first)
        samples.whole.append(whole)
        await warm.prepare(script.limits)  # refilled outside the measured time, as between two submissions
        began = time.perf_counter()
        await asyncio.to_thread(subprocess.run, _BARE, check=True)
        samples.bare.append(time.perf_counter() - began)
        if number % _COLD_EVERY == 0:
            samples.cold.append((await once(cold, script))[0])
    return samples


async def throughput(warm: ZygoteSandbox, script: Script, runs: int = 300, lanes: int = 4) -> float:
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
        pair = [subprocess.Popen(_BARE) for _ in range(2)]
        for one in pair:
            one.wait()
    return starts / (time.perf_counter() - began)


async def kill_overshoot(warm: ZygoteSandbox) -> float:
    """The worst time past the deadline, in milliseconds, with twice as many spinning scripts as cores."""
    script = script_of("while True: pass", wall_seconds=1)
    played = await asyncio.gather(*(play(warm, script) for _ in range(4)))
    if any(one.code is not OutcomeCode.TIMEOUT for one in played):
        raise SystemExit("a spinning script did not time out")
    return max((one.exited.usage.wall_seconds or 0.0) - 1.0 for one in played) * 1000


async def memory_per_slot(
    warm: ZygoteSandbox, cold: BubblewrapSandbox, script: Script
) -> tuple[float | None, float | None]:
    """Peak memory of one run in MiB, warm and cold, as the host's cgroup counts it."""
    first, second = await play(warm, script), await play(cold, script)
    return first.exited.usage.peak_memory_mib, second.exited.usage.peak_memory_mib


async def main(packages: Path | None) -> int:
    """Print the table; 1 when a gate is missed."""
    script = Script(_PLAIN if packages is None else _PANDAS, Limits(wall_seconds=60))
    with tempfile.TemporaryDirectory() as folder:
        cold = BubblewrapSandbox(Path(folder) / "cold", packages=packages)
        warm = ZygoteSandbox(Path(folder) / "warm", packages=packages, warm_slots=4)
        try:
            samples = await measure(warm, cold, script)
            per_second, bare_per_second = await throughput(warm, script), bare_throughput()
            overshoot = await kill_overshoot(warm)
            slot, whole = await memory_per_slot(warm, cold, script)
        finally:
            await warm.close()
    bare = statistics.median(samples.bare) * 1000
    first, result = percentile(samples.first_byte, 0.5), percentile(samples.whole, 0.5)
    start = percentile(samples.cold, 0.5)
    print(f"script: {'pandas' if packages else 'standard library only (no folder with pandas was given)'}; n={_ROUNDS}")
    print(f"bare interpreter                 p50 {bare:7.1f} ms")
    print(f"cold bubblewrap, first byte      p50 {start:7.1f} ms")
    rows = [
        ("B1 first byte, p50 / bare", first / bare, 0.5, "at most"),
        ("B1 cold bubblewrap / first byte", start / first, 16.0, "at least"),
        ("B2 result, p50 / bare", result / bare, 1.6, "at most"),
        ("B3 runs per second / bare starts", per_second / bare_per_second, 1.2, "at least"),
        ("B6 kill past deadline, ms", overshoot, 100.0, "at most"),
    ]
    if slot and whole:
        rows.append(("B5 memory of a cold run / warm run", whole / slot, 10.0, "at least"))
        print(f"memory of a run, warm / cold     {slot:7.1f} MiB / {whole:.1f} MiB")
    print(f"first byte                       p50 {first:7.1f} ms   p99 {percentile(samples.first_byte, 0.99):.1f} ms")
    print(f"result, all removed              p50 {result:7.1f} ms   p99 {percentile(samples.whole, 0.99):.1f} ms")
    print(f"runs per second                      {per_second:7.1f}      bare starts {bare_per_second:.1f}")
    missed = 0
    for name, value, gate, how in rows:
        good = value <= gate if how == "at most" else value >= gate
        missed += not good
        print(f"{name:<36} {value:8.2f}   {how} {gate:<6} {'ok' if good else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
