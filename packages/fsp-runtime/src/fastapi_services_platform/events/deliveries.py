"""Rows of the outbox as the deliverer sees them: give handlers their work, hold it, end it, count it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import RowMapping, and_, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform.events.backlog import Backlog, DeadLetter, Held
from fastapi_services_platform.events.outbox import moment
from fastapi_services_platform.events.tables import tables_of
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.unit_of_work import in_transaction

LEASE_SECONDS = 60.0
"""How long a node may hold a delivery; one that was killed is replaced after it."""
KEPT_SECONDS = 7 * 24 * 3600.0
"""How long events stay, so that a handler that comes late, or came back, is given them."""

_FAN_OUT_BATCH = 500
_HELD_AT_ONCE = 16


class Deliveries:
    """The deliveries of one publisher's outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = tables_of(database.name)

    async def hand_out(self, handlers: Mapping[str, str]) -> None:
        """Give each handler (with the name of its event) a delivery for every event since it last got some.

        A handler that is new begins with the oldest event that is kept.
        """
        if not await self._anything_new(handlers):
            return

        async def work(session: AsyncSession) -> None:
            if self._database.dialect == "postgresql":  # one node at a time; on SQLite there is one writer anyhow
                key = f"fsp-fan-out:{self._database.name}"
                await session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})
            for handler, event in handlers.items():
                await self._hand_out_to(session, handler, event)

        await in_transaction(self._database, work)

    async def _anything_new(self, handlers: Mapping[str, str]) -> bool:
        events, subscriptions = self._tables.events, self._tables.subscriptions
        async with self._database.session() as session:
            newest = await session.scalar(select(func.max(events.c.sequence))) or 0
            rows = (await session.execute(select(subscriptions.c.handler, subscriptions.c.seen))).all()
        known = {row.handler: row.seen for row in rows}
        return any(known.get(handler, -1) < newest for handler in handlers)

    async def _hand_out_to(self, session: AsyncSession, handler: str, event: str) -> None:
        events, subscriptions, deliveries = self._tables.events, self._tables.subscriptions, self._tables.deliveries
        seen = await session.scalar(select(subscriptions.c.seen).where(subscriptions.c.handler == handler))
        if seen is None:
            await session.execute(subscriptions.insert().values(handler=handler, seen=0))
            seen = 0
        while True:
            query = select(events.c.sequence, events.c.name, events.c.key, events.c.at)
            query = query.where(events.c.sequence > seen).order_by(events.c.sequence).limit(_FAN_OUT_BATCH)
            rows = (await session.execute(query)).mappings().all()
            fitting = [_new_delivery(handler, row) for row in rows if row["name"] == event]
            if fitting:
                await session.execute(deliveries.insert(), fitting)
            if rows:
                seen = rows[-1]["sequence"]
            if len(rows) < _FAN_OUT_BATCH:
                break
        await session.execute(update(subscriptions).where(subscriptions.c.handler == handler).values(seen=seen))

    async def hold(self, handlers: Collection[str]) -> list[Held]:
        """Take what is due for these handlers: of each key only the oldest, so that order is kept.

        A delivery that another node holds is left to it until its lease is over.
        """
        if not await self._anything_due(handlers):
            return []
        deliveries, events = self._tables.deliveries, self._tables.events

        async def work(session: AsyncSession) -> list[Held]:
            now, holder = await moment(session, self._database), uuid4().hex
            query = select(deliveries, events.c.id, events.c.name, events.c.data, events.c.at, events.c.correlation_id)
            query = query.join(events, events.c.sequence == deliveries.c.sequence).where(self._due(handlers, now))
            query = query.order_by(deliveries.c.sequence).limit(_HELD_AT_ONCE)
            rows = (await session.execute(query.with_for_update(of=deliveries, skip_locked=True))).mappings().all()
            for row in rows:
                change = update(deliveries).where(self._is(row["handler"], row["sequence"]))
                values = {"holder": holder, "held_until": now + LEASE_SECONDS, "tries": row["tries"] + 1}
                await session.execute(change.values(**values))
            return [_held(row, holder) for row in rows]

        return await in_transaction(self._database, work)

    async def _anything_due(self, handlers: Collection[str]) -> bool:
        async with self._database.session() as session:
            now = await moment(session, self._database)
            found = await session.execute(
                select(self._tables.deliveries.c.sequence).where(self._due(handlers, now)).limit(1)
            )
            return found.first() is not None

    def _due(self, handlers: Collection[str], now: float) -> Any:  # Any: a SQL expression, generic in its value
        deliveries = self._tables.deliveries
        older = deliveries.alias("older")
        waits = select(older.c.sequence).where(
            older.c.handler == deliveries.c.handler,
            older.c.key == deliveries.c.key,
            older.c.sequence < deliveries.c.sequence,
            older.c.dead.is_(False),
        )
        return and_(
            deliveries.c.handler.in_(handlers),
            deliveries.c.dead.is_(False),
            deliveries.c.due <= now,
            deliveries.c.held_until <= now,
            ~waits.exists(),
        )

    def _is(self, handler: str, sequence: int, holder: str | None = None) -> Any:  # Any: as above
        deliveries = self._tables.deliveries
        same = and_(deliveries.c.handler == handler, deliveries.c.sequence == sequence)
        return same if holder is None else and_(same, deliveries.c.holder == holder)

    async def done(self, held: Held) -> None:
        """The handler has seen it."""
        await self._change(delete(self._tables.deliveries).where(self._is(held.handler, held.sequence, held.holder)))

    async def failed(self, held: Held, error: str, pause: float | None) -> None:
        """The handler could not: again after a pause, or aside as a dead letter when there is none."""

        async def work(session: AsyncSession) -> None:
            due = await moment(session, self._database) + (pause or 0.0)
            values = {"due": due, "held_until": 0.0, "holder": "", "error": error[:2000], "dead": pause is None}
            change = update(self._tables.deliveries).where(self._is(held.handler, held.sequence, held.holder))
            await session.execute(change.values(**values))

        await in_transaction(self._database, work)

    async def give_back(self, held: Held) -> None:
        """This node stops before the handler ended: another may begin at once."""
        change = update(self._tables.deliveries).where(self._is(held.handler, held.sequence, held.holder))
        await self._change(change.values(held_until=0.0, holder="", tries=held.tries - 1))

    async def backlogs(self) -> list[Backlog]:
        """How far each handler is behind."""
        deliveries, events = self._tables.deliveries, self._tables.events
        waiting = func.count().filter(deliveries.c.dead.is_(False))
        oldest = func.min(events.c.at).filter(deliveries.c.dead.is_(False))
        query = select(deliveries.c.handler, waiting, oldest, func.count().filter(deliveries.c.dead.is_(True)))
        query = query.join(events, events.c.sequence == deliveries.c.sequence).group_by(deliveries.c.handler)
        known = select(self._tables.subscriptions.c.handler)
        async with self._database.session() as session:
            now = await moment(session, self._database)
            rows = (await session.execute(query)).all()
            names = (await session.scalars(known)).all()
        found = {row[0]: Backlog(row[0], row[1], max(0.0, now - row[2]) if row[1] else 0.0, row[3]) for row in rows}
        return [found.get(name, Backlog(name, 0, 0.0, 0)) for name in sorted({*names, *found})]

    async def dead_letters(self, limit: int) -> list[DeadLetter]:
        """What was put aside, newest first."""
        deliveries, events = self._tables.deliveries, self._tables.events
        query = select(deliveries, events.c.id, events.c.name, events.c.data, events.c.at)
        query = query.join(events, events.c.sequence == deliveries.c.sequence).where(deliveries.c.dead.is_(True))
        query = query.order_by(deliveries.c.sequence.desc(), deliveries.c.handler).limit(limit)
        async with self._database.session() as session:
            rows: Sequence[RowMapping] = (await session.execute(query)).mappings().all()
        return [_dead(self._database.name, row) for row in rows]

    async def is_dead(self, handler: str, sequence: int) -> bool:
        """Whether this was put aside."""
        dead = self._is(handler, sequence) & self._tables.deliveries.c.dead.is_(True)
        async with self._database.session() as session:
            return (await session.execute(select(self._tables.deliveries.c.sequence).where(dead))).first() is not None

    async def revive(self, handler: str, sequence: int) -> bool:
        """Try a dead letter anew from its first try; whether there was one."""
        dead = self._is(handler, sequence) & self._tables.deliveries.c.dead.is_(True)
        values = {"dead": False, "tries": 0, "due": 0.0, "held_until": 0.0, "holder": ""}
        found = await self._change(update(self._tables.deliveries).where(dead).values(**values)) > 0
        self._database.tell_watchers()
        return found

    async def discard(self, handler: str, sequence: int) -> bool:
        """Delete a dead letter; whether there was one."""
        dead = self._is(handler, sequence) & self._tables.deliveries.c.dead.is_(True)
        return await self._change(delete(self._tables.deliveries).where(dead)) > 0

    async def forget(self) -> int:
        """Delete events that are older than they are kept and that nobody waits for; how many."""
        events, deliveries = self._tables.events, self._tables.deliveries

        async def work(session: AsyncSession) -> int:
            before = await moment(session, self._database) - KEPT_SECONDS
            waited_for = select(deliveries.c.sequence).where(deliveries.c.sequence == events.c.sequence).exists()
            return _count(await session.execute(delete(events).where(events.c.at < before, ~waited_for)))

        return await in_transaction(self._database, work)

    async def _change(self, statement: Any) -> int:  # Any: an UPDATE or a DELETE
        async def work(session: AsyncSession) -> int:
            return _count(await session.execute(statement))

        return await in_transaction(self._database, work)


def _count(result: Any) -> int:  # Any: a CursorResult, which execute() declares as the wider Result
    return int(result.rowcount)


def _new_delivery(handler: str, row: RowMapping) -> dict[str, object]:
    waiting = {"tries": 0, "dead": False, "due": row["at"], "held_until": 0.0, "holder": "", "error": ""}
    return {"handler": handler, "sequence": row["sequence"], "key": row["key"], **waiting}


def _held(row: RowMapping, holder: str) -> Held:
    return Held(
        handler=row["handler"],
        sequence=row["sequence"],
        tries=row["tries"] + 1,
        holder=holder,
        id=row["id"],
        name=row["name"],
        key=row["key"],
        data=orjson.loads(row["data"]),
        at=row["at"],
        correlation_id=row["correlation_id"],
    )


def _dead(publisher: str, row: RowMapping) -> DeadLetter:
    return DeadLetter(
        publisher=publisher,
        handler=row["handler"],
        sequence=row["sequence"],
        id=row["id"],
        name=row["name"],
        key=row["key"],
        data=orjson.loads(row["data"]),
        at=row["at"],
        tries=row["tries"],
        error=row["error"],
    )
