"""See which rows a transaction changes: what can be taken back, and which credentials it ends."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Delete, Insert, Table, Update, event, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState

from au_sys_identity.adapters.db.evidence.personal import SqlSubjectKeys
from au_sys_identity.adapters.db.evidence.rows import (
    Row,
    key_of,
    owner_of,
    plain_row,
    plain_values,
    sealed_row,
    typed_row,
)
from au_sys_identity.adapters.db.tables import change_log, metadata, revocations
from au_sys_identity.adapters.db.tables.recovery import TRACKED
from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.recovery.models import SYSTEM, VOLATILE, is_reversible
from au_sys_identity.core.subjects.models import SubjectId

_CREDENTIALS = frozenset({"api_keys", "passwords", "passkeys", "totp_secrets", "recovery_codes", "linked_logins"})
_WATCHED = TRACKED | _CREDENTIALS
_LONGEST = 200


@dataclass(slots=True)
class Image:
    """A row before and after; ``None`` where it was not there."""

    table: Table
    before: Row | None
    after: Row | None = None

    @property
    def changed(self) -> bool:
        """Whether anything but counters differs."""
        return without_counters(self.before) != without_counters(self.after)


@dataclass(slots=True)
class Watch:
    """Listens to the statements of one session."""

    session: AsyncSession
    paused: bool = False
    _images: dict[tuple[str, str], Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        event.listen(self.session.sync_session, "do_orm_execute", self._seen)

    async def images(self) -> list[Image]:
        """Rows that were really changed."""
        for (name, key), image in self._images.items():
            table = metadata.tables[name]
            wanted = typed_row(table, dict(zip(table.primary_key.columns.keys(), json.loads(key), strict=True)))
            query = select(table).where(*(table.c[column] == value for column, value in wanted.items()))
            found = (await self.session.execute(query)).mappings().first()
            image.after = None if found is None else plain_row(table, found)
        return [image for image in self._images.values() if image.changed]

    def _seen(self, state: ORMExecuteState) -> None:
        statement = state.statement
        if self.paused or not isinstance(statement, Insert | Update | Delete):
            return
        table = statement.table
        if not isinstance(table, Table) or table.name not in _WATCHED:
            return
        if isinstance(statement, Insert):
            for values in _inserted(statement, state.parameters):
                row = {column.name: values.get(column.name) for column in table.primary_key.columns}
                key = key_of(table, plain_values(row))
                self._images.setdefault((table.name, key), Image(table, None))
            return
        query = select(table)
        if statement.whereclause is not None:
            query = query.where(statement.whereclause)
        for found in state.session.execute(query).mappings():
            before = plain_row(table, found)
            self._images.setdefault((table.name, key_of(table, before)), Image(table, before))


def without_counters(row: Mapping[str, object] | None) -> Row | None:
    """What people would call the content of a row."""
    return None if row is None else {name: value for name, value in row.items() if name not in VOLATILE}


class Unit(Protocol):
    """The part of a unit of work that is needed here."""

    facts: list[Fact]
    change_id: UUID
    subject_keys: SqlSubjectKeys


async def write_change(session: AsyncSession, images: Sequence[Image], unit: Unit, root: Sealing, at: datetime) -> None:
    """Keep the images of one transaction, when there are any that can be taken back."""
    tracked = [image for image in images if image.table.name in TRACKED]
    if not tracked:
        return
    first = unit.facts[0] if unit.facts else Fact("changed", SYSTEM, f"urn:au:{tracked[0].table.name}")
    kept = [
        {
            "table": image.table.name,
            "before": await _sealed(image.table, image.before, unit.subject_keys, at),
            "after": await _sealed(image.table, image.after, unit.subject_keys, at),
        }
        for image in tracked
    ]
    await session.execute(
        insert(change_log).values(
            id=unit.change_id,
            at=at,
            actor=first.actor[:_LONGEST],
            summary=first.action,
            entity=first.action.partition(".")[0],
            entity_id=first.resource[:_LONGEST],
            images_enc=root.seal(f"change_log:{unit.change_id}", json.dumps(kept).encode()),
            reversible=is_reversible([fact.action for fact in unit.facts]),
        )
    )


async def write_revocations(session: AsyncSession, images: Sequence[Image], at: datetime) -> None:
    """Note every credential that ended and every subject that may act no longer; the ledger takes it from there."""
    rows = [
        {"id": uuid7(), "at": at, "kind": kind, "what": what}
        for image in images
        if (found := _ended(image))
        for kind, what in found
    ]
    if rows:
        await session.execute(insert(revocations), rows)


def _ended(image: Image) -> list[tuple[str, str]]:
    before, after, name = image.before, image.after, image.table.name
    if before is None:
        return []
    if name == "subjects":
        status = "closed" if after is None else str(after["status"])
        return [(f"subject.{status}", str(before["id"]))] if status != before["status"] else []
    if name == "api_keys":
        ended = after is None or (after["revoked_at"] is not None and before["revoked_at"] is None)
        replaced = after is not None and after["superseded_by"] is not None and before["superseded_by"] is None
        return [("key.ended", str(before["id"]))] if ended or replaced else []
    if name == "passwords":
        kept = after is not None and after["changed_at"] == before["changed_at"]
        return [] if kept else [("password.replaced", str(before["subject_id"]))]
    if name == "totp_secrets":
        kept = after is not None and after["secret_enc"] == before["secret_enc"]
        return [] if kept else [("totp.removed", str(before["subject_id"]))]
    if name in ("passkeys", "linked_logins") and after is None:
        return [(f"{name.removesuffix('s')}.removed", str(before["id"]))]
    if name == "recovery_codes" and after is None:
        return [("recovery_code.used", str(before["subject_id"]))]
    return []


async def _sealed(table: Table, row: Row | None, keys: SqlSubjectKeys, at: datetime) -> Row | None:
    owner = None if row is None else owner_of(table, row)
    if row is None or owner is None:
        return row
    return sealed_row(table, row, await keys.key(SubjectId(owner), at))


def _inserted(statement: Insert, parameters: Any) -> Sequence[Mapping[str, Any]]:  # Any: what the session was given
    if isinstance(parameters, list | tuple):
        return [dict(one) for one in parameters]
    if parameters:
        return [dict(parameters)]
    return [dict(statement.compile().params)]
