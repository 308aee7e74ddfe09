"""Play power cuts: `python -m tests.faults.storage.power.run --images 1000000 --state file`; it may be interrupted."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.faults.storage.power.check import Broken, check
from tests.faults.storage.power.disk import Disk, Platter, recording
from tests.faults.storage.power.workload import Workload, recorded

from au_sys_storage_sdk.adapters.sqlite.writer import Writer

_IN_MEMORY = Path("/dev/shm")
_CHUNK = 20


class Count(NamedTuple):
    """What was played: cuts, and how many of them left different images."""

    schedules: int
    images: int


def play(seed: int, per_point: int, *, lying: bool = False, spoil: Callable[[Writer], None] | None = None) -> Count:
    """Cut the power around every event of the workload of a seed. Raises ``Broken`` with seed and event."""
    place = str(_IN_MEMORY) if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="power-", dir=place) as name:
        folder = Path(name)
        with recording(lying=lying) as disk:
            workload = recorded(seed, folder, disk, spoil)
        for path in folder.iterdir():
            path.unlink()
        return _cut(seed, per_point, folder, disk, workload)


def _cut(seed: int, per_point: int, folder: Path, disk: Disk, workload: Workload) -> Count:
    chance, platter, seen, schedules = random.Random(f"cuts {seed}"), Platter(), set[tuple[int, int]](), 0
    for number, event in enumerate(disk.events):
        platter.take(event)
        for image in platter.images(chance, per_point):
            schedules += 1
            fingerprint = (event.mark, hash(frozenset(image.items())))
            if fingerprint in seen:
                continue
            seen.add(fingerprint)
            try:
                check(image, folder, event.mark, workload.states)
            except Broken as error:
                raise Broken(f"seed {seed}, event {number} of {len(disk.events)}: {error}") from error.__cause__
    return Count(schedules, len(seen))


def _chunk(first: int, per_point: int) -> Count:
    played = [play(seed, per_point) for seed in range(first, first + _CHUNK)]
    return Count(sum(one.schedules for one in played), sum(one.images for one in played))


def main(arguments: list[str] | None = None) -> int:
    """Play until so many different images were opened; the state file is written after every chunk of seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--per-point", type=int, default=8)
    parser.add_argument("--state", type=Path)
    chosen = parser.parse_args(arguments)
    known = {"seed": 0, "schedules": 0, "images": 0, "seconds": 0.0}
    if chosen.state is not None and chosen.state.exists():
        known = json.loads(chosen.state.read_text())
    begun, before = time.monotonic(), known["seconds"]
    with ProcessPoolExecutor(chosen.processes) as pool:
        while known["images"] < chosen.images:
            firsts = [int(known["seed"]) + _CHUNK * number for number in range(chosen.processes)]
            for played in pool.map(_chunk, firsts, [chosen.per_point] * len(firsts)):
                known["seed"] += _CHUNK
                known["schedules"] += played.schedules
                known["images"] += played.images
            known["seconds"] = round(before + time.monotonic() - begun, 1)
            if chosen.state is not None:
                chosen.state.write_text(json.dumps(known))
            sys.stderr.write(f"\r{known['images']:,} images of {known['schedules']:,} power cuts, all whole")
    sys.stderr.write("\n")
    sys.stdout.write(json.dumps(known) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
