"""Make the session that a proof earns; every sign-in, step-up and password change gets a new id."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from au_sys_identity.core.credentials.models import Device
from au_sys_identity.core.derivation import digest, new_secret
from au_sys_identity.core.factors.models import Method
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.sessions.models import (
    Client,
    RefreshToken,
    Session,
    SessionId,
    SessionKind,
    SessionTimes,
    Strength,
)
from au_sys_identity.core.subjects.models import Person


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session with the one secret that its client gets: a cookie value or a first refresh token."""

    session: Session
    person: Person
    secret: str = field(repr=False)
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What a session was earned with. ``restricted`` ones may do nothing but change the password."""

    kind: SessionKind
    strength: Strength
    methods: tuple[str, ...]
    restricted: bool = False


def strength_with(method: Method, *, after: str = "pwd") -> Strength:
    """What a first and a second step are worth together; a code after a mail is no more than a password."""
    if method == "passkey":
        return "phishing_resistant"
    return "password" if after == "mail" else "multi"


def bound_to_device(token_hash: bytes) -> bytes:
    """What ties sessions to a device cookie with this hash."""
    return hashlib.sha256(b"device:" + token_hash).digest()


def binding(client: Client) -> tuple[bytes, bool]:
    """What ties a refresh to its client, and whether that is more than the client's name."""
    if client.device_token:
        return bound_to_device(digest(client.device_token)), True
    if client.instance:
        return digest(f"instance:{client.instance}"), True
    return digest(f"agent:{client.user_agent}"), False


async def open_session(
    unit: UnitOfWork,
    person: Person,
    proof: Proof,
    *,
    client: Client,
    times: SessionTimes,
    now: datetime,
) -> Opened:
    """Add a session to the open transaction; a client with a device cookie is known when it comes back."""
    secret = new_secret()
    tie, strong = binding(client)
    session = Session(
        id=SessionId(uuid7()),
        subject_id=person.id,
        kind=proof.kind,
        strength=proof.strength,
        methods=proof.methods,
        epoch=person.epoch,
        auth_time=now,
        created_at=now,
        last_seen_at=now,
        idle_until=now + times.idle,
        expires_at=now + times.absolute,
        label=client.label[:120],
        user_agent=client.user_agent[:300],
        address=client.address,
        secret_hash=digest(secret) if proof.kind == "web" else None,
        binding_hash=tie,
        strong_binding=strong,
    )
    await unit.sessions.add(session)
    if proof.kind == "token":
        await unit.sessions.add_refresh(RefreshToken(session.id, 0, digest(secret), now))
    if client.device_token:
        device = Device(person.id, digest(client.device_token), session.label, now)
        await unit.credentials.keep_device(device)
    return Opened(session, person, secret, proof.restricted)
