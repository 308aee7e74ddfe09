"""Two processes on one database: what one withdraws, the other denies; whatever breaks in between, nobody is let in."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
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
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

ANN = "urn:au:app:ann"
RULE = Rule(ANN, "default", "/papers/*", "read")


@dataclass
class Node:
    """One process on the database."""

    database: Database
    transactions: SqlTransactions
    freshness: Freshness
    policy: LivePolicy

    async def change(self, *, add: Rule | None = None, remove: Rule | None = None) -> int:
        policies = [] if add is None else [Policy(uuid7(), add, utc_now(), "urn:au:system:test")]
        async with self.transactions.writing() as unit:
            await unit.grants.change(add=policies, remove=[] if remove is None else [remove])
            return unit.grants.revision

    async def may(self, resource: str = "/papers/1") -> bool:
        return (await self.policy.current()).enforce(ANN, "default", resource, "read")


def a_node(url: str) -> Node:
    database = Database("identity", url)
    transactions = SqlTransactions(database, PersonalKeys(RootKey(bytes(range(32)))))
    freshness = Freshness(transactions)
    engine = CompiledEngine(kind_of=kind_of)
    policy = LivePolicy(transactions, freshness, Catalogue(), engine, patience=0.1)
    return Node(database, transactions, freshness, policy)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Node]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/identity.db"
    else:
        url = request.getfixturevalue("server").database("identity_nodes")
    made = a_node(url)
    await made.database.migrate(MIGRATIONS)
    yield made
    await made.database.close()


class Other:
    """The second process."""

    def __init__(self, url: str) -> None:
        script = Path(__file__).with_name("second_process.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
        )

    def wait_until(self, wanted: bool) -> dict[str, Any]:  # Any: JSON
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([ANN, "/papers/1", wanted]).encode() + b"\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())  # Any: as above
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()


async def test_what_one_process_withdraws_the_other_denies(node: Node) -> None:
    """Grants and withdrawals of one process are what the other answers by, in their order."""
    other = await asyncio.to_thread(Other, _address(node.database))
    try:
        for _ in range(5):
            given = await node.change(add=RULE)
            seen = await asyncio.to_thread(other.wait_until, True)
            assert (seen["allowed"], seen["revision"]) == (True, given)
            taken = await node.change(remove=RULE)
            seen = await asyncio.to_thread(other.wait_until, False)
            assert (seen["allowed"], seen["revision"]) == (False, taken)
    finally:
        await asyncio.to_thread(other.close)


async def test_a_lost_feed_is_a_full_load(node: Node) -> None:
    """When entries are missing, the rules are loaded anew; nothing stale is answered."""
    await node.change(add=RULE)
    second = a_node(_address(node.database))
    assert await second.may()
    await node.change(remove=RULE)
    await node.change(add=Rule(ANN, "default", "/other", "read"))
    async with node.database.session(write=True) as session, session.begin():
        await session.execute(text("DELETE FROM feed WHERE topic = 'access'"))
    engine = await second.policy.at_least((await node.policy.current()).revision)
    assert not engine.enforce(ANN, "default", "/papers/1", "read")
    assert engine.enforce(ANN, "default", "/other", "read")
    await second.database.close()


async def test_a_check_waits_for_a_version_and_gives_up_on_one_that_never_comes(node: Node) -> None:
    """``at_least`` catches up first and waits for what is under way; a version that never comes is refused."""
    second = a_node(_address(node.database))
    assert not await second.may()
    revision = await node.change(add=RULE)
    assert (await second.policy.at_least(revision)).enforce(ANN, "default", "/papers/1", "read")
    with pytest.raises(PolicyBehind):
        await second.policy.at_least(revision + 1)
    second.policy._patience = 30.0
    waiting = asyncio.create_task(second.policy.at_least(revision + 1))
    await asyncio.sleep(0)
    assert await node.change(remove=RULE) == revision + 1
    assert not (await waiting).enforce(ANN, "default", "/papers/1", "read")
    await second.database.close()


async def test_incremental_and_loaded_rules_are_the_same(node: Node) -> None:
    """After changes that one process followed, another that starts afresh answers alike."""
    assert not await node.may()
    for number in range(20):
        await node.change(add=Rule(ANN, "default", f"/{number}/:x", "read"))
    for number in range(0, 20, 3):
        await node.change(remove=Rule(ANN, "default", f"/{number}/:x", "read"))
    fresh = a_node(_address(node.database))
    asked = [f"/{number}/1" for number in range(21)]
    assert [await node.may(one) for one in asked] == [await fresh.may(one) for one in asked]
    assert sorted((await node.policy.current()).save_policy()[0]) == sorted(
        (await fresh.policy.current()).save_policy()[0]
    )
    await fresh.database.close()


@pytest.mark.needs_postgres
async def test_a_paused_database_lets_nobody_in(server: PostgresServer) -> None:
    """While versions cannot be read, checks are refused as behind; afterwards they go on without a restart."""
    node = a_node(server.database("identity_paused"))
    await node.database.migrate(MIGRATIONS)
    await node.change(add=RULE)
    assert await node.may()
    async with node.database.engine.connect() as lock:
        await lock.execute(text("LOCK TABLE versions IN ACCESS EXCLUSIVE MODE"))
        node.freshness.expire()
        with pytest.raises(PolicyBehind):
            await node.may()
        await lock.rollback()
    assert await node.may()
    await node.database.close()


@pytest.mark.needs_postgres
async def test_a_killed_listener_comes_back(server: PostgresServer) -> None:
    """PostgreSQL tells of changes; when the listening connection is killed, another takes its place."""
    node = a_node(server.database("identity_feed"))
    await node.database.migrate(MIGRATIONS)
    heard = asyncio.Event()
    feed = ChangeFeed(node.database, heard.set)
    await feed.start()
    await asyncio.wait_for(feed.listening.wait(), 30)
    for _ in range(2):
        heard.clear()
        await node.change(add=Rule(ANN, "default", f"/{time.monotonic_ns()}", "read"))
        await asyncio.wait_for(heard.wait(), 30)
        listening = "query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
        kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}"
        async with node.database.session() as session:
            await session.execute(text(kill))
        while feed.listening.is_set():
            await asyncio.sleep(0.01)
        await asyncio.wait_for(feed.listening.wait(), 30)
    await feed.stop()
    await node.database.close()


def _address(database: Database) -> str:
    return database.url.set(drivername=database.dialect).render_as_string(hide_password=False)
