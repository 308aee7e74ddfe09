"""Identity against fastapi-users in the same run, both as shipped and alternately, medians of the rounds.

fastapi-users comes from PyPI into an environment of its own (``BENCH_PEER`` names the python of one that is there).
``--quick`` takes one short round. Exit code 1 when a ratio that must hold does not; absolute figures are targets for an
otherwise idle machine of two cores and are only shown.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import growth
import measuring
from argon2 import PasswordHasher
from servers import Server, peer_python, prepare, product_python, running

CORES = 2
_HASHES = 20
OURS = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
THEIRS = PasswordHasher()  # pwdlib's defaults are those of argon2-cffi: 64 MiB, t=3, p=4


@dataclass(frozen=True)
class Effort:
    """How long it takes."""

    rounds: int = 5
    starts: int = 5
    seconds: float = 4.0
    requests: int = 1500
    growth: int = 40


QUICK = Effort(rounds=1, starts=1, seconds=2.0, requests=400, growth=10)


def raw_hashes_per_second(hasher: PasswordHasher, *, at_once: int) -> float:
    """What this machine hashes when it does nothing else."""
    known = hasher.hash("x")
    with ThreadPoolExecutor(at_once) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: hasher.verify(known, "x"), range(_HASHES * at_once)))
        return _HASHES * at_once / (time.perf_counter() - began)


class Table:
    """Prints rows and counts what was missed."""

    def __init__(self) -> None:
        self.missed = 0
        print(f"{'':52}{'identity':>10}{'peer':>10}{'ratio':>8}  must be", flush=True)

    def row(self, what: str, mine: float, theirs: float, must: str) -> None:
        """``must`` is such as ``>= 15`` or ``<= 1.8``: what mine is against theirs; empty: nothing must be."""
        ratio = mine / theirs if theirs else float("nan")
        held = not must or (ratio >= float(must[3:]) if must.startswith(">=") else ratio <= float(must[3:]))
        self.missed += not held
        print(f"{what:52}{mine:10.2f}{theirs:10.2f}{ratio:8.2f}  {must}{'' if held else '   MISSED'}", flush=True)

    def single(self, what: str, value: float, target: str, *, must: bool = False, held: bool = True) -> None:
        """A figure of the product alone."""
        self.missed += must and not held
        print(f"{what:52}{value:10.2f}{'':18}  {target}{'   MISSED' if must and not held else ''}", flush=True)


def started(name: str, python: str, data: Path, times: int) -> tuple[float, float]:
    """Seconds to the first 200 on a migrated database, and seconds of CPU; the medians of several starts."""
    found = []
    for _ in range(times + 1):  # the first one migrates and compiles
        with running(name, python, data) as server:
            found.append((server.start, server.start_cpu))
    return statistics.median(wall for wall, _ in found[1:]), statistics.median(cpu for _, cpu in found[1:])


def measured(ours: Server, peer: Server, effort: Effort) -> None:
    """Every measurement that both take, alternately."""
    for server in (ours, peer):
        prepare(server, measuring.PEOPLE)
        measuring.mixed(server)
    for _ in range(effort.rounds):
        for server in (ours, peer):
            measuring.requests(server, effort.requests)
        measuring.other_credentials(ours, effort.requests)
        measuring.refreshes(ours, effort.requests // 5)
        ours.note("raw", raw_hashes_per_second(OURS, at_once=CORES))
        peer.note("raw", raw_hashes_per_second(THEIRS, at_once=1))  # one hash of theirs computes on four threads
        for server in (ours, peer):
            measuring.logins(server, effort.seconds)
        for server in (ours, peer):
            measuring.answers_in_a_storm(server, effort.seconds)


def report(ours: Server, peer: Server, starts: tuple[tuple[float, float], tuple[float, float]]) -> int:
    """Print the table; how many gates were missed."""
    table = Table()

    def mine(what: str) -> float:
        return statistics.median(ours.figures[what])

    def theirs(what: str) -> float:
        return statistics.median(peer.figures[what])

    table.row("B1 logins per second", mine("logins"), theirs("logins"), ">= 15")
    table.row("   CPU of one, ms", mine("login cpu"), theirs("login cpu"), "")
    table.row("   raw hashes, no server: the most that B1 can be", mine("raw"), theirs("raw"), "")
    table.row("B1 against the raw hashes of both cores per second", mine("logins"), mine("raw"), ">= 0.55")
    table.row("B2 p95 of /users/me in a storm, ms", mine("storm"), theirs("storm"), "<= 0.1")
    table.row("B3 /users/me per second, bearer", mine("bearer"), theirs("bearer"), ">= 3")
    table.row("B3 with an API key against the bearer token", mine("key"), mine("bearer"), ">= 0.8")
    table.row("B3 with a cookie against the bearer token", mine("cookie"), mine("bearer"), ">= 0.8")
    refused = max(ours.figures["refused"])
    table.single("B7 refreshes per second", mine("refresh"), "target 150")
    table.single("B7 refused of fifty refreshes at once", refused, "must be 0", must=True, held=refused == 0)
    table.row("B9 start to the first 200, s", starts[0][0], starts[1][0], "<= 1.6")
    table.row("   its CPU, s", starts[0][1], starts[1][1], "")
    table.row("B10 resident MB after 1,000 mixed requests", mine("resident"), theirs("resident"), "<= 1.8")
    most, bound = max(ours.figures["peak"]), (os.cpu_count() or 1) * OURS.memory_cost / 1024
    table.single(
        "B10 MB that sign-ins add to the idle process, at most",
        most,
        f"threads x memory of a hash = {bound:.0f}",
        must=True,
        held=most <= bound,
    )
    return table.missed


def grown(python: str, folder: Path, rounds: int) -> int:
    """Print B11; how many operations grew too much."""
    missed = 0
    print(f"\nB11 ms with {growth.SMALL} and {growth.SMALL * growth.FACTOR} people, their sessions, keys, events")
    for name, small, large in growth.compared(python, folder, rounds):
        held = large <= 3 * small
        missed += not held
        print(f"{name:52}{small:10.2f}{large:10.2f}{large / small:8.2f}  <= 3{'' if held else '   MISSED'}", flush=True)
    return missed


def main() -> int:
    """Exit code 0 when every gate holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    effort = QUICK if parser.parse_args().quick else Effort()
    if shutil.which("uv") is None and "BENCH_PEER" not in os.environ:
        print("bench: uv is missing, the peer cannot be installed", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="fsp-bench-"))
    try:
        python, own = peer_python(folder), product_python(folder)
        starts = (
            started("product", own, folder / "ours", effort.starts),
            started("peer", python, folder / "theirs", effort.starts),
        )
        with (
            running("peer", python, folder / "theirs") as peer,
            running("product", own, folder / "ours") as ours,
        ):
            measured(ours, peer, effort)
            print("identity: argon2id 19 MiB t=2 p=1 off the loop; peer: pwdlib's argon2id 64 MiB t=3 p=4 on the loop")
            missed = report(ours, peer, starts)
        missed += grown(own, folder / "grown", effort.growth)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
