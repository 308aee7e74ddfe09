"""Documents in dictionaries with sorted keys: the reference model that every other backend is compared with."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from msgspec.structs import replace

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.changes import Arrival
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import plan
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import FeedCompacted, Unavailable
from au_sys_storage_sdk.core.paging import Page

_WINDOW = 2000


class MemoryDocuments:
    """A DocumentStore that lives as long as the process."""

    name = "memory"
    features = frozenset({Feature.CAS, Feature.SCAN, Feature.TTL, Feature.TXN, Feature.WATCH})

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._records: dict[Space, dict[str, Stored]] = {}
        self._keys: dict[Space, list[str]] = {}
        self._last: dict[Space, int] = {}
        self._changes: list[Change] = []
        self._compacted = 0
        self._arrival = Arrival()
        self._standing = Standing()
        self._closed = False

    def _live(self, space: Space, key: str) -> Stored | None:
        found = self._records.get(space, {}).get(key)
        if found is not None and found.expires is not None and found.expires <= self._clock():
            return None
        return found

    def _open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed")

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        self._open()
        return self._live(space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        found = await self.get(space, key)
        return None if found is None else replace(found, value=b"")

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        self._open()
        self._standing.admit(self.name, self._standing)
        made = plan(operations, self._live, self._arrival.sequence, self._clock())
        for (space, key), record in made.records.items():
            self._place(space, key, record)
        self._note(made.changes)
        return made.outcomes

    def _place(self, space: Space, key: str, record: Stored | None) -> None:
        records, keys = self._records.setdefault(space, {}), self._keys.setdefault(space, [])
        if record is None:
            if records.pop(key, None) is not None:
                keys.pop(bisect_right(keys, key) - 1)
            return
        if key not in records:
            insort(keys, key)
        records[key] = record

    def _note(self, changes: list[Change]) -> None:
        self._changes += changes
        for change in changes:
            self._last[change.space] = change.seq
        if changes:
            self._arrival.advance(changes[-1].seq)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        self._open()
        items: list[Stored] = []
        size = 0
        for key in self._from(space, prefix, after):
            found = self._live(space, key)
            if found is None:
                continue
            size += 0 if keys_only else len(found.value)
            if len(items) == limit or (items and size > max_bytes):
                return Page(tuple(items), items[-1].key)
            items.append(replace(found, value=b"") if keys_only else found)
        return Page(tuple(items))

    def _from(self, space: Space, prefix: str, after: str) -> list[str]:
        keys = self._keys.get(space, [])
        start = bisect_right(keys, after) if after >= prefix else bisect_right(keys, prefix) - (prefix in keys)
        taken = []
        for key in keys[start:]:
            if not key.startswith(prefix):
                break
            taken.append(key)
        return taken

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        self._open()
        return sum(self._live(space, key) is not None for key in self._from(space, prefix, ""))

    async def sequence(self, space: Space | None = None) -> int:
        """See the port."""
        return self._arrival.sequence if space is None else self._last.get(space, 0)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        self._open()
        if since < self._compacted:
            raise FeedCompacted(since, self._arrival.sequence)
        start = bisect_right(self._changes, since, key=lambda change: change.seq)
        window = self._changes[start : start + _WINDOW]
        wanted = [change for change in window if space is None or change.space == space]
        if len(wanted) > limit:
            return wanted[:limit], wanted[limit - 1].seq
        return wanted, window[-1].seq if window else since

    async def wait(self, since: int) -> None:
        """See the port."""
        await self._arrival.wait(since)

    async def compact(self, keep: int) -> int:
        """See the port."""
        forgotten = self._changes[: max(len(self._changes) - keep, 0)]
        if forgotten:
            self._compacted = forgotten[-1].seq
            del self._changes[: len(forgotten)]
        return len(forgotten)

    async def sweep(self) -> int:
        """See the port."""
        self._standing.admit(self.name, self._standing)
        now, sequence = self._clock(), self._arrival.sequence
        changes: list[Change] = []
        for space, records in self._records.items():
            for key in [key for key, found in records.items() if found.expires is not None and found.expires <= now]:
                sequence += 1
                changes.append(Change(sequence, space, key, "expire", now))
        for change in changes:
            self._place(change.space, change.key, None)
        self._note(changes)
        return len(changes)

    async def replicate(self, replica: Replica) -> None:
        """See the port."""
        self._open()
        for (space, key), record in replica.records.items():
            self._place(space, key, record)
        known = self._changes[-1].seq if self._changes else 0
        self._changes += [change for change in replica.changes if change.seq > known]
        for space, seen in replica.last.items():
            self._last[space] = max(seen, self._last.get(space, 0))
        if replica.compacted is not None:
            self._compacted = replica.compacted
        self._arrival.advance(replica.sequence)

    async def standing(self) -> Standing:
        """See the port."""
        self._open()
        return self._standing

    async def stand(self, standing: Standing) -> None:
        """See the port."""
        self._open()
        self._standing = standing

    async def erase(self) -> None:
        """See the port."""
        self._open()
        for known in (self._records, self._keys, self._last, self._changes):
            known.clear()
        self._compacted = self._arrival.sequence = 0

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port."""
        return [
            SpaceUsage(space.tenant, space.namespace, len(records), size, self._last[space])
            for space, records in sorted(self._records.items())
            if records
            for size in [sum(len(found.value) for found in records.values())]
        ]

    async def ping(self) -> None:
        """See the port."""
        self._open()

    async def close(self) -> None:
        """Refuse what comes and let those who wait go."""
        self._closed = True
        self._arrival.close()
