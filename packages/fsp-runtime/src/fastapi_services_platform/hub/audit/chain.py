"""The platform's own audit trail: an append-only table in which each entry holds the digest of the one before it.

``digest = SHA-256(previous ‖ body)`` where ``body`` is canonical JSON. A changed, removed or inserted entry breaks the
chain at its place; a cut-off end is shown by the head row. Each digest also goes to the log, a witness outside of the
database. Nothing here loads SQLAlchemy before the trail is used: a platform without databases starts without it.
"""

import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from fastapi_services_platform.observability.audit import AuditEvent, ChainVerdict, KeptEvent
from fastapi_services_platform.observability.logger_factory import current_fields, get_logger
from fastapi_services_platform.persistence.databases import Database

START = "0" * 64
_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z

_log = get_logger(__name__)


class HashChainTrail:
    """Implements ``AuditTrail``. Entries are numbered without gaps from 1."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, event: AuditEvent) -> None:
        """Append an event; it is durable when this returns."""
        from fastapi_services_platform.hub.audit.rows import append

        sequence, digest = await append(self._database, partial(_entry, event))
        _log.info("audit.recorded", action=event.action, outcome=event.outcome, sequence=sequence, digest=digest)

    async def tail(
        self, *, before: int | None = None, limit: int = 50, actor: str = "", action: str = ""
    ) -> list[KeptEvent]:
        """The newest entries first; those before a sequence number, of one actor, of one kind of action."""
        from fastapi_services_platform.hub.audit.rows import newest

        rows = await newest(self._database, before, limit, actor, action)
        return [_kept(row) for row in rows]

    async def verify(self) -> ChainVerdict:
        """Compute the chain anew from its start; the first wrong entry ends the check."""
        from fastapi_services_platform.hub.audit.rows import every, last_of

        expected, number = START, 0
        async for row in every(self._database):
            number += 1
            problem = _problem_of(row, number, expected)
            if problem:
                return ChainVerdict(number - 1, number, problem)
            expected = row["digest"]
        last = await last_of(self._database)
        if last is None or last["sequence"] != number or last["digest"] != expected:
            return ChainVerdict(number, number + 1, "entries at the end are missing")
        return ChainVerdict(number)


def _entry(event: AuditEvent, sequence: int, previous: str) -> dict[str, object]:
    """The columns of the entry that follows ``previous``."""
    now = datetime.now(UTC)
    correlation = str(current_fields().get("correlation_id", ""))
    body = _body(sequence, now, correlation, event)
    return {
        "sequence": sequence,
        "at": now,
        "action": event.action,
        "actor": event.actor,
        "resource": event.resource,
        "outcome": event.outcome,
        "correlation_id": correlation,
        "body": body,
        "previous": previous,
        "digest": _digest(previous, body),
    }


def _body(sequence: int, at: datetime, correlation: str, event: AuditEvent) -> str:
    members = {
        "sequence": sequence,
        "at": at,
        "action": event.action,
        "actor": event.actor,
        "resource": event.resource,
        "outcome": event.outcome,
        "correlation_id": correlation,
        "reason": event.reason,
        "details": dict(event.details),
        "before": event.before,
        "after": event.after,
    }
    return orjson.dumps(members, default=str, option=_CANONICAL).decode()


def _digest(previous: str, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def _problem_of(row: Any, number: int, expected: str) -> str:  # Any: sqlalchemy.RowMapping, not loaded here
    """What is wrong with an entry, or nothing."""
    if row["sequence"] != number:
        return "the entry is missing"
    if row["previous"] != expected:
        return "it does not follow from the entry before it"
    if row["digest"] != _digest(row["previous"], row["body"]):
        return "its content was changed"
    body = orjson.loads(row["body"])
    copies = ("action", "actor", "resource", "outcome", "correlation_id", "sequence")
    if any(body[name] != row[name] for name in copies):
        return "its search columns were changed"
    return ""


def _kept(row: Any) -> KeptEvent:  # Any: as above
    body = orjson.loads(row["body"])
    at: datetime = row["at"]
    return KeptEvent(
        sequence=row["sequence"],
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        action=row["action"],
        actor=row["actor"],
        resource=row["resource"],
        outcome=row["outcome"],
        correlation_id=row["correlation_id"],
        reason=body.get("reason", ""),
        details=body.get("details", {}),
        digest=row["digest"],
    )
