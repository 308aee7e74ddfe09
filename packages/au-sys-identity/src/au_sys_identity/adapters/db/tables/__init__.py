"""Every table, no behaviour: a module for each noun, gathered here so that none is missing."""

from au_sys_identity.adapters.db.tables.access import policies, role_assignments, roles, versions
from au_sys_identity.adapters.db.tables.approvals import approvals, delegations, mfa_windows
from au_sys_identity.adapters.db.tables.audit import (
    audit_dropped,
    audit_events,
    audit_heads,
    audit_index,
    audit_keys,
    audit_leaves,
    audit_nodes,
    subject_keys,
)
from au_sys_identity.adapters.db.tables.credentials import (
    devices,
    guess_counters,
    mfa_challenges,
    passkeys,
    passwords,
    recovery_codes,
    totp_secrets,
    used_values,
)
from au_sys_identity.adapters.db.tables.directories import directory_entries, linked_logins, settings, sync_runs
from au_sys_identity.adapters.db.tables.graph import edges, feed, groups, providers
from au_sys_identity.adapters.db.tables.invitations import invitations
from au_sys_identity.adapters.db.tables.notices import notices, one_time_tokens, outbox
from au_sys_identity.adapters.db.tables.organizations import organization_members, organizations
from au_sys_identity.adapters.db.tables.recovery import backups, change_log, revocations
from au_sys_identity.adapters.db.tables.schema import Moment, metadata, whole_metadata
from au_sys_identity.adapters.db.tables.sessions import refresh_tokens, sessions
from au_sys_identity.adapters.db.tables.subjects import machines, persons, subjects
from au_sys_identity.adapters.db.tables.tokens import api_keys, signing_keys
from au_sys_identity.adapters.db.tables.workflow import access_requests

__all__ = [
    "Moment",
    "access_requests",
    "api_keys",
    "approvals",
    "audit_dropped",
    "audit_events",
    "audit_heads",
    "audit_index",
    "audit_keys",
    "audit_leaves",
    "audit_nodes",
    "backups",
    "change_log",
    "delegations",
    "devices",
    "directory_entries",
    "edges",
    "feed",
    "groups",
    "guess_counters",
    "invitations",
    "linked_logins",
    "machines",
    "metadata",
    "mfa_challenges",
    "mfa_windows",
    "notices",
    "one_time_tokens",
    "organization_members",
    "organizations",
    "outbox",
    "passkeys",
    "passwords",
    "persons",
    "policies",
    "providers",
    "recovery_codes",
    "refresh_tokens",
    "revocations",
    "role_assignments",
    "roles",
    "sessions",
    "settings",
    "signing_keys",
    "subject_keys",
    "subjects",
    "sync_runs",
    "totp_secrets",
    "used_values",
    "versions",
    "whole_metadata",
]
