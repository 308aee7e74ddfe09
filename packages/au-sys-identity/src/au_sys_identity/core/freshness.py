"""State kept in memory and never older than a moment: versions of topics are asked for before it is used."""

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType

from au_sys_identity.core.ports import Transactions

ACCESS = "access"
SUBJECTS = "subjects"
SETTINGS = "settings"
MAINTENANCE = "maintenance"
"""Odd while a restore is under way."""
GRAPH = "graph"
_FRESH_SECONDS = 0.05


class Freshness:
    """The newest known version of each topic.

    Changes made in this process are noticed at once (:meth:`expire`), those of other processes within 50 ms.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._versions: Mapping[str, int] = MappingProxyType({})
        self._asked = float("-inf")
        self._changes = 0
        self._lock = asyncio.Lock()
        transactions.subscribe(self.expire)

    def expire(self) -> None:
        """Ask again before the next answer; called after every change."""
        self._changes += 1
        self._asked = float("-inf")

    def known(self, topic: str) -> int | None:
        """The version of a topic, when it need not be asked for."""
        return self._versions.get(topic, 0) if time.monotonic() - self._asked <= _FRESH_SECONDS else None

    async def version(self, topic: str) -> int:
        """The version of a topic as of at most 50 ms ago."""
        if time.monotonic() - self._asked > _FRESH_SECONDS:
            async with self._lock:
                if time.monotonic() - self._asked > _FRESH_SECONDS:
                    began, changes = time.monotonic(), self._changes
                    async with self._transactions.reading() as unit:
                        self._versions = await unit.versions.read()
                    if changes == self._changes:  # else a change came meanwhile, and may not be among what was read
                        self._asked = began
        return self._versions.get(topic, 0)
