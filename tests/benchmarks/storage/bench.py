"""Storage against the usual ways and against its bounds: one table of ratios, all of one run.

``uv run just bench storage`` takes minutes; ``--full`` takes the sizes of the specification (five minutes on a quiet
machine), ``--only NAME`` one part, ``--strict`` ends with 1 when something is not as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


def main(arguments: list[str]) -> int:
    """Measure and print; 1 with ``--strict`` when a bound is missed."""
    from tests.benchmarks.storage import backends, following, reading, serving, writing
    from tests.benchmarks.storage.measuring import FULL, QUICK, Row, load

    parts: dict[str, Callable[[Path], list[Row]]] = {
        "writing": lambda folder: asyncio.run(writing.rows(folder, scale)),
        "reading": lambda folder: asyncio.run(reading.rows(folder, scale)),
        "serving": lambda folder: serving.rows(folder, scale),
        "backends": lambda folder: asyncio.run(backends.rows(folder, scale)),
        "blobs": lambda folder: serving.blob_rows(folder, scale),
        "watching": lambda folder: asyncio.run(following.watching(folder / "watching", scale)),
        "switching": lambda folder: asyncio.run(following.switching(folder / "switching", scale)),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes of the specification")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--only", choices=sorted(parts), action="append", help="measure this part")
    given = parser.parse_args(arguments)
    scale = FULL if given.full else QUICK
    print(f"{'what':<62}{'measured':>10}     {'must':>9}{'aim':>9}  verdict", flush=True)
    missed, begun = 0, time.perf_counter()
    for name in given.only or parts:
        with tempfile.TemporaryDirectory(prefix="storage-bench-") as place:
            folder = Path(place)
            folder.chmod(0o755)
            gc.collect()
            gc.freeze()  # as a platform does when it has started
            for row in parts[name](folder):
                missed += not row.passes
                print(row.line(), flush=True)
    print(f"{missed} missed after {time.perf_counter() - begun:.0f} s; {load()}")
    return int(given.strict and missed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
