"""What is needed to take a change back, and to bring a backup in without what was revoked since."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
)

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

change_log = Table(
    "change_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(200), nullable=False),
    Column("summary", String(120), nullable=False),
    Column("entity", String(64), nullable=False),
    Column("entity_id", String(200), nullable=False),
    Column("images_enc", LargeBinary, nullable=False),
    Column("reversible", Boolean, nullable=False),
    Column("undone_by", Uuid),
    Index(None, "entity", "entity_id", "id"),
)
"""Rows before and after one transaction, sealed."""

backups = Table(
    "backups",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("label", String(200), nullable=False),
    Column("blob", String(200), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("manifest", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("verified_at", Moment),
    CheckConstraint("state IN ('made', 'verified', 'corrupt')", name="state"),
)

revocations = Table(
    "revocations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("what", String(200), nullable=False),
    Column("number", BigInteger().with_variant(Integer, "sqlite"), unique=True),
)
"""``number`` is the place in the ledger beside the backups, once it was written there."""

TRACKED = frozenset(
    {
        "subjects",
        "persons",
        "machines",
        "providers",
        "groups",
        "edges",
        "roles",
        "policies",
        "role_assignments",
        "organizations",
        "organization_members",
        "settings",
    }
)
"""Tables whose changes can be taken back."""

NOT_ARCHIVED = frozenset(
    {
        "sessions",
        "refresh_tokens",
        "one_time_tokens",
        "mfa_challenges",
        "mfa_windows",
        "guess_counters",
        "used_values",
        "outbox",
        "subject_keys",
        "feed",
        "versions",
        "backups",
        "revocations",
        "change_log",
        "sync_runs",
    }
)
"""Tables that no archive holds."""

AUDIT = ("audit_events", "audit_index", "audit_leaves", "audit_nodes", "audit_heads", "audit_dropped", "audit_keys")
"""Tables that a restore never rewinds."""

PERSONAL = {
    "subjects": ("id", ("name", "status_reason")),
    "persons": ("subject_id", ("email", "email_canonical", "locale", "timezone")),
    "devices": ("subject_id", ("label",)),
    "passkeys": ("subject_id", ("name",)),
    "linked_logins": ("subject_id", ("external_id",)),
    "directory_entries": ("subject_id", ("dn",)),
}
"""Columns that are sealed under the key of the subject in the first column, in archives and in the change log."""
