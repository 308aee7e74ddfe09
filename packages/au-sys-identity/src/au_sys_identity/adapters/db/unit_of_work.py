"""One transaction, committed once; what it records is written with it, as events of the log and of the outbox."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.access import SqlGrants
from au_sys_identity.adapters.db.evidence.archives import SqlArchives
from au_sys_identity.adapters.db.evidence.audit import SqlAudit
from au_sys_identity.adapters.db.evidence.changes import SqlChanges
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys, SqlSubjectKeys, write_events
from au_sys_identity.adapters.db.evidence.watching import Watch, write_change, write_revocations
from au_sys_identity.adapters.db.feed import SqlFeed
from au_sys_identity.adapters.db.notices import SqlOneTimeTokens, SqlOutbox
from au_sys_identity.adapters.db.proofs.approvals import SqlApprovals
from au_sys_identity.adapters.db.proofs.credentials import SqlCredentials, SqlGuesses
from au_sys_identity.adapters.db.proofs.delegations import SqlDelegations, SqlMfaWindows
from au_sys_identity.adapters.db.proofs.factors import SqlFactors
from au_sys_identity.adapters.db.proofs.keys import SqlKeys
from au_sys_identity.adapters.db.proofs.passkeys import SqlPasskeys, SqlUsedValues
from au_sys_identity.adapters.db.proofs.sessions import SqlSessions
from au_sys_identity.adapters.db.proofs.tokens import SqlSigningKeys
from au_sys_identity.adapters.db.relations.directories import (
    SqlDirectoryEntries,
    SqlLinkedLogins,
    SqlSettings,
    SqlSyncRuns,
)
from au_sys_identity.adapters.db.relations.graph import SqlEdges, SqlNames
from au_sys_identity.adapters.db.relations.groups import SqlGroups
from au_sys_identity.adapters.db.relations.invitations import SqlInvitations, SqlNotices
from au_sys_identity.adapters.db.relations.machines import SqlMachines, SqlProviders
from au_sys_identity.adapters.db.relations.organizations import SqlOrganizations
from au_sys_identity.adapters.db.relations.subjects import SqlSubjects
from au_sys_identity.adapters.db.versions import SqlVersions
from au_sys_identity.adapters.db.workflow import SqlRequests
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock
from fastapi_services_platform import Database, Event, Outbox


class Trial(Protocol):
    """Opens a unit within another."""

    def __call__(self, *, keep: bool) -> AbstractAsyncContextManager["SqlUnitOfWork"]: ...


class SqlUnitOfWork:
    """All stores on one database session."""

    def __init__(self, session: AsyncSession, keys: PersonalKeys) -> None:
        self.versions = SqlVersions(session)
        self.feed = SqlFeed(session, self.versions)
        self.subjects = SqlSubjects(session, self.feed)
        self.machines = SqlMachines(session, self.feed)
        self.providers = SqlProviders(session, self.feed)
        self.groups = SqlGroups(session, self.feed)
        self.organizations = SqlOrganizations(session)
        self.names = SqlNames(session)
        self.edges = SqlEdges(session, self.feed)
        self.credentials = SqlCredentials(session)
        self.guesses = SqlGuesses(session)
        self.sessions = SqlSessions(session)
        self.grants = SqlGrants(session, self.feed)
        self.factors = SqlFactors(session)
        self.passkeys = SqlPasskeys(session)
        self.used_values = SqlUsedValues(session)
        self.api_keys = SqlKeys(session)
        self.outbox = SqlOutbox(session)
        self.one_time_tokens = SqlOneTimeTokens(session)
        self.notices = SqlNotices(session)
        self.invitations = SqlInvitations(session)
        self.signing_keys = SqlSigningKeys(session)
        self.settings = SqlSettings(session)
        self.directory_entries = SqlDirectoryEntries(session)
        self.linked_logins = SqlLinkedLogins(session)
        self.sync_runs = SqlSyncRuns(session)
        self.approvals = SqlApprovals(session)
        self.delegations = SqlDelegations(session)
        self.mfa_windows = SqlMfaWindows(session)
        self.requests = SqlRequests(session)
        self.audit = SqlAudit(session)
        self.subject_keys = SqlSubjectKeys(session, keys)
        self.archives = SqlArchives(session, self.subject_keys, keys)
        self.changes = SqlChanges(session, self.subject_keys, keys.root)
        self.watch: Watch | None = None
        self.change_id = uuid7()
        self.facts: list[Fact] = []
        self.trial: Trial = _reads_only

    @property
    def paused(self) -> bool:
        """Whether no images are kept of what this transaction changes."""
        return self.watch is None or self.watch.paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        if self.watch is not None:
            self.watch.paused = paused

    def unwatched(self) -> None:
        """Keep no images of what this transaction changes."""
        self.paused = True

    def record(self, fact: Fact) -> None:
        """Keep a fact until the commit."""
        self.facts.append(fact)


def _reads_only(*, keep: bool) -> AbstractAsyncContextManager[SqlUnitOfWork]:
    raise RuntimeError(f"nothing is tried in a unit of work that only reads (keep={keep})")


class SqlTransactions:
    """Units of work on the capability's database."""

    def __init__(self, database: Database, keys: PersonalKeys, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self.keys = keys
        self._clock = clock
        self.keep_changes = True
        self._outbox = Outbox(database)
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call a listener after each commit that raised the version of a topic."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlUnitOfWork]:
        """One consistent view; nothing is committed."""
        async with self._database.session() as session:
            yield SqlUnitOfWork(session, self.keys)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqlUnitOfWork]:
        """Commit when the block ends well, roll back when it raises."""
        async with self._database.session(write=True) as session:
            async with session.begin():
                unit = self._watched(session)
                yield unit
                await self._complete(session, unit)
            self.keys.remember(unit.subject_keys.made)
            if unit.versions.raised:
                for listener in self._listeners:
                    listener()

    def _watched(self, session: AsyncSession) -> SqlUnitOfWork:
        unit = SqlUnitOfWork(session, self.keys)
        unit.watch = Watch(session)
        unit.trial = partial(self._trial, unit, session)
        return unit

    @asynccontextmanager
    async def _trial(self, whole: SqlUnitOfWork, session: AsyncSession, *, keep: bool) -> AsyncIterator[SqlUnitOfWork]:
        """A unit behind a savepoint, with a watch of its own.

        Nobody is told of what is undone, which leaves room for the event that says why.
        """
        paused, whole.paused = whole.paused, True
        async with session.begin_nested() as point:
            unit = self._watched(session)
            yield unit
            await self._complete(session, unit, tell=keep)
            unit.paused = True
            if keep:
                whole.versions.raised |= unit.versions.raised
                whole.subject_keys.made |= unit.subject_keys.made
            else:
                await point.rollback()
        whole.paused = paused

    async def _complete(self, session: AsyncSession, unit: SqlUnitOfWork, *, tell: bool = True) -> None:
        """Write what belongs to the changes: their images, their events, and what others are told of them."""
        await self._keep_images(session, unit)
        if unit.facts:
            await write_events(session, unit.subject_keys, unit.facts, self._clock)
        for fact in unit.facts:
            if fact.published and tell:
                told = Event(fact.action, fact.resource, {"actor": fact.actor, **fact.details})
                await self._outbox.publish(session, told)

    def forget_keys(self) -> None:
        """Ask the database again for keys of subjects."""
        self.keys.forget()

    async def _keep_images(self, session: AsyncSession, unit: SqlUnitOfWork) -> None:
        if unit.watch is None or unit.watch.paused or not (images := await unit.watch.images()):
            return
        at = self._clock()
        if self.keep_changes:
            await write_change(session, images, unit, self.keys.root, at)
        await write_revocations(session, images, at)
