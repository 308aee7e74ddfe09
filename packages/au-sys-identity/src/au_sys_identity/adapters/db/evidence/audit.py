"""AuditStore on SQL."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, and_, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import (
    audit_dropped,
    audit_events,
    audit_heads,
    audit_index,
    audit_keys,
    audit_leaves,
    audit_nodes,
)
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.models import HeadKey, Kept, Staged, Wanted
from au_sys_identity.core.audit.tree import Coordinate
from au_sys_identity.core.errors import Conflict

_PLACES_AT_ONCE = 200
_LONGEST = {"actor": 200, "action": 120, "target": 400, "organization": 64, "outcome": 20}


class SqlAudit:
    """The tables ``audit_*``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def staged(self, *, since: datetime | None, limit: int) -> list[Kept]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        query = _unplaced().order_by(audit_events.c.id).limit(limit)
        if since is not None:
            query = query.where(audit_events.c.id >= _first_id(since))
        return [Kept(row.id, row.at, row.body) for row in await self._session.execute(query)]

    async def unplaced(self, limit: int) -> list[Staged]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        query = _unplaced().order_by(audit_events.c.id).limit(limit)
        return [Staged(row.id, row.at) for row in await self._session.execute(query)]

    async def size(self) -> int:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        last = (await self._session.execute(select(func.max(audit_leaves.c.leaf_index)))).scalar()
        return 0 if last is None else int(last) + 1

    async def nodes(self, places: Sequence[Coordinate]) -> dict[Coordinate, bytes]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        found: dict[Coordinate, bytes] = {}
        leaves = [position for level, position in places if level == 0]
        inner: dict[int, list[int]] = defaultdict(list)
        for level, position in places:
            if level:
                inner[level].append(position)
        if leaves:
            query = select(audit_leaves.c.leaf_index, audit_leaves.c.leaf_hash)
            for row in await self._session.execute(query.where(audit_leaves.c.leaf_index.in_(leaves))):
                found[(0, row.leaf_index)] = row.leaf_hash
        if inner:
            wanted = or_(
                *(
                    and_(audit_nodes.c.level == level, audit_nodes.c.position.in_(positions))
                    for level, positions in inner.items()
                )
            )
            for row in await self._session.execute(select(audit_nodes).where(wanted)):
                found[(row.level, row.position)] = row.hash
        return found

    async def sequence(self, first: int, events: Sequence[Kept], nodes: Mapping[Coordinate, bytes]) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        leaves = [
            {"leaf_index": first + number, "event_id": event.id, "leaf_hash": nodes[(0, first + number)]}
            for number, event in enumerate(events)
        ]
        inner = [
            {"level": level, "position": position, "hash": hashed}
            for (level, position), hashed in nodes.items()
            if level
        ]
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(audit_leaves), leaves)
                if inner:
                    await self._session.execute(insert(audit_nodes), inner)
                await self._session.execute(
                    insert(audit_index), [_columns(first + number, event) for number, event in enumerate(events)]
                )
        except IntegrityError:
            raise Conflict("leaf_index") from None

    async def leaves(self, start: int, limit: int) -> list[Kept]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        query = _placed(outer=True).where(audit_leaves.c.leaf_index >= start)
        rows = await self._session.execute(query.order_by(audit_leaves.c.leaf_index).limit(limit))
        return [_kept(row) for row in rows]

    async def nodes_completed(self, start: int, end: int) -> dict[Coordinate, bytes]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        found: dict[Coordinate, bytes] = {}
        level = 1
        ranges = []
        while 1 << level <= end:
            ranges.append((level, start + 1 >> level, end >> level))
            level += 1
        for part in range(0, len(ranges), _PLACES_AT_ONCE):
            wanted = or_(
                *(
                    and_(audit_nodes.c.level == level, audit_nodes.c.position.between(low - 1, high - 1))
                    for level, low, high in ranges[part : part + _PLACES_AT_ONCE]
                )
            )
            for row in await self._session.execute(select(audit_nodes).where(wanted)):
                if start < (row.position + 1) << row.level <= end:
                    found[(row.level, row.position)] = row.hash
        return found

    async def dropped(self) -> int:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        last = (await self._session.execute(select(func.max(audit_dropped.c.below)))).scalar()
        return int(last or 0)

    async def drop(self, below: int, *, at: datetime) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        start = await self.dropped()
        await self._session.execute(insert(audit_dropped).values(below=below, at=at))
        places = audit_leaves.c.leaf_index.between(start, below - 1)
        gone = select(audit_leaves.c.event_id).where(places)
        await self._session.execute(delete(audit_index).where(audit_index.c.leaf_index.between(start, below - 1)))
        await self._session.execute(delete(audit_events).where(audit_events.c.id.in_(gone)))

    async def get(self, event_id: UUID) -> Kept | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        row = (await self._session.execute(_placed().where(audit_events.c.id == event_id))).first()
        return _kept(row) if row else None

    async def at(self, leaf_index: int) -> Kept | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        row = (await self._session.execute(_placed().where(audit_leaves.c.leaf_index == leaf_index))).first()
        return _kept(row) if row else None

    async def find(self, wanted: Wanted) -> list[Kept]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        query = _placed().join(audit_index, audit_index.c.leaf_index == audit_leaves.c.leaf_index)
        for name in ("actor", "target", "outcome"):
            if value := getattr(wanted, name):
                query = query.where(audit_index.c[name] == value)
        if wanted.action:
            query = query.where(audit_index.c.action.startswith(wanted.action, autoescape=True))
        if wanted.since is not None:
            query = query.where(audit_index.c.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(audit_index.c.at < wanted.until)
        if wanted.before is not None:
            query = query.where(audit_index.c.leaf_index < wanted.before)
        rows = await self._session.execute(query.order_by(audit_index.c.leaf_index.desc()).limit(wanted.limit))
        return [_kept(row) for row in rows]

    async def add_head(self, head: Head) -> bool:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(audit_heads).values(
                        tree_size=head.tree_size,
                        root_hash=head.root_hash,
                        at=head.at,
                        key_id=head.key_id,
                        signature=head.signature,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def heads(self, after: int, limit: int) -> list[Head]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        query = select(audit_heads).where(audit_heads.c.tree_size > after).order_by(audit_heads.c.tree_size)
        return [_head(row) for row in await self._session.execute(query.limit(limit))]

    async def head_of(self, tree_size: int) -> Head | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        row = (await self._session.execute(select(audit_heads).where(audit_heads.c.tree_size == tree_size))).first()
        return _head(row) if row else None

    async def latest_head(self) -> Head | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        query = select(audit_heads).order_by(audit_heads.c.tree_size.desc()).limit(1)
        row = (await self._session.execute(query)).first()
        return _head(row) if row else None

    async def head_keys(self) -> list[HeadKey]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        rows = await self._session.execute(select(audit_keys).order_by(audit_keys.c.created_at))
        return [HeadKey(row.key_id, row.public_key, row.private_enc, row.created_at) for row in rows]

    async def add_head_key(self, key: HeadKey) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        await self._session.execute(
            insert(audit_keys).values(
                key_id=key.key_id,
                public_key=key.public_key,
                private_enc=key.private_sealed,
                created_at=key.created_at,
            )
        )


def _unplaced() -> Select[tuple[UUID, datetime, str]]:
    return (
        select(audit_events.c.id, audit_events.c.at, audit_events.c.body)
        .outerjoin(audit_leaves, audit_leaves.c.event_id == audit_events.c.id)
        .where(audit_leaves.c.event_id.is_(None))
    )


def _placed(*, outer: bool = False) -> Select[tuple[object, ...]]:
    return select(
        audit_leaves.c.event_id,
        audit_leaves.c.leaf_index,
        audit_leaves.c.leaf_hash,
        audit_events.c.at,
        audit_events.c.body,
    ).join(audit_events, audit_events.c.id == audit_leaves.c.event_id, isouter=outer)


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    return Kept(row.event_id, row.at, row.body or "", row.leaf_index, row.leaf_hash)


def _head(row: Row[tuple[object, ...]]) -> Head:
    return Head(row.tree_size, row.root_hash, row.at, row.key_id, row.signature)


def _columns(leaf_index: int, event: Kept) -> dict[str, object]:
    body = json.loads(event.body)
    texts = {name: str(body.get(name) or "")[:longest] for name, longest in _LONGEST.items()}
    return {"leaf_index": leaf_index, "event_id": event.id, "at": event.at, **texts}


def _first_id(since: datetime) -> UUID:
    """The smallest UUIDv7 of that moment."""
    milliseconds = int(since.timestamp() * 1000)
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80)
