"""A second process on the same database: asks the engine, and says what it saw and when."""

import asyncio
import json
import sys
import time

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.change_feed import ChangeFeed
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.core.access.live import LivePolicy, kind_of
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.freshness import Freshness
from fastapi_services_platform import Database


async def main(url: str) -> None:
    """Read questions from standard input, one JSON list a line: subject, resource, and the answer to wait for."""
    database = Database("identity", url)
    transactions = SqlTransactions(database, PersonalKeys(RootKey(bytes(range(32)))))
    freshness = Freshness(transactions)
    policy = LivePolicy(transactions, freshness, Catalogue(), CompiledEngine(kind_of=kind_of))
    feed = ChangeFeed(database, freshness.expire)
    await feed.start()
    if database.dialect == "postgresql":
        await feed.listening.wait()
    while line := await asyncio.to_thread(sys.stdin.readline):
        subject, resource, wanted = json.loads(line)
        deadline = time.monotonic() + 30
        while True:
            engine = await policy.current()
            allowed = engine.enforce(subject, "default", resource, "read")
            if allowed is wanted or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.001)
        seen = {"allowed": allowed, "revision": engine.revision, "at": time.monotonic()}
        sys.stdout.write(json.dumps(seen) + "\n")
        sys.stdout.flush()
    await feed.stop()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
