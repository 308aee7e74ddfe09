"""B12: what an event adds to its transaction, and an inclusion proof in a log of a million leaves; on SQLite.

Times are CPU milliseconds of this process and all its threads; the commit is waited for with or without an event.

``python tests/benchmarks/policy/evidence.py`` prints it alone; ``just bench policy`` prints it with the engine's.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.benchmarks.policy.graph import Figure

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.audit.tree import Frontier, leaf_hash
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import SubjectId, subject_urn
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database

LEAVES, KNOWN, ROUNDS = 1_000_000, 1000, 200
_LEAF = "INSERT INTO audit_leaves (leaf_index, event_id, leaf_hash) VALUES (?, ?, ?)"
_NODE = "INSERT INTO audit_nodes (level, position, hash) VALUES (?, ?, ?)"
Row = tuple[object, ...]


class NoSigner:
    """Heads without a signature: signing is not measured here."""

    async def sign(self, head: Head) -> Head:
        """The same head."""
        return Head(head.tree_size, head.root_hash, head.at, "none", bytes(64))

    async def trusted(self) -> dict[str, bytes]:
        """No key."""
        return {}

    async def checks(self) -> Callable[[str, bytes, bytes], bool]:
        """Nothing is checked."""
        return lambda _key, _signed, _signature: True


def _now() -> datetime:
    return datetime.now(UTC)


async def _spent(work: Callable[[], Awaitable[object]], times: int) -> float:
    found = []
    for _ in range(times):
        began = time.process_time()
        await work()
        found.append((time.process_time() - began) * 1000)
    return statistics.median(found)


async def appending(transactions: SqlTransactions) -> list[Figure]:
    """The same transaction with an event and without one, alternately; the topic is what makes it a change."""
    person = subject_urn("person", SubjectId(uuid7()))

    async def change(facts: int) -> None:
        async with transactions.writing() as unit:
            await unit.versions.raise_topic("bench")
            for number in range(facts):
                unit.record(Fact("access.asked", person, "urn:au:role:x", details={"role": "reader", "n": number}))

    with_one, without, with_many = [], [], []
    for _ in range(ROUNDS // 20):
        without.append(await _spent(lambda: change(0), 10))
        with_one.append(await _spent(lambda: change(1), 10))
        with_many.append(await _spent(lambda: change(50), 1))
    added = statistics.median([one - none for one, none in zip(with_one, without, strict=True)])
    each = statistics.median([many - none for many, none in zip(with_many, without, strict=True)]) / 50
    return [
        Figure("a change without an event, CPU", statistics.median(without), "ms"),
        Figure("what one event adds (audit append), CPU", added, "ms", 0.5),
        Figure("each of fifty events of one change, CPU", each, "ms", 0.5),
    ]


async def proving(transactions: SqlTransactions, file: Path) -> list[Figure]:
    """Proofs of events spread over a log of a million leaves, in its newest head."""
    ids = [uuid7() for _ in range(KNOWN)]
    bodies = {index * (LEAVES // KNOWN): one for index, one in enumerate(ids)}
    await asyncio.to_thread(_grow, file, bodies)
    sequencing = Sequencing(transactions, NoSigner(), [], _now, head_every=timedelta(hours=1))
    audit = Audit(transactions, sequencing, NoSigner(), [], _now)
    await audit.latest_head()
    places: Iterator[int] = iter(list(bodies)[:ROUNDS])
    spent = await _spent(lambda: audit.prove_inclusion(leaf_index=next(places)), ROUNDS)
    return [Figure(f"inclusion proof at {LEAVES} leaves, CPU", spent, "ms", 5)]


def _grow(file: Path, known: Mapping[int, object]) -> None:
    """Lay down a log whose events, but for a few, are not kept: a proof reads hashes only."""
    database = sqlite3.connect(file)
    start = int(database.execute("SELECT coalesce(max(leaf_index) + 1, 0) FROM audit_leaves").fetchone()[0])
    if start:
        raise RuntimeError("the log is not empty")
    frontier = Frontier()
    leaves: list[Row] = []
    nodes: list[Row] = []
    for index in range(LEAVES):
        event, body = known.get(index), f'{{"n": {index}}}'
        hashed = leaf_hash(body.encode())
        name = str(event).replace("-", "") if event else f"{index:032x}"
        if event:
            database.execute(
                "INSERT INTO audit_events (id, at, body) VALUES (?, ?, ?)", (name, "2026-03-01 00:00:00.000000", body)
            )
        leaves.append((index, name, hashed))
        nodes += [(level, position, root) for (level, position), root in frontier.append(hashed)]
    database.executemany(_LEAF, leaves)
    database.executemany(_NODE, nodes)
    database.commit()
    database.close()


async def measured() -> list[Figure]:
    """All of it, on a file of its own."""
    with tempfile.TemporaryDirectory(prefix="fsp-evidence-") as folder:
        file = Path(folder) / "identity.db"
        database = Database("identity", f"sqlite:///{file}")
        await database.migrate(MIGRATIONS)
        transactions = SqlTransactions(database, PersonalKeys(RootKey(bytes(range(32)))))
        found = await proving(transactions, file)
        found += await appending(transactions)
        await database.close()
    return found


def figures() -> list[Figure]:
    """The lines of the table."""
    return asyncio.run(measured())


if __name__ == "__main__":
    lines = figures()
    for line in lines:
        print(line)
    sys.exit(0 if all(line.met for line in lines) else 1)
