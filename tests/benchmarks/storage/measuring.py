"""Rows of the table, and how they are taken: paired rounds in random order, medians, percentiles."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VALUE = {"name": "x" * 900, "numbers": list(range(20)), "nested": {"a": None, "b": True}}
WRITERS = 64
KEYS = 10_000

Round = Callable[[Path, float], Awaitable[float]]
"""Work for some seconds in a folder; operations a second."""


@dataclass(frozen=True)
class Row:
    """One line: what was measured against what must be and what is aimed at."""

    what: str
    measured: float
    unit: str
    must: float
    aim: float
    at_least: bool = False
    note: str = ""

    def _meets(self, bound: float) -> bool:
        return self.measured >= bound if self.at_least else self.measured <= bound

    @property
    def passes(self) -> bool:
        """Whether it is as it must be."""
        return self._meets(self.must)

    def line(self) -> str:
        """The row as text."""
        sign = ">=" if self.at_least else "<="
        verdict = "aim" if self._meets(self.aim) else "pass" if self.passes else "MISSED"
        bounds = f"{sign} {self.must:g}".rjust(9) + f"{sign} {self.aim:g}".rjust(9)
        return f"{self.what:<62}{self.measured:>10.2f} {self.unit:<4}{bounds}  {verdict:<7}{self.note}"


@dataclass(frozen=True)
class Scale:
    """How much is done: quick, or as the specification says."""

    rounds: int
    seconds: float
    many: int
    blob: int
    switched: int
    watchers: int


QUICK = Scale(3, 1.0, 150_000, 512 * 1024**2, 50_000, 1000)
FULL = Scale(3, 2.0, 1_000_000, 4 * 1024**3, 1_000_000, 1000)


async def during(seconds: float, work: Callable[[int], Awaitable[object]], workers: int = WRITERS) -> float:
    """Calls a second of ``work`` by so many workers."""
    done, started = 0, time.perf_counter()

    async def worker(number: int) -> None:
        nonlocal done
        step = number
        while time.perf_counter() - started < seconds:
            await work(step % KEYS)
            step += workers
            done += 1

    await asyncio.gather(*(worker(number) for number in range(workers)))
    return done / (time.perf_counter() - started)


async def paired(ways: Mapping[str, Round], folder: Path, scale: Scale) -> dict[str, float]:
    """The median rate of each way; each round takes all of them, in another order."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(scale.rounds):
        for name in random.sample(list(ways), len(ways)):
            found[name].append(await ways[name](folder, scale.seconds))
    return {name: statistics.median(rates) for name, rates in found.items()}


def percentile(values: Sequence[float], share: int) -> float:
    """The value that so many percent stay below."""
    if not values:
        raise ValueError("nothing was measured")
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1] if len(values) > 1 else values[0]


def load() -> str:
    """How busy the machine is."""
    return f"load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"
