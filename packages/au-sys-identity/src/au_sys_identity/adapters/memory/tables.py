"""What the memory stores share: plain dicts that can be copied and put back."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from uuid import UUID

from au_sys_identity.core.access.models import Assignment, Policy, Role
from au_sys_identity.core.approvals.models import Approval
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.models import HeadKey, Kept
from au_sys_identity.core.audit.tree import Coordinate
from au_sys_identity.core.credentials.models import Counter, Device, PasswordRecord
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.directories.models import KnownEntry, LinkedLogin, SyncRun
from au_sys_identity.core.factors.models import Challenge, Passkey, TotpSecret
from au_sys_identity.core.freshness import GRAPH
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.graph.ports import FeedEntry
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.machines.models import Machine, Provider
from au_sys_identity.core.notices.models import InAppNotice, OneTimeToken, OutboxItem
from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION, DEFAULT_SLUG, Membership, Organization
from au_sys_identity.core.sessions.models import RefreshToken, Session
from au_sys_identity.core.settings.ports import KeptSetting
from au_sys_identity.core.subjects.models import Person
from au_sys_identity.core.tokens.models import ApiKey, SigningKey
from au_sys_identity.core.workflow.models import AccessRequest

_START = datetime(2026, 1, 1, tzinfo=UTC)
_DEFAULT = Organization(DEFAULT_ORGANIZATION, DEFAULT_SLUG, "Default", _START, _START)


@dataclass(slots=True)
class Tables:
    """Everything that is stored; the values are frozen."""

    persons: dict[UUID, Person] = field(default_factory=dict)
    machines: dict[UUID, Machine] = field(default_factory=dict)
    providers: dict[UUID, Provider] = field(default_factory=dict)
    groups: dict[UUID, Group] = field(default_factory=dict)
    organizations: dict[UUID, Organization] = field(default_factory=lambda: {DEFAULT_ORGANIZATION: _DEFAULT})
    organization_members: dict[tuple[UUID, UUID], Membership] = field(default_factory=dict)
    edges: dict[tuple[UUID, str, UUID], Edge] = field(default_factory=dict)
    feed: dict[tuple[str, int], tuple[FeedEntry, datetime]] = field(default_factory=dict)
    passwords: dict[UUID, PasswordRecord] = field(default_factory=dict)
    devices: dict[bytes, Device] = field(default_factory=dict)
    guesses: dict[tuple[str, bytes], Counter] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    refresh_tokens: dict[tuple[UUID, int], RefreshToken] = field(default_factory=dict)
    totp: dict[UUID, TotpSecret] = field(default_factory=dict)
    recovery_codes: dict[UUID, frozenset[bytes]] = field(default_factory=dict)
    passkeys: dict[UUID, Passkey] = field(default_factory=dict)
    used_values: dict[tuple[str, bytes], datetime] = field(default_factory=dict)
    challenges: dict[bytes, Challenge] = field(default_factory=dict)
    api_keys: dict[UUID, ApiKey] = field(default_factory=dict)
    outbox: dict[UUID, OutboxItem] = field(default_factory=dict)
    dead_letters: dict[UUID, datetime] = field(default_factory=dict)
    one_time_tokens: dict[bytes, OneTimeToken] = field(default_factory=dict)
    notices: dict[UUID, InAppNotice] = field(default_factory=dict)
    invitations: dict[UUID, Invitation] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    assignments: dict[tuple[str, str, str], Assignment] = field(default_factory=dict)
    policies: dict[tuple[str, ...], Policy] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=lambda: {GRAPH: 1})
    settings: dict[str, KeptSetting] = field(default_factory=dict)
    directory_entries: dict[tuple[str, str], KnownEntry] = field(default_factory=dict)
    linked_logins: dict[UUID, LinkedLogin] = field(default_factory=dict)
    sync_runs: dict[UUID, SyncRun] = field(default_factory=dict)
    signing_keys: dict[str, SigningKey] = field(default_factory=dict)
    approvals: dict[UUID, Approval] = field(default_factory=dict)
    delegations: dict[UUID, Delegation] = field(default_factory=dict)
    mfa_windows: dict[UUID, datetime] = field(default_factory=dict)
    access_requests: dict[UUID, AccessRequest] = field(default_factory=dict)
    audit_events: dict[UUID, Kept] = field(default_factory=dict)
    audit_places: dict[int, UUID] = field(default_factory=dict)
    audit_nodes: dict[Coordinate, bytes] = field(default_factory=dict)
    audit_heads: dict[int, Head] = field(default_factory=dict)
    audit_dropped: dict[int, datetime] = field(default_factory=dict)
    audit_keys: dict[str, HeadKey] = field(default_factory=dict)
    destroyed_keys: dict[UUID, datetime] = field(default_factory=dict)

    def copy(self) -> "Tables":
        """The same rows in new dicts."""
        return Tables(**{known.name: dict(getattr(self, known.name)) for known in fields(self)})
