"""The graph of this process: loaded once, and brought up to date by the feed before it is asked."""

import asyncio
from datetime import datetime

from au_sys_identity.core.freshness import GRAPH, Freshness
from au_sys_identity.core.graph.index import GraphIndex
from au_sys_identity.core.graph.models import RELATIONS, Relation
from au_sys_identity.core.graph.ports import FeedEntry
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.subjects.models import Status, SubjectId, SubjectKind, person_id
from au_sys_identity.core.subjects.ports import Standing

_MOST_AT_ONCE = 5000
"""Changes after which loading anew is no slower than following."""


class LiveGraph:
    """Gives the index as it was at most 250 ms ago, whichever process changed it."""

    def __init__(self, transactions: Transactions, freshness: Freshness, clock: Clock) -> None:
        self._transactions = transactions
        self._freshness = freshness
        self._clock = clock
        self._index: GraphIndex | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> GraphIndex:
        """The index, without edges that have run out."""
        version = await self._freshness.version(GRAPH)
        index = self._index
        if index is None or index.revision < version:
            async with self._lock:
                index = self._index
                if index is None or index.revision < version:
                    index = await self._caught_up(index)
                    self._index = index
        return index.advance(self._clock())

    async def reload(self) -> GraphIndex:
        """Load it anew."""
        async with self._lock:
            self._index = await self._loaded()
            return self._index.advance(self._clock())

    async def _caught_up(self, index: GraphIndex | None) -> GraphIndex:
        if index is None:
            return await self._loaded()
        async with self._transactions.reading() as unit:
            entries = await unit.feed.since(GRAPH, index.revision)
        if entries is None or len(entries) > _MOST_AT_ONCE:
            return await self._loaded()
        for entry in entries:
            follow(index, entry)
        return index

    async def _loaded(self) -> GraphIndex:
        index = GraphIndex()
        async with self._transactions.reading() as unit:
            # read first: what changes while the rest is read comes again through the feed, and changes nothing twice
            revision = (await unit.versions.read()).get(GRAPH, 0)
            async for subjects in unit.names.every():
                for subject in subjects:
                    index.put(subject)
                await asyncio.sleep(0)  # others have their turn between portions
            async for links in unit.edges.every():
                for link in links:
                    index.link(*link)
                await asyncio.sleep(0)  # as above
        index.revision = revision
        return index


def follow(index: GraphIndex, entry: FeedEntry) -> None:
    """Apply one change."""
    told = entry.payload
    if entry.operation == "subject":
        index.put(
            Standing(_id(told["id"]), _kind(told["kind"]), _status(told["status"]), _id_or_none(told.get("provider")))
        )
    else:
        ends = _id(told["source"]), _relation(told["relation"]), _id(told["target"])
        if entry.operation == "link":
            end = told.get("end")
            index.link(*ends, datetime.fromisoformat(str(end)) if end else None)
        else:
            index.unlink(*ends)
    index.revision = entry.version


def _id(value: object) -> SubjectId:
    found = person_id(str(value))
    if found is None:
        raise ValueError(f"{value!r} is no id")
    return found


def _id_or_none(value: object) -> SubjectId | None:
    return _id(value) if value else None


def _relation(value: object) -> Relation:
    return next(relation for relation in RELATIONS if relation == value)


def _kind(value: object) -> SubjectKind:
    return _KINDS[str(value)]


def _status(value: object) -> Status:
    return _STATUSES[str(value)]


_KINDS: dict[str, SubjectKind] = {kind: kind for kind in ("person", "app", "agent", "provider", "group")}
_STATUSES: dict[str, Status] = {status: status for status in ("pending", "active", "disabled", "closed")}
