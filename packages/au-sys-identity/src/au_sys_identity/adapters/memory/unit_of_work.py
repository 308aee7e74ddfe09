"""One transaction at a time over plain dicts; a block that raises leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from au_sys_identity.adapters.memory.access import MemoryGrants
from au_sys_identity.adapters.memory.audit import MemoryAudit, MemorySubjectKeys, write_events
from au_sys_identity.adapters.memory.notices import MemoryOneTimeTokens, MemoryOutbox
from au_sys_identity.adapters.memory.proofs.approvals import MemoryApprovals
from au_sys_identity.adapters.memory.proofs.delegations import MemoryDelegations, MemoryMfaWindows
from au_sys_identity.adapters.memory.proofs.factors import MemoryFactors
from au_sys_identity.adapters.memory.proofs.keys import MemoryKeys
from au_sys_identity.adapters.memory.proofs.passkeys import MemoryPasskeys, MemoryUsedValues
from au_sys_identity.adapters.memory.relations.directories import (
    MemoryDirectoryEntries,
    MemoryLinkedLogins,
    MemorySettings,
    MemorySyncRuns,
)
from au_sys_identity.adapters.memory.relations.graph import MemoryEdges, MemoryFeed, MemoryNames
from au_sys_identity.adapters.memory.relations.groups import MemoryGroups, MemoryOrganizations
from au_sys_identity.adapters.memory.relations.invitations import MemoryInvitations, MemoryNotices
from au_sys_identity.adapters.memory.relations.machines import MemoryMachines, MemoryProviders
from au_sys_identity.adapters.memory.stores import (
    MemoryCredentials,
    MemoryGuesses,
    MemorySessions,
    MemorySigningKeys,
    MemorySubjects,
    MemoryVersions,
)
from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.adapters.memory.workflow import MemoryRequests
from au_sys_identity.core.events import Fact


class MemoryUnitOfWork:
    """All stores on one copy of the tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.feed = MemoryFeed(tables)
        self.subjects = MemorySubjects(tables, self.feed)
        self.machines = MemoryMachines(tables, self.feed)
        self.providers = MemoryProviders(tables, self.feed)
        self.groups = MemoryGroups(tables, self.feed)
        self.organizations = MemoryOrganizations(tables)
        self.names = MemoryNames(tables)
        self.edges = MemoryEdges(tables, self.feed)
        self.credentials = MemoryCredentials(tables)
        self.guesses = MemoryGuesses(tables)
        self.sessions = MemorySessions(tables)
        self.grants = MemoryGrants(tables, self.feed)
        self.versions = MemoryVersions(tables)
        self.factors = MemoryFactors(tables)
        self.passkeys = MemoryPasskeys(tables)
        self.used_values = MemoryUsedValues(tables)
        self.api_keys = MemoryKeys(tables)
        self.outbox = MemoryOutbox(tables)
        self.one_time_tokens = MemoryOneTimeTokens(tables)
        self.notices = MemoryNotices(tables)
        self.invitations = MemoryInvitations(tables)
        self.signing_keys = MemorySigningKeys(tables)
        self.settings = MemorySettings(tables)
        self.directory_entries = MemoryDirectoryEntries(tables)
        self.linked_logins = MemoryLinkedLogins(tables)
        self.sync_runs = MemorySyncRuns(tables)
        self.approvals = MemoryApprovals(tables)
        self.delegations = MemoryDelegations(tables)
        self.mfa_windows = MemoryMfaWindows(tables)
        self.requests = MemoryRequests(tables)
        self.audit = MemoryAudit(tables)
        self.subject_keys = MemorySubjectKeys(tables)
        self.facts: list[Fact] = []

    def record(self, fact: Fact) -> None:
        """Keep a fact until the commit."""
        self.facts.append(fact)

    @asynccontextmanager
    async def trial(self, *, keep: bool) -> AsyncIterator["MemoryUnitOfWork"]:
        """This one, or a copy that is thrown away."""
        yield self if keep else MemoryUnitOfWork(self._tables.copy())


class MemoryTransactions:
    """``facts`` is the audit trail."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._lock = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []
        self.facts: list[Fact] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call a listener after each commit that raised the version of a topic."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[MemoryUnitOfWork]:
        """The tables as they are."""
        yield MemoryUnitOfWork(self._tables.copy())

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[MemoryUnitOfWork]:
        """A copy that takes the tables' place when the block ends well."""
        async with self._lock:
            changed = self._tables.copy()
            unit = MemoryUnitOfWork(changed)
            yield unit
            write_events(changed, unit.facts, datetime.now(UTC))
            self._tables = changed
            self.facts.extend(unit.facts)
        if unit.versions.raised or unit.feed.raised:
            for listener in self._listeners:
                listener()
