"""Letter, item of the outbox, one-time token."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId

Purpose = Literal["verify", "reset", "magic", "email"]
Kind = Literal[
    "verify",
    "reset",
    "magic",
    "email",
    "email-asked",
    "email-changed",
    "known",
    "password-changed",
    "factor-changed",
    "session-stolen",
    "approval",
    "invitation",
    "notice",
    "custody-transferred",
]


@dataclass(frozen=True, slots=True)
class Asker:
    """Which browser asked for a link, and how people call the place."""

    flow_hash: bytes = field(repr=False)
    place: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sealed in an item of the outbox. ``to`` is a canonical address; with ``subject`` the letter is about that
    person, whoever the address belongs to, and without ``to`` it goes to the person's own. ``href`` is a path.
    """

    to: str = ""
    subject: UUID | None = None
    asker: Asker | None = None
    title: str = ""
    text: str = ""
    href: str = ""
    invitation: UUID | None = None


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A letter that waits. Whom it goes to is sealed; who that is, if anybody, is found out when it is sent."""

    id: UUID
    kind: Kind
    sealed: bytes = field(repr=False)
    next_at: datetime
    attempts: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. ``link`` is a secret: whoever has it acts for the recipient. ``id`` stays the same over every try."""

    id: UUID
    kind: Kind
    recipient: str
    name: str
    link: str = field(default="", repr=False)
    title: str = ""
    text: str = ""
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A link in a mail: one purpose, one use. ``address`` is what it was sent to, ``flow_hash`` who asked for it."""

    id: UUID
    purpose: Purpose
    token_hash: bytes = field(repr=False)
    subject_id: SubjectId
    address: str
    expires_at: datetime
    flow_hash: bytes | None = field(default=None, repr=False)
    asked_from: str = ""


@dataclass(frozen=True, slots=True)
class InAppNotice:
    """What a person is told where they are signed in. ``sealed`` holds title, text and path."""

    id: UUID
    subject_id: SubjectId
    capability: str
    sealed: bytes = field(repr=False)
    at: datetime
    read_at: datetime | None = None
