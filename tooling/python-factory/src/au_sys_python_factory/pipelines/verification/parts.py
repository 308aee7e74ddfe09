"""The parts of a verification: each begins when what it needs is done, a few at once; the first failure ends it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal

from au_sys_python_factory.errors import FactoryError

Verdict = Literal["passed", "failed", "not run"]
_BESIDE_THE_CORES = 1
"""Parts that wait (for a disk, for a server to start) leave their core to one more."""


@dataclass(frozen=True, slots=True)
class Part:
    """``work`` says in a few words what it found, or raises a FactoryError with the output of what failed."""

    name: str
    work: Callable[[], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a part ended; ``said`` is its result, its error, or why it was not run."""

    name: str
    verdict: Verdict
    said: str
    seconds: float


def run_parts(parts: Sequence[Part], tell: Callable[[Outcome], None], width: int | None = None) -> list[Outcome]:
    """Every part in the order given, as far as its needs allow; after a failure nothing further is begun."""
    outcomes: dict[str, Outcome] = {}
    waiting = list(parts)
    running: dict[Future[Outcome], Part] = {}
    most = width or (os.cpu_count() or 1) + _BESIDE_THE_CORES
    with ThreadPoolExecutor(most) as pool:
        while waiting or running:
            while not _failed(outcomes) and len(running) < most and (part := _ready(waiting, outcomes)) is not None:
                waiting.remove(part)
                running[pool.submit(_done, part)] = part
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                found = future.result()
                outcomes[running.pop(future).name] = found
                tell(found)
    failed = next((item.name for item in outcomes.values() if item.verdict == "failed"), "")
    for part in waiting:
        outcomes[part.name] = Outcome(part.name, "not run", f"{failed} failed", 0.0)
    return [outcomes[part.name] for part in parts]


def _failed(outcomes: dict[str, Outcome]) -> bool:
    return any(item.verdict == "failed" for item in outcomes.values())


def _ready(waiting: Sequence[Part], outcomes: dict[str, Outcome]) -> Part | None:
    return next((part for part in waiting if all(name in outcomes for name in part.needs)), None)


def _done(part: Part) -> Outcome:
    began = time.perf_counter()
    try:
        said = part.work()
    except FactoryError as error:
        return Outcome(part.name, "failed", error.sentence, time.perf_counter() - began)
    return Outcome(part.name, "passed", said, time.perf_counter() - began)
