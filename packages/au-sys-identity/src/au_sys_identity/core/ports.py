"""Clock and unit of work: what every verb needs from outside."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the nouns import this module; at run time it needs none of them
    from au_sys_identity.core.access.ports import GrantStore, VersionStore
    from au_sys_identity.core.audit.ports import AuditStore, SubjectKeyStore
    from au_sys_identity.core.credentials.ports import CredentialStore, GuessStore
    from au_sys_identity.core.directories.ports import DirectoryEntryStore, LinkedLoginStore, SyncRunStore
    from au_sys_identity.core.events import Fact
    from au_sys_identity.core.factors.ports import FactorStore, PasskeyStore, UsedValues
    from au_sys_identity.core.graph.ports import EdgeStore
    from au_sys_identity.core.machines.ports import MachineStore
    from au_sys_identity.core.notices.ports import OneTimeTokenStore, Outbox
    from au_sys_identity.core.sessions.ports import SessionStore
    from au_sys_identity.core.settings.ports import SettingStore
    from au_sys_identity.core.subjects.ports import SubjectStore
    from au_sys_identity.core.tokens.ports import KeyStore, SigningKeyStore


Clock = Callable[[], datetime]
"""The time now, in UTC."""


class UnitOfWork(Protocol):
    """All stores inside one transaction. Facts recorded in it are lost with it."""

    @property
    def subjects(self) -> "SubjectStore": ...
    @property
    def machines(self) -> "MachineStore": ...
    @property
    def edges(self) -> "EdgeStore": ...
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
    def audit(self) -> "AuditStore": ...
    @property
    def subject_keys(self) -> "SubjectKeyStore": ...

    def record(self, fact: "Fact") -> None:
        """Write a fact into the audit log, in the transaction of the change."""


class Transactions(Protocol):
    """Opens units of work: ``writing`` commits when the block ends well and rolls back when it raises."""

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def writing(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call a listener after each commit that raised the version of a topic."""
