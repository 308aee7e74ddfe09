"""Kill the worker with -9 at random moments, again and again: `just proof-runner`; it goes on where it stopped.

After every kill each process of its runs must be gone within a second, and the next worker must hold the truth within a
second of its start. After every round of kills a worker finishes what waits, and then nothing may be left: no process,
control group, mount, note, held row, blob without a row or row without its blob, and no run that ran twice though it
may not.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.runs import library, remains

_HOST = "state"
_ROUND = 50
_WAITING = 8
_RECOVERY_SECONDS = 1.0
_START_SECONDS = 60.0
_LIFE_SECONDS = 3.0
_GONE_SECONDS = 30.0
_AT_ANY_TIME = 0.4
_KINDS = ("zygote", "zygote", "zygote", "bubblewrap")


@dataclass
class Tally:
    """What was done and found so far; kept in a file, so that it can go on."""

    kills: int = 0
    rounds: int = 0
    runs: int = 0
    hit: dict[str, int] = field(default_factory=dict)
    recovery_ms: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def save(self, file: Path) -> None:
        """Written whole or not at all."""
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(file)


def main() -> int:
    """Exit code 1 when anything was left or lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--state", type=Path, default=Path("dist/proof-runner.json"))
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args()
    if os.geteuid() != 0:
        print("proof-runner: must be root, to have users of its own and to see every process", file=sys.stderr)
        return 3
    chosen.state.parent.mkdir(parents=True, exist_ok=True)
    tally = Tally(**json.loads(chosen.state.read_text())) if chosen.state.exists() else Tally()
    chance = random.Random(chosen.seed)
    remains.stand_apart()
    while tally.kills < chosen.kills and not tally.complaints:
        began = time.monotonic()
        folder = Path(chosen.state.parent / "proof-runner").resolve()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        _round(library.Place(folder, f"sqlite+aiosqlite:///{folder}/library.db"), tally, chance)
        tally.seconds += time.monotonic() - began
        tally.save(chosen.state)
        _report(tally)
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if tally.complaints else 0


def _round(place: library.Place, tally: Tally, chance: random.Random) -> None:
    mounts = remains.mounts()
    _finished(partial(library.create, place))
    rows = remains.Rows(place)
    for _ in range(_ROUND):
        if rows.states().get("queued", 0) < _WAITING:
            _finished(partial(library.submit, place, 4 * _WAITING))
        _kill_once(place, rows, tally, chance)
        if tally.complaints:
            return
    kind = chance.choice(_KINDS)
    _finished(partial(library.work, place, _HOST, kind, once=True))
    _finished(partial(library.sweep, place))
    tally.rounds += 1
    tally.runs += sum(rows.states().values())
    tally.complaints += _left(place, rows)
    tally.complaints += [f"mount {place}" for place in remains.mounts() - mounts]


def _kill_once(place: library.Place, rows: remains.Rows, tally: Tally, chance: random.Random) -> None:
    began = time.monotonic()
    worker = library.in_process(partial(library.work, place, _HOST, chance.choice(_KINDS)))
    if tally.kills % 5 == 0:
        # Held to a second from its start: every fifth is watched, the others are killed whenever chance says.
        while not rows.registered(worker):
            if time.monotonic() - began > _START_SECONDS:
                tally.complaints.append("a worker did not start")
                break
            time.sleep(0.002)
        tally.recovery_ms.append(round((time.monotonic() - began) * 1000, 1))
        tally.complaints += [f"after the take-over: {one}" for one in rows.stuck(worker)]
    _pass_time(rows, chance)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    for state, number in rows.states().items():
        if state in ("starting", "running", "collecting"):
            tally.hit[state] = tally.hit.get(state, 0) + number
    tally.complaints += [f"still alive: {one}" for one in remains.wait_until_gone(remains.living)]
    tally.complaints += [f"never gone: {one}" for one in remains.wait_until_gone(remains.processes, _GONE_SECONDS)]
    tally.kills += 1


def _pass_time(rows: remains.Rows, chance: random.Random) -> None:
    """Any moment after the start, or any moment of a run's life: a busy machine must not make all kills early ones."""
    if chance.random() < _AT_ANY_TIME:
        time.sleep(chance.uniform(0.0, 0.2))
        return
    until = time.monotonic() + _LIFE_SECONDS
    ended = rows.ended()
    while time.monotonic() < until:
        if rows.states().keys() & {"running", "collecting"} or rows.ended() != ended:
            break
        time.sleep(0.002)
    time.sleep(chance.uniform(0.0, 0.15))


def _finished(work: "partial[Coroutine[Any, Any, None]]") -> None:  # Any: what a coroutine takes and yields
    pid = library.in_process(work)
    _, how = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(how) != 0:
        raise SystemExit(f"{work.func.__name__} failed: {how}")


def _left(place: library.Place, rows: remains.Rows) -> list[str]:
    return [
        *(f"process {one}" for one in remains.wait_until_gone(remains.processes)),
        *(f"control group {one}" for one in remains.groups(place, _HOST)),
        *(f"note {one}" for one in remains.notes(place, _HOST)),
        *(f"not ended: {one}" for one in rows.stuck(0)),
        *rows.dishonest(),
        *rows.unreferenced(place),
    ]


def _report(tally: Tally) -> None:
    late = [one for one in tally.recovery_ms if one > _RECOVERY_SECONDS * 1000]
    print(
        f"{tally.kills} kills in {tally.seconds:.0f} s, {tally.runs} runs, hit {tally.hit}; recovery p50 "
        f"{statistics.median(tally.recovery_ms):.0f} ms, worst {max(tally.recovery_ms):.0f} ms, {len(late)} over a "
        f"second; left or lost: {len(tally.complaints)}",
        flush=True,
    )
    for complaint in tally.complaints:
        print(f"  {complaint}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
