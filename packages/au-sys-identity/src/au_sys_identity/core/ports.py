"""Clock and unit of work: what every verb needs from outside."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the nouns import this module; at run time it needs none of them
    from au_sys_identity.core.access.ports import GrantStore, VersionStore
    from au_sys_identity.core.approvals.ports import ApprovalStore
    from au_sys_identity.core.audit.ports import AuditStore, SubjectKeyStore
    from au_sys_identity.core.credentials.ports import CredentialStore, GuessStore
    from au_sys_identity.core.delegations.ports import DelegationStore
    from au_sys_identity.core.directories.ports import DirectoryEntryStore, LinkedLoginStore, SyncRunStore
    from au_sys_identity.core.events import Fact
    from au_sys_identity.core.factors.ports import FactorStore, PasskeyStore, UsedValues
    from au_sys_identity.core.graph.ports import EdgeStore, FeedStore
    from au_sys_identity.core.groups.ports import GroupStore
    from au_sys_identity.core.invitations.ports import InvitationStore
    from au_sys_identity.core.machines.ports import MachineStore, ProviderStore
    from au_sys_identity.core.machines.windows import MfaWindows
    from au_sys_identity.core.notices.ports import NoticeStore, OneTimeTokenStore, Outbox
    from au_sys_identity.core.organizations.ports import OrganizationStore
    from au_sys_identity.core.sessions.ports import SessionStore
    from au_sys_identity.core.settings.ports import SettingStore
    from au_sys_identity.core.subjects.ports import NameStore, SubjectStore
    from au_sys_identity.core.tokens.ports import KeyStore, SigningKeyStore
    from au_sys_identity.core.workflow.ports import RequestStore


Clock = Callable[[], datetime]
"""The time now, in UTC."""


class UnitOfWork(Protocol):
    """All stores inside one transaction. Facts recorded in it are lost with it."""

    @property
    def subjects(self) -> "SubjectStore": ...
    @property
    def machines(self) -> "MachineStore": ...
    @property
    def providers(self) -> "ProviderStore": ...
    @property
    def groups(self) -> "GroupStore": ...
    @property
    def organizations(self) -> "OrganizationStore": ...
    @property
    def names(self) -> "NameStore": ...
    @property
    def edges(self) -> "EdgeStore": ...
    @property
    def feed(self) -> "FeedStore": ...
    @property
    def credentials(self) -> "CredentialStore": ...
    @property
    def guesses(self) -> "GuessStore": ...
    @property
    def sessions(self) -> "SessionStore": ...
    @property
    def grants(self) -> "GrantStore": ...
    @property
    def versions(self) -> "VersionStore": ...
    @property
    def factors(self) -> "FactorStore": ...
    @property
    def passkeys(self) -> "PasskeyStore": ...
    @property
    def used_values(self) -> "UsedValues": ...
    @property
    def api_keys(self) -> "KeyStore": ...
    @property
    def outbox(self) -> "Outbox": ...
    @property
    def one_time_tokens(self) -> "OneTimeTokenStore": ...
    @property
    def notices(self) -> "NoticeStore": ...
    @property
    def invitations(self) -> "InvitationStore": ...
    @property
    def settings(self) -> "SettingStore": ...
    @property
    def directory_entries(self) -> "DirectoryEntryStore": ...
    @property
    def linked_logins(self) -> "LinkedLoginStore": ...
    @property
    def sync_runs(self) -> "SyncRunStore": ...
    @property
    def signing_keys(self) -> "SigningKeyStore": ...
    @property
    def approvals(self) -> "ApprovalStore": ...
    @property
    def delegations(self) -> "DelegationStore": ...
    @property
    def mfa_windows(self) -> "MfaWindows": ...
    @property
    def requests(self) -> "RequestStore": ...

    @property
    def audit(self) -> "AuditStore": ...
    @property
    def subject_keys(self) -> "SubjectKeyStore": ...

    def record(self, fact: "Fact") -> None:
        """Write a fact into the audit log, in the transaction of the change."""

    def trial(self, *, keep: bool) -> "AbstractAsyncContextManager[UnitOfWork]":
        """A unit within this one, of a transaction that writes. All that is done in it is completed, and then kept or
        undone: either takes the same work.
        """


class Transactions(Protocol):
    """Opens units of work: ``writing`` commits when the block ends well and rolls back when it raises."""

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def writing(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call a listener after each commit that raised the version of a topic."""
