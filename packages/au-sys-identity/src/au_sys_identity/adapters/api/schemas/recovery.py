"""Wire shapes of backups, restores, changes and what is kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.recovery.models import Backup, Change, Restoration
from au_sys_identity.core.recovery.undoing import Undone

CONFIG = ("CHANGES_ENABLED", "CHANGE_DAYS", "CHANGE_MAX", "BACKUPS_ENABLED", "BACKUP_EVERY", "BACKUP_KEEP")
"""Settings that the configuration of recovery consists of."""


class BackupNew(BaseModel):
    """What to call it, and whether the audit log is in it."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    include_audit: bool = True


class BackupOut(BaseModel):
    """An archive."""

    id: UUID
    at: datetime
    label: str
    size: int
    sha256: str
    # ``schema`` is a method of pydantic's models
    schema_: str = Field(serialization_alias="schema")
    counts: dict[str, int]
    audit_head: dict[str, Any] | None  # Any: the head as it is signed
    verified_at: datetime | None
    state: str

    @classmethod
    def of(cls, backup: Backup) -> Self:
        """The wire shape."""
        return cls(
            id=backup.id,
            at=backup.at,
            label=backup.label,
            size=backup.size,
            sha256=backup.sha256,
            schema_=backup.schema,
            counts=dict(backup.counts),
            audit_head=dict(backup.audit_head) if backup.audit_head else None,
            verified_at=backup.verified_at,
            state=backup.state,
        )


class BackupsOut(BaseModel):
    """Newest first."""

    items: list[BackupOut]
    next_cursor: str | None = None


class RestoreBody(BaseModel):
    """A dry run, unless it says otherwise; then ``confirm`` is the backup's id."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = True
    confirm: str | None = Field(None, max_length=80)
    accept_weaker: bool = False


class RestoreOut(BaseModel):
    """Rows by table that are added, removed and changed; what does not come back; what a real run needs."""

    would: dict[str, dict[str, int]]
    did: dict[str, dict[str, int]]
    not_restored: list[str]
    requires: list[str]
    safety_backup: UUID | None = None

    @classmethod
    def of(cls, found: Restoration) -> Self:
        """The wire shape."""
        tables = {name: dict(counts) for name, counts in found.tables.items()}
        return cls(
            would={} if found.done else tables,
            did=tables if found.done else {},
            not_restored=list(found.not_restored),
            requires=list(found.requires),
            safety_backup=found.safety_backup,
        )


class ChangeOut(BaseModel):
    """One change."""

    id: UUID
    at: datetime
    actor: str
    summary: str
    entity: str
    entity_id: str
    reversible: bool
    rolled_back_by: UUID | None

    @classmethod
    def of(cls, change: Change) -> Self:
        """The wire shape."""
        return cls(
            id=change.id,
            at=change.at,
            actor=change.actor,
            summary=change.summary,
            entity=change.entity,
            entity_id=change.entity_id,
            reversible=change.reversible and change.undone_by is None,
            rolled_back_by=change.undone_by,
        )


class ChangesOut(BaseModel):
    """Newest first."""

    items: list[ChangeOut]
    next_cursor: str | None = None


class RollbackBody(BaseModel):
    """A dry run, unless it says otherwise."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = True


class EffectOut(BaseModel):
    """Rules that subjects gain and lose."""

    gains: list[dict[str, str]]
    losses: list[dict[str, str]]


class RollbackOut(BaseModel):
    """What taking it back does, or did: then ``change`` names what did it."""

    effect: EffectOut
    change: UUID | None

    @classmethod
    def of(cls, undone: Undone) -> Self:
        """The wire shape."""
        gains, losses = undone.effect.gains, undone.effect.losses
        return cls(
            effect=EffectOut(gains=[dict(one) for one in gains], losses=[dict(one) for one in losses]),
            change=undone.by,
        )


class RecoveryConfig(BaseModel):
    """What is kept, and how often it is backed up."""

    changes_enabled: bool
    change_days: int
    change_max: int
    backups_enabled: bool
    backup_every: int
    backup_keep: int

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Out of the settings in force."""
        return cls.model_validate({name.lower(): values[name] for name in CONFIG})


class RecoveryConfigChange(BaseModel):
    """``null`` or left out: as it is."""

    model_config = ConfigDict(extra="forbid")

    changes_enabled: bool | None = None
    change_days: int | None = Field(None, ge=1, le=366)
    change_max: int | None = Field(None, ge=1, le=1_000_000)
    backups_enabled: bool | None = None
    backup_every: int | None = Field(None, ge=300, le=2_592_000)
    backup_keep: int | None = Field(None, ge=1, le=1000)
