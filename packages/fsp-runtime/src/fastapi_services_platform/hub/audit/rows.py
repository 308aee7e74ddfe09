"""Rows of the audit trail: append to the head, read back in either direction."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform.hub.audit.tables import entries, head
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.unit_of_work import in_transaction

_BATCH = 500

MakeEntry = Callable[[int, str], dict[str, object]]
"""The columns of an entry, from its number and the digest of the one before it."""


async def append(database: Database, make: MakeEntry) -> tuple[int, str]:
    """Add an entry behind the head in one transaction; its number and its digest."""

    async def work(session: AsyncSession) -> tuple[int, str]:
        last = (await session.execute(select(head).with_for_update())).mappings().one()
        sequence = int(last["sequence"]) + 1
        entry = make(sequence, last["digest"])
        digest = cast(str, entry["digest"])  # a column of text, as the table says
        await session.execute(entries.insert().values(**entry))
        await session.execute(update(head).values(sequence=sequence, digest=digest))
        return sequence, digest

    return await in_transaction(database, work)


async def newest(database: Database, before: int | None, limit: int, actor: str, action: str) -> Sequence[RowMapping]:
    """The newest entries first; those before a number, of one actor, of one kind of action."""
    query = select(entries).order_by(entries.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(entries.c.sequence < before)
    if actor:
        query = query.where(entries.c.actor == actor)
    if action:
        query = query.where(entries.c.action.startswith(action, autoescape=True))
    async with database.session() as session:
        return (await session.execute(query)).mappings().all()


async def every(database: Database) -> AsyncIterator[RowMapping]:
    """All entries from the first on, a batch at a time."""
    after = 0
    while True:
        query = select(entries).where(entries.c.sequence > after).order_by(entries.c.sequence).limit(_BATCH)
        async with database.session() as session:
            rows = (await session.execute(query)).mappings().all()
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = rows[-1]["sequence"]


async def last_of(database: Database) -> RowMapping | None:
    """The head."""
    async with database.session() as session:
        return (await session.execute(select(head))).mappings().one_or_none()
