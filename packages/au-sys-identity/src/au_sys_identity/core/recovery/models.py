"""Backups, changes that can be taken back, and entries of the revocation ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

SYSTEM = "urn:au:system:identity"
VOLATILE = frozenset({"version", "epoch", "updated_at"})
"""Columns that only grow: never put back, and no difference on their own."""
_FINAL = ("key.", "factor.", "password.", "approval.", "login.", "delegation.", "request.", "session.", "backup.")
_FINAL_ACTIONS = frozenset({"subject.created", "subject.erased", "machine.created"})

State = Literal["made", "verified", "corrupt"]


def is_reversible(actions: Sequence[str]) -> bool:
    """Whether a transaction that did these things can be taken back: no credentials, erasures, approvals or births."""
    return not any(action.startswith(_FINAL) or action in _FINAL_ACTIONS for action in actions)


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in clear at the start of an archive; every chunk is tied to it."""

    id: UUID
    at: datetime
    schema: str
    salt: bytes
    label: str
    include_audit: bool
    ledger: int
    audit_head: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Backup:
    """An archive that was written."""

    id: UUID
    at: datetime
    label: str
    size: int
    sha256: str
    schema: str
    counts: Mapping[str, int]
    audit_head: Mapping[str, object] | None
    verified_at: datetime | None = None
    state: State = "made"

    @property
    def blob(self) -> str:
        """Where it lies."""
        return f"archives/{self.id}"


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction whose rows were kept before and after."""

    id: UUID
    at: datetime
    actor: str
    summary: str
    entity: str
    entity_id: str
    reversible: bool
    undone_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class RowImage:
    """A row before and after, as JSON."""

    table: str
    before: dict[str, object] | None
    after: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Revocation:
    """A credential that ended or a subject that may act no longer; no personal data."""

    id: UUID
    at: datetime
    kind: str
    what: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """Who gains and who loses what."""

    gains: tuple[Mapping[str, str], ...] = ()
    losses: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a restore does, or would do: rows by table, what does not come back, and what it needs."""

    tables: Mapping[str, Mapping[str, int]]
    not_restored: tuple[str, ...]
    requires: tuple[str, ...] = ()
    done: bool = False
    safety_backup: UUID | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What is kept, and how often it is backed up."""

    changes_enabled: bool = True
    change_days: int = 30
    change_max: int = 10_000
    backups_enabled: bool = True
    backup_every: int = 86_400
    backup_keep: int = 14
    pinned: frozenset[str] = field(default_factory=frozenset)
