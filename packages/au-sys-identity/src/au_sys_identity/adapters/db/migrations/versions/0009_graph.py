"""Typed edges, groups, AI providers and agents, organizations, and the feed of what changed."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KINDS = ("kind IN ('person', 'app', 'agent')", "kind IN ('person', 'app', 'agent', 'provider', 'group')")
_DEFAULT = UUID("00000000-0000-7000-8000-000000000001")


def upgrade() -> None:
    """Make the tables and columns, and the organization that is always there."""
    organizations = _organizations()
    now = datetime.now(UTC)
    row = {"id": _DEFAULT, "slug": "default", "name": "Default", "status": "active", "version": 1}
    op.bulk_insert(organizations, [{**row, "created_at": now, "updated_at": now}])
    _kinds(*_KINDS)
    _organization_of_subjects()
    with op.batch_alter_table("machines") as batch:
        batch.add_column(sa.Column("provider_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("model_names", sa.Text(), server_default="[]", nullable=False))
        batch.add_column(sa.Column("provenance", sa.String(length=500), server_default="", nullable=False))
        batch.add_column(sa.Column("hosting", sa.String(length=200), server_default="", nullable=False))
        batch.add_column(sa.Column("stopped_with", sa.Uuid(), nullable=True))
        batch.create_foreign_key(op.f("fk_machines_provider_id"), "subjects", ["provider_id"], ["id"])
        batch.create_index(op.f("ix_machines_provider_id"), ["provider_id"])
    with op.batch_alter_table("edges") as batch:
        batch.add_column(sa.Column("attributes_enc", sa.LargeBinary(), nullable=True))
        batch.create_check_constraint(
            op.f("ck_edges_relation"), "relation IN ('member_of', 'owner_of', 'child_of', 'dependency_of')"
        )
    _others()
    op.create_table(
        "feed",
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "version", name=op.f("pk_feed")),
    )
    op.create_index(op.f("ix_feed_at"), "feed", ["at"])
    op.execute(sa.text("INSERT INTO versions (topic, version) VALUES ('graph', 1)"))


def downgrade() -> None:
    """Take them away, with every subject that the older code does not know."""
    op.execute(sa.text("DELETE FROM versions WHERE topic = 'graph'"))
    op.drop_table("feed")
    with op.batch_alter_table("machines") as batch:
        batch.drop_index(op.f("ix_machines_provider_id"))
        batch.drop_constraint(op.f("fk_machines_provider_id"), type_="foreignkey")
        for name in ("stopped_with", "hosting", "provenance", "model_names", "provider_id"):
            batch.drop_column(name)
    op.drop_table("groups")
    op.drop_table("providers")
    op.execute(sa.text("DELETE FROM api_keys WHERE owner_id IN (SELECT id FROM subjects WHERE kind = 'agent')"))
    op.execute(sa.text("DELETE FROM subjects WHERE kind IN ('agent', 'provider', 'group')"))
    op.execute(sa.text("DELETE FROM edges WHERE relation <> 'owner_of'"))
    with op.batch_alter_table("edges") as batch:
        batch.drop_constraint(op.f("ck_edges_relation"), type_="check")
        batch.drop_column("attributes_enc")
    _kinds(*reversed(_KINDS))
    op.drop_index(op.f("ix_subjects_organization_id"), "subjects")
    if op.get_bind().dialect.name == "sqlite":
        _rewritten("subjects", _REFERENCE, "organization_id CHAR(32)")
        op.execute(sa.text("ALTER TABLE subjects DROP COLUMN organization_id"))
    else:
        op.drop_constraint(op.f("fk_subjects_organization_id"), "subjects", type_="foreignkey")
        op.drop_column("subjects", "organization_id")
    op.drop_table("organization_members")
    op.drop_table("organizations")


def _organizations() -> sa.Table:
    made = op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("updated_at", tables.Moment(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'closed')", name=op.f("ck_organizations_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
    )
    op.create_table(
        "organization_members",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_organization_members_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_organization_members_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("organization_id", "subject_id", name=op.f("pk_organization_members")),
    )
    op.create_index(op.f("ix_organization_members_subject_id"), "organization_members", ["subject_id"])
    return made


def _others() -> None:
    op.create_table(
        "providers",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.String(length=120), nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=120), nullable=False),
        sa.Column("homepage", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_providers_subject_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_providers")),
    )
    op.create_table(
        "groups",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_groups_subject_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_groups")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_groups_source_external_id")),
    )


_REFERENCE = "organization_id CHAR(32) CONSTRAINT fk_subjects_organization_id REFERENCES organizations (id)"


def _organization_of_subjects() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(sa.text(f"ALTER TABLE subjects ADD COLUMN {_REFERENCE}"))
    else:
        op.add_column("subjects", sa.Column("organization_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f("fk_subjects_organization_id"), "subjects", "organizations", ["organization_id"], ["id"]
        )
    op.create_index(op.f("ix_subjects_organization_id"), "subjects", ["organization_id"])
    machines = "UPDATE subjects SET organization_id = :id WHERE kind <> 'person'"
    op.execute(sa.text(machines).bindparams(sa.bindparam("id", _DEFAULT, sa.Uuid())))


def _kinds(before: str, after: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rewritten("subjects", before, after)
    else:
        op.drop_constraint(op.f("ck_subjects_kind"), "subjects", type_="check")
        op.create_check_constraint(op.f("ck_subjects_kind"), "subjects", after)


def _rewritten(table: str, before: str, after: str) -> None:
    """Change the text of a table that others point at: made anew, they would lose the rows that point at it.

    https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes
    """
    bind = op.get_bind()
    found = bind.execute(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": table}
    )
    text = str(found.scalar_one())
    if before not in text:
        raise ValueError(f"{table} is not what this step changes: {before!r} is missing")
    version = int(bind.exec_driver_sql("PRAGMA schema_version").scalar_one())
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    bind.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": text.replace(before, after), "name": table},
    )
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")
