"""A million random questions to the engine, to pycasbin and to brute force: `just proof-policy`."""

import argparse
import multiprocessing
import os
import sys
import time

from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.conformance.policy_differential import Tally, compare

_SEEDS_APART = 1_000_000


def part(number: int, count: int) -> Tally:
    """One process's share, on worlds of its own."""
    return compare(count, lambda depth: CompiledEngine(lambda: 0.0, depth=depth), seed=number * _SEEDS_APART)


def main() -> int:
    """0 when no answer of the engine differs from brute force; differences of pycasbin are told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    began = time.monotonic()
    share = -(-chosen.count // chosen.processes)
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        tallies = pool.starmap(part, [(number, share) for number in range(chosen.processes)])
    compared = sum(tally.compared for tally in tallies)
    wrong = sum(tally.wrong for tally in tallies)
    theirs = sum(tally.of_casbin for tally in tallies)
    print(f"{compared:,} questions in {time.monotonic() - began:.0f} s")
    print(f"engine against brute force: {wrong} differ; pycasbin against brute force: {theirs} differ")
    for tally in tallies:
        if tally.first:
            print(tally.first)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
