"""What proves a person: passwords, factors, devices, and how often somebody guessed."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Uuid

from au_sys_identity.adapters.db.tables.schema import Moment, metadata

passwords = Table(
    "passwords",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", String(500), nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("usable_until", Moment),
)

devices = Table(
    "devices",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("label", String(120), nullable=False),
    Column("last_seen_at", Moment, nullable=False),
)

guess_counters = Table(
    "guess_counters",
    metadata,
    Column("scope", String(32), primary_key=True),
    Column("key_hash", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("window_start", Moment, nullable=False, index=True),
    Column("blocked_until", Moment),
)

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("secret_enc", LargeBinary, nullable=False),
    Column("confirmed_at", Moment),
    Column("last_step", BigInteger, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", LargeBinary(32), primary_key=True),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential_id", LargeBinary(1023), nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("name", String(120), nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("aaguid", String(36), nullable=False),
    Column("transports", String(200), nullable=False),
    Column("backup_eligible", Boolean, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
)

used_values = Table(
    "used_values",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("value_hash", LargeBinary(32), primary_key=True),
    Column("expires_at", Moment, nullable=False, index=True),
)

mfa_challenges = Table(
    "mfa_challenges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("first", String(16), nullable=False, server_default="pwd"),
)
