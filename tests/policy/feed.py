"""Withdraw a right while what tells of it breaks, and see that no stale answer lets anybody in: `just proof-feed`.

A second process asks without pause. Between the rounds entries of the feed are deleted, listeners are killed, and the
database is paused; it must deny in time each time, and go on without a restart.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.change_feed import ChangeFeed
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.core.access.live import LivePolicy, kind_of
from au_sys_identity.core.access.models import Catalogue, Policy
from au_sys_identity.core.access.rules import Rule
from au_sys_identity.core.errors import PolicyBehind
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.ids import uuid7
from au_sys_identity.manifest.parts.ground import utc_now
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import postgres_server

RULE = Rule("urn:au:app:ann", "default", "/papers/*", "read")
BOUND = 1.0
_PAUSE = 1.3
_KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
Break = Callable[[Database], Awaitable[None]]


def _transactions(database: Database) -> SqlTransactions:
    return SqlTransactions(database, PersonalKeys(RootKey(bytes(range(32)))))


async def reading(url: str) -> None:
    """Ask without pause, and print the moment before each question, and the answer."""
    database = Database("identity", url)
    transactions = _transactions(database)
    freshness = Freshness(transactions)
    policy = LivePolicy(transactions, freshness, Catalogue(), CompiledEngine(kind_of=kind_of))
    feed = ChangeFeed(database, freshness.expire)
    await feed.start()
    while True:
        began = time.monotonic()
        try:
            found = "yes" if (await policy.current()).enforce(RULE.subject, "default", "/papers/1", "read") else "no"
        except PolicyBehind:
            found = "behind"
        print(began, found, flush=True)
        await asyncio.sleep(0.005)


async def nothing(_database: Database) -> None:
    """Break nothing."""


async def lose(database: Database) -> None:
    """Delete what the feed says of the last change."""
    async with database.session(write=True) as session, session.begin():
        await session.execute(text("DELETE FROM feed WHERE topic = 'access'"))


async def kill(database: Database) -> None:
    """End every connection that listens."""
    async with database.session() as session:
        await session.execute(text(_KILL))


async def pause(database: Database) -> None:
    """Let nobody read versions for longer than answers may be old."""
    statement = "LOCK TABLE versions IN ACCESS EXCLUSIVE MODE"
    async with database.engine.connect() as connection:
        await connection.execute(text(statement))
        await asyncio.sleep(_PAUSE)
        await connection.rollback()


class Reader:
    """The second process, and what it said: when it began to ask, and the answer."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[tuple[float, str]] = []

    async def follow(self) -> None:
        """Take in what it prints."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            began, found = line.decode().split()
            self.said.append((float(began), found))

    async def until(self, answer: str, since: float) -> float:
        """When it first began to ask what it answered like this."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for began, found in self.said:
                if began >= since and found == answer:
                    return began
            await asyncio.sleep(0.002)
        raise RuntimeError(f"the second process never said {answer}")


@asynccontextmanager
async def reader_of(url: str) -> AsyncIterator[Reader]:
    """The second process, as long as the block runs."""
    command = [sys.executable, "-m", "tests.policy.feed", "--read", url]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    reader = Reader(process)
    following = asyncio.create_task(reader.follow())
    try:
        yield reader
    finally:
        process.kill()
        await process.wait()
        await following


async def proved(url: str, rounds: int, breaks: tuple[Break, ...]) -> tuple[list[float], int]:
    """Seconds from each withdrawal to the first denial, and how many stale answers there were beyond the bound."""
    database = Database("identity", url)
    await database.migrate(MIGRATIONS)
    transactions = _transactions(database)
    spent, stale = [], 0
    async with reader_of(url) as reader:
        for number in range(rounds):
            given = time.monotonic()
            async with transactions.writing() as unit:
                await unit.grants.change(add=[Policy(uuid7(), RULE, utc_now(), "urn:au:system:proof")])
            await reader.until("yes", given)
            async with transactions.writing() as unit:
                await unit.grants.change(remove=[RULE])
            taken = time.monotonic()
            await breaks[number % len(breaks)](database)
            spent.append(await reader.until("no", taken) - taken)
            stale += sum(found == "yes" and began > taken + BOUND for began, found in reader.said)
            reader.said.clear()
    await database.close()
    return spent, stale


def main() -> int:
    """0 when no answer was stale on either database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--read", default="")
    chosen = parser.parse_args()
    if chosen.read:
        asyncio.run(reading(chosen.read))
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="fsp-feed-") as folder, postgres_server() as server:
        kinds: tuple[tuple[str, str, tuple[Break, ...]], ...] = (
            ("sqlite", f"sqlite:///{Path(folder)}/identity.db", (nothing, lose)),
            ("postgres", server.database("feed"), (nothing, lose, kill, pause)),
        )
        for name, url, breaks in kinds:
            spent, stale = asyncio.run(proved(url, chosen.rounds, breaks))
            wrong += stale
            half, worst = statistics.median(spent), max(spent)
            print(f"{name}: {chosen.rounds} rounds, median {half * 1000:.0f} ms, worst {worst * 1000:.0f} ms", end=", ")
            print(f"{stale} stale answers after a second")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
