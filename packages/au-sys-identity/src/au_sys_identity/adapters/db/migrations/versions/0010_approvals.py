"""Approvals, delegations, access requests, and what a machine proves itself with."""

import sqlalchemy as sa
from alembic import op

from au_sys_identity.adapters.db import tables

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MODES = "mfa_mode IN ('none', 'mtls_bound', 'tool_assisted_totp', 'human_delegated')"
_APPLIES = "mfa_applies_to IN ('always', 'changes', 'irreversible')"


def upgrade() -> None:
    """Make the tables and columns."""
    with op.batch_alter_table("machines") as batch:
        batch.add_column(sa.Column("mfa_mode", sa.String(length=24), server_default="none", nullable=False))
        batch.add_column(
            sa.Column("mfa_applies_to", sa.String(length=16), server_default="irreversible", nullable=False)
        )
        batch.add_column(sa.Column("certificates", sa.Text(), server_default="[]", nullable=False))
        batch.add_column(sa.Column("cap", sa.String(length=16), server_default="none", nullable=False))
        batch.create_check_constraint(op.f("ck_machines_mfa_mode"), _MODES)
        batch.create_check_constraint(op.f("ck_machines_mfa_applies_to"), _APPLIES)
        batch.create_check_constraint(op.f("ck_machines_cap"), "cap IN ('none', 'custodian')")
    op.add_column("roles", sa.Column("requestable", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _approvals()
    _delegations()
    _access_requests()
    op.create_table(
        "mfa_windows",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_mfa_windows")),
    )
    op.create_index(op.f("ix_mfa_windows_expires_at"), "mfa_windows", ["expires_at"])


def downgrade() -> None:
    """Take them away."""
    for name in ("mfa_windows", "access_requests", "delegations", "approvals"):
        op.drop_table(name)
    op.drop_column("roles", "requestable")
    with op.batch_alter_table("machines") as batch:
        for name in ("cap", "mfa_applies_to", "mfa_mode"):
            batch.drop_constraint(op.f(f"ck_machines_{name}"), type_="check")
        for name in ("cap", "certificates", "mfa_applies_to", "mfa_mode"):
            batch.drop_column(name)


def _owned(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["subjects.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column("requester", sa.String(length=80), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=80), nullable=True),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("act_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("arguments_enc", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("reversibility", sa.String(length=16), nullable=False),
        sa.Column("addressed_to", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", tables.Moment(), nullable=True),
        sa.Column("assertion", sa.Text(), nullable=True),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.Column("use_before", tables.Moment(), nullable=True),
        sa.Column("used_at", tables.Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'denied', 'withdrawn', 'used')", name=op.f("ck_approvals_state")
        ),
        _owned("approvals", "requester_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_state_expires_at"), "approvals", ["state", "expires_at"])
    op.create_index(op.f("ix_approvals_requester_id_created_at"), "approvals", ["requester_id", "created_at"])
    op.create_index(op.f("ix_approvals_decided_by"), "approvals", ["decided_by"])


def _delegations() -> None:
    op.create_table(
        "delegations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("human_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("agent_kind", sa.String(length=16), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.Column("revoked_at", tables.Moment(), nullable=True),
        sa.CheckConstraint("max_uses IS NULL OR uses <= max_uses", name=op.f("ck_delegations_uses")),
        _owned("delegations", "human_id"),
        _owned("delegations", "agent_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    op.create_index(op.f("ix_delegations_human_id"), "delegations", ["human_id"])
    op.create_index(op.f("ix_delegations_agent_id"), "delegations", ["agent_id"])


def _access_requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("decided_at", tables.Moment(), nullable=True),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("grant_until", tables.Moment(), nullable=True),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('submitted', 'provisioned', 'denied', 'withdrawn')", name=op.f("ck_access_requests_state")
        ),
        _owned("access_requests", "requester_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
    )
    op.create_index(op.f("ix_access_requests_requester_id"), "access_requests", ["requester_id"])
    op.create_index(op.f("ix_access_requests_subject"), "access_requests", ["subject"])
    op.create_index(op.f("ix_access_requests_state_created_at"), "access_requests", ["state", "created_at"])
