"""Every pair of backends, killed at every step of a switch; it may be interrupted and goes on from its state file."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

from redis import Redis
from tests.faults.storage.switch.trial import Trial

from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from fastapi_services_platform.testing.redis import redis_server

KINDS = ("sqlite", "postgres", "redis")


def _urls(folder: Path, server: PostgresServer, redis: str) -> dict[str, str]:
    for number in (0, 1):
        with Redis.from_url(f"{redis}?db={number}") as client:
            client.flushdb()
    made: dict[str, str] = {}
    for number, side in enumerate(("from", "to")):
        made[f"sqlite-{side}"] = f"sqlite://{folder}/{side}.db"
        made[f"postgres-{side}"] = server.database(f"killed_{side}")
        made[f"redis-{side}"] = f"{redis}?db={number}"
    return made


def trial(
    pair: tuple[str, str], step: int, server: PostgresServer, redis: str, writers: int, *, parts: bool = False
) -> tuple[bool, int]:
    """One switch, killed at a step; whether it arrived without (there is no such step), and how much was written.

    ``parts``: only one namespace is moved, and another one stays where it is.
    """
    with tempfile.TemporaryDirectory(prefix="switch-") as name:
        folder = Path(name)
        tried = Trial(folder, _urls(folder, server, redis), [f"{pair[0]}-from", f"{pair[1]}-to"], writers)
        tried.stays = f"sqlite://{folder}/stays.db" if parts else ""
        arrived = tried.live(die=step)
        if not arrived:
            tried.arrive()
        return arrived, asyncio.run(tried.verify())


def main(arguments: list[str] | None = None) -> int:
    """Go through all pairs and steps; the state file says where to go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--every", type=int, default=1, help="only each so many'th step")
    parser.add_argument("--parts", action="store_true", help="move one namespace while another one stays")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--state", type=Path)
    chosen = parser.parse_args(arguments)
    known: dict[str, int] = {"pair": 0, "step": 1, "kills": 0, "writes": 0}
    if chosen.state is not None and chosen.state.exists():
        known = json.loads(chosen.state.read_text())
    ends = time.monotonic() + chosen.seconds
    pairs = list(itertools.product(KINDS, KINDS))
    with tempfile.TemporaryDirectory() as name, postgres_server() as server, redis_server(Path(name)) as redis:
        while time.monotonic() < ends:
            pair = pairs[known["pair"] % len(pairs)]
            arrived, written = trial(pair, known["step"], server, redis, chosen.writers, parts=chosen.parts)
            known["writes"] += written
            if arrived:
                known |= {"pair": known["pair"] + 1, "step": 1}
                if known["pair"] % len(pairs) == 0 and chosen.seconds == float("inf"):
                    break
            else:
                known |= {"step": known["step"] + chosen.every, "kills": known["kills"] + 1}
            if chosen.state is not None:
                chosen.state.write_text(json.dumps(known))
            sys.stderr.write(f"\r{pair}: {known['kills']:,} kills, {known['writes']:,} writes, none lost, none stale")
    sys.stdout.write("\n" + json.dumps(known) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
