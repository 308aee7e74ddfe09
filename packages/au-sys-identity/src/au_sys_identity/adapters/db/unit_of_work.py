"""One transaction, committed once; what it records is written with it, as events of the log and of the outbox."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.access import SqlGrants, SqlVersions
from au_sys_identity.adapters.db.audit import SqlAudit
from au_sys_identity.adapters.db.credentials import SqlCredentials, SqlGuesses
from au_sys_identity.adapters.db.directories import SqlDirectoryEntries, SqlLinkedLogins, SqlSettings, SqlSyncRuns
from au_sys_identity.adapters.db.factors import SqlFactors
from au_sys_identity.adapters.db.keys import SqlKeys
from au_sys_identity.adapters.db.machines import SqlEdges, SqlMachines
from au_sys_identity.adapters.db.notices import SqlOneTimeTokens, SqlOutbox
from au_sys_identity.adapters.db.passkeys import SqlPasskeys, SqlUsedValues
from au_sys_identity.adapters.db.personal import PersonalKeys, SqlSubjectKeys, write_events
from au_sys_identity.adapters.db.sessions import SqlSessions
from au_sys_identity.adapters.db.subjects import SqlSubjects
from au_sys_identity.adapters.db.tokens import SqlSigningKeys
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock
from fastapi_services_platform import Database, Event, Outbox


class SqlUnitOfWork:
    """All stores on one database session."""

    def __init__(self, session: AsyncSession, keys: PersonalKeys) -> None:
        self.subjects = SqlSubjects(session)
        self.machines = SqlMachines(session)
        self.edges = SqlEdges(session)
        self.credentials = SqlCredentials(session)
        self.guesses = SqlGuesses(session)
        self.sessions = SqlSessions(session)
        self.grants = SqlGrants(session)
        self.versions = SqlVersions(session)
        self.factors = SqlFactors(session)
        self.passkeys = SqlPasskeys(session)
        self.used_values = SqlUsedValues(session)
        self.api_keys = SqlKeys(session)
        self.outbox = SqlOutbox(session)
        self.one_time_tokens = SqlOneTimeTokens(session)
        self.signing_keys = SqlSigningKeys(session)
        self.settings = SqlSettings(session)
        self.directory_entries = SqlDirectoryEntries(session)
        self.linked_logins = SqlLinkedLogins(session)
        self.sync_runs = SqlSyncRuns(session)
        self.audit = SqlAudit(session)
        self.subject_keys = SqlSubjectKeys(session, keys)
        self.facts: list[Fact] = []

    def record(self, fact: Fact) -> None:
        """Keep a fact until the commit."""
        self.facts.append(fact)


class SqlTransactions:
    """Units of work on the capability's database."""

    def __init__(self, database: Database, keys: PersonalKeys, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self.keys = keys
        self._clock = clock
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
                unit = SqlUnitOfWork(session, self.keys)
                yield unit
                if unit.facts:
                    await write_events(session, unit.subject_keys, unit.facts, self._clock)
                for fact in unit.facts:
                    if fact.published:
                        told = Event(fact.action, fact.resource, {"actor": fact.actor, **fact.details})
                        await self._outbox.publish(session, told)
            self.keys.remember(unit.subject_keys.made)
            if unit.versions.raised:
                for listener in self._listeners:
                    listener()
