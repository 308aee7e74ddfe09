"""Tables of a capability's outbox; they live in its own database, so that publishing is part of its transaction."""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, String, Table, Text


@dataclass(frozen=True, slots=True)
class OutboxTables:
    """``events`` is what was published, ``subscriptions`` how far each handler was given work, ``deliveries`` that
    work: a row for each event that a handler has still to see, or could not handle (``dead``).

    Moments are seconds since 1970, so that both databases compare them alike. ``held_until`` is the lease of the node
    that delivers, ``holder`` its token.
    """

    metadata: MetaData
    events: Table
    subscriptions: Table
    deliveries: Table


@lru_cache
def tables_of(owner: str) -> OutboxTables:
    """The tables of a capability."""
    metadata = MetaData()
    number = BigInteger().with_variant(Integer, "sqlite")
    events = Table(
        f"{owner}_events",
        metadata,
        Column("sequence", number, primary_key=True, autoincrement=True),
        Column("id", String(64), nullable=False, unique=True),
        Column("name", String(120), nullable=False),
        Column("key", String(400), nullable=False),
        Column("data", Text, nullable=False),
        Column("at", Double, nullable=False),
        Column("correlation_id", String(64), nullable=False),
        Index(f"ix_{owner}_events_at", "at"),
        sqlite_autoincrement=True,
    )
    subscriptions = Table(
        f"{owner}_event_subscriptions",
        metadata,
        Column("handler", String(200), primary_key=True),
        Column("seen", number, nullable=False),
    )
    deliveries = Table(
        f"{owner}_event_deliveries",
        metadata,
        Column("handler", String(200), primary_key=True),
        Column("sequence", number, primary_key=True, autoincrement=False),
        Column("key", String(400), nullable=False),
        Column("tries", Integer, nullable=False),
        Column("dead", Boolean, nullable=False),
        Column("due", Double, nullable=False),
        Column("held_until", Double, nullable=False),
        Column("holder", String(64), nullable=False),
        Column("error", Text, nullable=False),
        Index(f"ix_{owner}_event_deliveries_order", "handler", "key", "sequence"),
    )
    return OutboxTables(metadata, events, subscriptions, deliveries)
