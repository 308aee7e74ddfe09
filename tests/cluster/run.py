"""``python -m tests.cluster.run``: four web processes and two workers behind nginx, restarted in turn under load.

Half of the people keep their connection, half make a new one for each request. Exit 0 only when no request failed.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.load import Load
from tests.cluster.nodes import Cluster, running_cluster


async def rolling_restart(cluster: Cluster, people: int, rounds: int) -> Load:
    """Every node, one after another, while people work."""
    load = Load()
    tasks = [
        asyncio.create_task(load.person(cluster.url, cluster.password, keeps=number % 2 == 0))
        for number in range(people)
    ]
    while load.working < people:
        await asyncio.sleep(0.1)
        for task in tasks:
            if task.done():
                task.result()  # somebody could not even sign in: raised here
    for number in range(rounds):
        for port in list(cluster.web):
            before = load.answers.total()
            started = time.monotonic()
            await asyncio.to_thread(cluster.restart_web, port)
            seconds = time.monotonic() - started
            print(
                f"  web {port} restarted in {seconds:.1f} s, {load.answers.total() - before} answers meanwhile",
                flush=True,
            )
        for worker in range(len(cluster.workers)):
            await asyncio.to_thread(cluster.restart_worker, worker)
            print(f"  worker {worker} restarted (round {number + 1})", flush=True)
    await asyncio.sleep(1)
    load.stopping.set()
    await asyncio.gather(*tasks)
    return load


def main() -> int:
    """Run it and print the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--webs", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whoever stops it leaves no node behind
    with (
        tempfile.TemporaryDirectory(prefix="fsp-cluster-") as folder,
        running_cluster(Path(folder), webs=asked.webs, workers=asked.workers) as cluster,
    ):
        print(f"{asked.webs} web processes and {asked.workers} workers behind {cluster.url}", flush=True)
        load = asyncio.run(rolling_restart(cluster, asked.people, asked.rounds))
    for what, number in sorted(load.answers.items()):
        print(f"{number:8} {what}")
    for failure in load.failures[:20]:
        print(f"FAILED {failure}")
    print(f"{load.answers.total()} requests, {len(load.failures)} failed")
    return 1 if load.failures or not load.answers else 0


if __name__ == "__main__":
    sys.exit(main())
