"""AuditStore and SubjectKeyStore over plain dicts."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.audit.cause import present_cause
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.models import HeadKey, Kept, Staged, Wanted
from au_sys_identity.core.audit.recording import draft
from au_sys_identity.core.audit.tree import Coordinate
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import SubjectId


class MemoryAudit:
    """Events, places, nodes and heads."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def staged(self, *, since: datetime | None, limit: int) -> list[Kept]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        placed = set(self._tables.audit_places.values())
        found = [kept for kept in self._tables.audit_events.values() if kept.id not in placed]
        return sorted((kept for kept in found if since is None or kept.at >= since), key=lambda kept: kept.id)[:limit]

    async def unplaced(self, limit: int) -> list[Staged]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return [Staged(kept.id, kept.at) for kept in await self.staged(since=None, limit=limit)]

    async def size(self) -> int:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return max(self._tables.audit_places, default=-1) + 1

    async def nodes(self, places: Sequence[Coordinate]) -> dict[Coordinate, bytes]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return {place: self._tables.audit_nodes[place] for place in places if place in self._tables.audit_nodes}

    async def sequence(self, first: int, events: Sequence[Kept], nodes: Mapping[Coordinate, bytes]) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        placed = set(self._tables.audit_places.values())
        if any(
            event.id in placed or first + number in self._tables.audit_places for number, event in enumerate(events)
        ):
            raise Conflict("leaf_index")
        self._tables.audit_places.update({first + number: event.id for number, event in enumerate(events)})
        self._tables.audit_nodes.update(nodes)

    async def leaves(self, start: int, limit: int) -> list[Kept]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        places = sorted(place for place in self._tables.audit_places if place >= start)[:limit]
        nothing = datetime.min.replace(tzinfo=UTC)
        return [
            await self.at(place)
            or Kept(self._tables.audit_places[place], nothing, "", place, self._tables.audit_nodes[(0, place)])
            for place in places
        ]

    async def nodes_completed(self, start: int, end: int) -> dict[Coordinate, bytes]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return {
            (level, position): hashed
            for (level, position), hashed in self._tables.audit_nodes.items()
            if level and start < (position + 1) << level <= end
        }

    async def dropped(self) -> int:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return max(self._tables.audit_dropped, default=0)

    async def drop(self, below: int, *, at: datetime) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        for place in range(await self.dropped(), below):
            self._tables.audit_events.pop(self._tables.audit_places[place])
        self._tables.audit_dropped[below] = at

    async def get(self, event_id: UUID) -> Kept | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        found = [place for place, known in self._tables.audit_places.items() if known == event_id]
        return await self.at(found[0]) if found else None

    async def at(self, leaf_index: int) -> Kept | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        event_id = self._tables.audit_places.get(leaf_index)
        kept = None if event_id is None else self._tables.audit_events.get(event_id)
        if kept is None:
            return None
        return Kept(kept.id, kept.at, kept.body, leaf_index, self._tables.audit_nodes[(0, leaf_index)])

    async def find(self, wanted: Wanted) -> list[Kept]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        before = 2**62 if wanted.before is None else wanted.before
        places = sorted((place for place in self._tables.audit_places if place < before), reverse=True)
        found = [kept for place in places if (kept := await self.at(place)) is not None and _fits(kept, wanted)]
        return found[: wanted.limit]

    async def add_head(self, head: Head) -> bool:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        if head.tree_size in self._tables.audit_heads:
            return False
        self._tables.audit_heads[head.tree_size] = head
        return True

    async def heads(self, after: int, limit: int) -> list[Head]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        sizes = sorted(size for size in self._tables.audit_heads if size > after)[:limit]
        return [self._tables.audit_heads[size] for size in sizes]

    async def head_of(self, tree_size: int) -> Head | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return self._tables.audit_heads.get(tree_size)

    async def latest_head(self) -> Head | None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return self._tables.audit_heads.get(max(self._tables.audit_heads, default=-1))

    async def head_keys(self) -> list[HeadKey]:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        return list(self._tables.audit_keys.values())

    async def add_head_key(self, key: HeadKey) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.AuditStore`."""
        self._tables.audit_keys[key.key_id] = key


class MemorySubjectKeys:
    """Seals nothing; a destroyed key opens nothing all the same."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def unsealed(self, subject_id: SubjectId, place: str, sealed: bytes) -> bytes | None:
        """See :class:`~au_sys_identity.core.audit.ports.SubjectKeyStore`."""
        return None if subject_id in self._tables.destroyed_keys else sealed

    async def destroy(self, subject_id: SubjectId, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.audit.ports.SubjectKeyStore`."""
        if subject_id in self._tables.destroyed_keys:
            return False
        self._tables.destroyed_keys[subject_id] = at
        return True


def write_events(tables: Tables, facts: Sequence[Fact], at: datetime) -> None:
    """Stage the events of a transaction."""
    for fact in facts:
        made = draft(fact, present_cause(), uuid7(), at)
        gone = made.concerned in tables.destroyed_keys
        body = made.body(None if made.concerned is None else b"" if gone else made.details)
        tables.audit_events[made.id] = Kept(made.id, at, body)


def _fits(kept: Kept, wanted: Wanted) -> bool:
    body = json.loads(kept.body)
    return (
        all(not getattr(wanted, name) or body[name] == getattr(wanted, name) for name in ("actor", "target", "outcome"))
        and str(body["action"]).startswith(wanted.action)
        and (wanted.since is None or kept.at >= wanted.since)
        and (wanted.until is None or kept.at < wanted.until)
    )
