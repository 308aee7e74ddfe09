"""Persons and sessions that the suites keep."""

from datetime import UTC, datetime, timedelta

from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.sessions.models import Session, SessionId
from au_sys_identity.core.subjects.models import Person, SubjectId

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_person(email: str = "ann@example.org", name: str = "Ann") -> Person:
    """A new active person."""
    return Person(SubjectId(uuid7()), email, email.lower(), name, "active", NOW, NOW)


def a_session(person: Person, secret: bytes | None = None) -> Session:
    """A session that lives for a day."""
    return Session(
        id=SessionId(uuid7()),
        subject_id=person.id,
        kind="web" if secret else "token",
        strength="password",
        methods=("pwd",),
        epoch=person.epoch,
        auth_time=NOW,
        created_at=NOW,
        last_seen_at=NOW,
        idle_until=NOW + timedelta(days=1),
        expires_at=NOW + timedelta(days=2),
        secret_hash=secret,
        binding_hash=b"b" * 32,
    )


async def kept(transactions: Transactions, person: Person) -> Person:
    """The person, stored."""
    async with transactions.writing() as unit:
        await unit.subjects.add(person)
    return person
