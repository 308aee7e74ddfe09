"""The figures of a runner against their bounds: what holds on a quiet machine, and ratios that hold on any."""

import asyncio
import os
from dataclasses import dataclass

from skriptoteket.conformance.speed import (
    FEW,
    KILLS,
    SLOTS,
    Contestants,
    Samples,
    bare_throughput,
    cap_delays,
    kill_overshoots,
    measure,
    memory_per_slot,
    parked_slot_mib,
    percentile,
    throughput,
)

_FOUR_GIB = 4096.0
_PARKED = 500
_QUICK = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A figure that must be at most or at least something. Absolute ones count on a quiet machine; the others gate."""

    name: str
    value: float
    bound: float
    unit: str = ""
    at_least: bool = False
    absolute: bool = False

    @property
    def met(self) -> bool:
        """Whether it is on the right side."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        bound = f"{'>=' if self.at_least else '<='} {self.bound:g} {self.unit}"
        kind = "quiet" if self.absolute else "gate"
        return (
            f"{self.name:<46} {self.value:9.2f} {self.unit:<5} {bound:<12} {kind:<6} {'met' if self.met else 'MISSED'}"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed: figures for a person, and rows with bounds."""

    figures: tuple[str, ...]
    rows: tuple[Row, ...]


async def race(runners: Contestants, rounds: int, *, quick: bool = False) -> Report:
    """Everything measured once; ``quick`` takes a tenth of the samples."""
    rounds, kills, slots = (max(_QUICK, n // 10) if quick else n for n in (rounds, KILLS, SLOTS))
    load = os.getloadavg()[0]
    samples = await measure(runners, runners.script, rounds)
    rows = [*_starts(samples), *await _throughputs(runners, rounds), *await _memory(runners, slots)]
    late, stopped = await kill_overshoots(runners.warm, kills), await cap_delays(runners.warm, max(_QUICK, kills // 3))
    rows.append(Row("B6 kill past the deadline, p99", percentile(late, 0.99), 100, "ms"))
    rows.append(Row("B6 stop after the output cap, p99", percentile(stopped, 0.99), 50, "ms"))
    figures = [
        f"script: {'pandas' if runners.pandas else 'standard library only (no environment was built)'}; n={rounds}; "
        f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores",
        _figure("bare interpreter", samples.bare),
        _figure("first byte, warm", samples.first_byte),
        _figure("result and all removed, warm", samples.whole),
        _figure("first byte, cold bubblewrap", samples.cold),
    ]
    if samples.container:
        figures.append(_figure("first byte, container", samples.container))
    else:
        figures.append("container: not judged, no engine is named (SKRIPTOTEKET_CONTAINER_URL)")
    return Report(tuple(figures), tuple(sorted(rows, key=lambda row: int(row.name[1:].split()[0]))))


def _figure(name: str, values: list[float]) -> str:
    return f"{name:<30} p50 {percentile(values, 0.5):8.1f} ms   p99 {percentile(values, 0.99):8.1f} ms"


def _starts(samples: Samples) -> list[Row]:
    bare, first = percentile(samples.bare, 0.5), percentile(samples.first_byte, 0.5)
    result = percentile(samples.whole, 0.5)
    rows = [
        Row("B1 first byte, p50", first, 5, "ms", absolute=True),
        Row("B1 first byte, p99", percentile(samples.first_byte, 0.99), 25, "ms", absolute=True),
        Row("B1 first byte / bare", first / bare, 0.5, "x"),
        Row("B2 result and all removed, p50", result, 15, "ms", absolute=True),
        Row("B2 result / bare", result / bare, 1.6, "x"),
    ]
    if samples.container:
        container = percentile(samples.container, 0.5)
        return [*rows, Row("B1 container / first byte", container / first, 25, "x", at_least=True)]
    return [
        *rows,
        Row("B1 cold bubblewrap / first byte", percentile(samples.cold, 0.5) / first, 16, "x", at_least=True),
    ]


async def _throughputs(runners: Contestants, rounds: int) -> list[Row]:
    warm = await throughput(runners.warm, runners.script, rounds)
    bare = await asyncio.to_thread(bare_throughput)
    rows = [
        Row("B3 isolated runs, two cores", warm, 150, "/s", at_least=True, absolute=True),
        Row("B3 isolated runs / bare starts", warm / bare, 1.2, "x", at_least=True),
    ]
    if runners.container is None:
        return rows
    contained = await throughput(runners.container, runners.script, FEW)
    return [*rows, Row("B3 isolated runs / in containers", warm / contained, 30, "x", at_least=True)]


async def _memory(runners: Contestants, slots: int) -> list[Row]:
    run, cold = await memory_per_slot(runners.warm, runners.cold, runners.script)
    parked, seconds = await parked_slot_mib(runners.parked, runners.script, slots)
    rows = [
        Row(f"B5 waiting slot, of {slots}", parked, _FOUR_GIB / _PARKED, "MiB", absolute=True),
        Row("B10 worker start to first waiting slot", seconds, 3, "s"),
    ]
    if run is None or cold is None:  # soft mode: no group counts what a run takes
        return rows
    rows.append(Row("B5 memory of a run", run, 6, "MiB", absolute=True))
    return [*rows, Row("B5 memory, cold / warm", cold / run, 10, "x", at_least=True)]
