"""Changes with their rows before and after, and how one is taken back."""

import json
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.evidence.personal import SqlSubjectKeys
from au_sys_identity.adapters.db.evidence.rows import Row, opened_row, owner_of, plain_row, typed_row
from au_sys_identity.adapters.db.evidence.watching import without_counters
from au_sys_identity.adapters.db.tables import change_log, metadata
from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import NotReversible
from au_sys_identity.core.recovery.models import VOLATILE, Change, RowImage
from au_sys_identity.core.subjects.models import SubjectId


class SqlChanges:
    """The table ``change_log``."""

    def __init__(self, session: AsyncSession, keys: SqlSubjectKeys, root: Sealing) -> None:
        self._session = session
        self._keys = keys
        self._root = root

    async def page(self, before: UUID | None, limit: int) -> list[Change]:
        """Newest first."""
        query = select(change_log).order_by(change_log.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(change_log.c.id < before)
        return [_change(row) for row in (await self._session.execute(query)).mappings()]

    async def get(self, change_id: UUID) -> Change | None:
        """One change."""
        row = (await self._session.execute(select(change_log).where(change_log.c.id == change_id))).mappings().first()
        return None if row is None else _change(row)

    async def later(self, change: Change) -> UUID | None:
        """A later change of the same thing."""
        query = select(change_log.c.id).where(
            change_log.c.entity == change.entity,
            change_log.c.entity_id == change.entity_id,
            change_log.c.id > change.id,
        )
        found: UUID | None = (await self._session.execute(query.order_by(change_log.c.id).limit(1))).scalar()
        return found

    async def images(self, change_id: UUID) -> list[RowImage]:
        """The rows before and after.

        Raises:
            NotReversible: somebody whom it concerns was erased.
        """
        sealed = (
            await self._session.execute(select(change_log.c.images_enc).where(change_log.c.id == change_id))
        ).scalar()
        if sealed is None:
            return []
        kept = json.loads(self._root.unseal(f"change_log:{change_id}", sealed))
        return [
            RowImage(
                one["table"],
                await self._opened(one["table"], one["before"]),
                await self._opened(one["table"], one["after"]),
            )
            for one in kept
        ]

    async def stands(self, image: RowImage) -> bool:
        """Whether the row is still as the change left it."""
        table = metadata.tables[image.table]
        return self._content(table, await self._present(table, image)) == self._content(table, image.after)

    async def put_back(self, images: Sequence[RowImage], now: datetime) -> None:
        """Make every row what it was; counters only grow. A closed account comes back disabled.

        Raises:
            NotReversible: another row stands in the way.
        """
        order = {table.name: number for number, table in enumerate(metadata.sorted_tables)}
        try:
            async with self._session.begin_nested():
                for image in sorted(images, key=lambda one: -order[one.table]):
                    if image.before is None:
                        await self._session.execute(delete(metadata.tables[image.table]).where(*_same(image)))
                for image in sorted(images, key=lambda one: order[one.table]):
                    if image.before is not None:
                        await self._write(image, now)
        except IntegrityError:
            raise NotReversible("another row has taken its place") from None

    async def mark_undone(self, change_id: UUID, by: UUID) -> None:
        """Name the change that took it back."""
        await self._session.execute(update(change_log).where(change_log.c.id == change_id).values(undone_by=by))

    async def forget(self, *, days: int, most: int, now: datetime) -> int:
        """Drop what is too old or too much, a thousand at a time; how many."""
        keep = select(change_log.c.id).order_by(change_log.c.id.desc()).offset(most).limit(1)
        edge = (await self._session.execute(keep)).scalar()
        query = select(change_log.c.id).where(change_log.c.at < now - timedelta(days=days))
        if edge is not None:
            query = select(change_log.c.id).where(
                (change_log.c.at < now - timedelta(days=days)) | (change_log.c.id <= edge)
            )
        gone = list((await self._session.execute(query.limit(1_000))).scalars())
        if gone:
            await self._session.execute(delete(change_log).where(change_log.c.id.in_(gone)))
        return len(gone)

    def _content(self, table: Table, row: Row | None) -> Row | None:
        """What a row says; what is sealed in it is compared in clear, since sealing it anew changes the text."""
        shown = without_counters(row)
        if row is None or shown is None:
            return None
        for column in table.columns:
            value = shown.get(column.name)
            if column.name.endswith("_enc") and value is not None:
                (key,) = table.primary_key.columns
                shown[column.name] = self._root.unseal(f"{table.name}:{row[key.name]}", b64decode(str(value))).hex()
        return shown

    async def _write(self, image: RowImage, now: datetime) -> None:
        table, wanted = metadata.tables[image.table], dict(image.before or {})
        if (
            image.table == "subjects"
            and wanted.get("status") != "closed"
            and (image.after or {}).get("status") == "closed"
        ):
            wanted["status"] = "disabled"
        present = await self._present(table, image)
        values = typed_row(table, wanted)
        for name in VOLATILE & values.keys():
            if name == "updated_at":
                values[name] = now
            elif present is not None:
                grows = name == "version" or wanted[name] != (image.after or wanted)[name]
                values[name] = int(str(present[name])) + int(grows)
        if present is None:
            await self._session.execute(insert(table).values(**values))
        else:
            await self._session.execute(update(table).where(*_same(image)).values(**values))

    async def _present(self, table: Table, image: RowImage) -> Row | None:
        found = (await self._session.execute(select(table).where(*_same(image)))).mappings().first()
        return None if found is None else plain_row(table, found)

    async def _opened(self, name: str, row: Row | None) -> Row | None:
        if row is None:
            return None
        table = metadata.tables[name]
        owner = owner_of(table, row)
        key = None if owner is None else await self._keys.stored(SubjectId(owner))
        opened = opened_row(table, row, key)
        if opened is None:
            raise NotReversible("the person whom it concerns was erased")
        return opened


def _same(image: RowImage) -> list[ColumnElement[bool]]:
    table = metadata.tables[image.table]
    row = image.before or image.after or {}
    keys = typed_row(table, {column.name: row[column.name] for column in table.primary_key.columns})
    return [table.c[name] == value for name, value in keys.items()]


def _change(kept: RowMapping) -> Change:
    return Change(
        kept["id"],
        kept["at"],
        kept["actor"],
        kept["summary"],
        kept["entity"],
        kept["entity_id"],
        kept["reversible"],
        kept["undone_by"],
    )
