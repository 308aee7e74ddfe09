"""Every table, no behaviour."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A time in UTC with microseconds; SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


subjects = Table(
    "subjects",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("urn", String(80), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("status", String(16), nullable=False),
    Column("status_reason", String(500)),
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    CheckConstraint("kind IN ('person', 'app', 'agent')", name="kind"),
    CheckConstraint("status IN ('pending', 'active', 'disabled', 'closed')", name="status"),
    Index(None, "kind", "status"),
    Index(None, "kind", "name"),
)

persons = Table(
    "persons",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("email_canonical", String(320), nullable=False),
    Column("email_verified_at", Moment),
    Column("auth_source", String(80), nullable=False),
    Column("locale", String(35)),
    Column("timezone", String(64)),
    Column("closed", Boolean, nullable=False, server_default=text("false")),
    Index(
        "uq_persons_email_canonical",
        "email_canonical",
        unique=True,
        sqlite_where=text("NOT closed"),
        postgresql_where=text("NOT closed"),
    ),
)

machines = Table(
    "machines",
    metadata,
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("purpose", String(500), nullable=False),
)

edges = Table(
    "edges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("relation", String(32), nullable=False),
    Column("target_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    UniqueConstraint("source_id", "relation", "target_id"),
    CheckConstraint("source_id <> target_id", name="ends"),
    Index(None, "target_id", "relation", "source_id"),
)

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

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("secret_hash", LargeBinary(32), unique=True),
    Column("label", String(120), nullable=False),
    Column("user_agent", String(300), nullable=False),
    Column("ip", String(64)),
    Column("binding_hash", LargeBinary(32)),
    Column("strong_binding", Boolean, nullable=False),
    Column("strength", String(32), nullable=False),
    Column("methods", String(200), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("auth_time", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("idle_until", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("end_reason", String(200)),
    CheckConstraint("kind IN ('token', 'web')", name="kind"),
    Index(None, "subject_id", "ended_at"),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("replaced_at", Moment),
    Index(
        "uq_refresh_tokens_head",
        "session_id",
        unique=True,
        sqlite_where=text("replaced_at IS NULL"),
        postgresql_where=text("replaced_at IS NULL"),
    ),
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

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("public_id", String(12), nullable=False, unique=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("owner_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    Column("created_by", String(200), nullable=False, server_default=""),
    Column("overlap_until", Moment),
    Column("superseded_by", Uuid, unique=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("payload_enc", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("dead_at", Moment),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("address", String(320), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("flow_hash", LargeBinary(32)),
    Column("asked_from", String(200), nullable=False, server_default=""),
    UniqueConstraint("subject_id", "purpose"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(16), nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("private_enc", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("active_from", Moment, nullable=False),
    Column("retire_at", Moment),
    CheckConstraint("state IN ('next', 'active', 'retiring')", name="state"),
    Index(
        "uq_signing_keys_active",
        "state",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)

roles = Table(
    "roles",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("description", String(500), nullable=False),
    Column("domain", String(64), nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("resource", String(500), nullable=False),
    Column("action", String(120), nullable=False),
    Column("effect", String(8), nullable=False),
    UniqueConstraint("subject", "domain", "resource", "action", "effect"),
    CheckConstraint("effect IN ('allow', 'deny')", name="effect"),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("role", String(64), nullable=False, index=True),
    Column("domain", String(64), nullable=False),
    Column("expires_at", Moment),
    Column("source", String(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    UniqueConstraint("subject", "role", "domain"),
)

versions = Table(
    "versions",
    metadata,
    Column("topic", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value_enc", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

linked_logins = Table(
    "linked_logins",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", String(40), nullable=False),
    Column("issuer", String(500), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    UniqueConstraint("issuer", "external_id"),
)

directory_entries = Table(
    "directory_entries",
    metadata,
    Column("directory", String(40), primary_key=True),
    Column("external_id", String(255), primary_key=True),
    Column("subject_id", Uuid, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("dn", String(1000), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("seen_at", Moment, nullable=False),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source", String(80), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("started_by", String(200), nullable=False),
    Column("report", Text, nullable=False),
    CheckConstraint("state IN ('running', 'done', 'refused', 'failed')", name="state"),
    Index(
        "uq_sync_runs_running",
        "source",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)
