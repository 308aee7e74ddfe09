"""One transaction, committed once, with every store inside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform import Database
from skriptoteket.adapters.db.catalog import SqlTaxonomyStore, SqlToolStore
from skriptoteket.adapters.db.governance.environments import SqlEnvironmentStore
from skriptoteket.adapters.db.governance.nominations import SqlNominationStore
from skriptoteket.adapters.db.governance.stewardship import SqlStewardshipStore
from skriptoteket.adapters.db.governance.suggestions import SqlSuggestionStore
from skriptoteket.adapters.db.personal.names import SqlNameStore
from skriptoteket.adapters.db.personal.preferences import SqlPreferenceStore
from skriptoteket.adapters.db.personal.schedules import SqlScheduleStore
from skriptoteket.adapters.db.personal.sessions import SqlSessionStore
from skriptoteket.adapters.db.run_queue import SqlRunQueue
from skriptoteket.adapters.db.runs import SqlRunStore, SqlWorkerStore
from skriptoteket.adapters.db.streams import SqlStreamStore
from skriptoteket.adapters.db.versions import SqlDraftLockStore, SqlSnapshotStore, SqlVersionStore
from skriptoteket.core.errors import DatabaseBusy


class SqlUnit:
    """The stores of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.tools = SqlToolStore(session)
        self.taxonomy = SqlTaxonomyStore(session)
        self.versions = SqlVersionStore(session)
        self.locks = SqlDraftLockStore(session)
        self.snapshots = SqlSnapshotStore(session)
        self.preferences = SqlPreferenceStore(session)
        self.sessions = SqlSessionStore(session)
        self.schedules = SqlScheduleStore(session)
        self.names = SqlNameStore(session)
        self.nominations = SqlNominationStore(session)
        self.suggestions = SqlSuggestionStore(session)
        self.stewardship = SqlStewardshipStore(session)
        self.runs = SqlRunStore(session)
        self.queue = SqlRunQueue(session)
        self.workers = SqlWorkerStore(session)
        self.streams = SqlStreamStore(session)
        self.environments = SqlEnvironmentStore(session)


class SqlUnitOfWork:
    """Opens transactions on the library's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnit]:
        """Stores that see one snapshot; nothing is committed."""
        async with self._database.session() as session:
            yield SqlUnit(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnit]:
        """Stores under the writer's lock; committed when the block ends, rolled back when it raises.

        Raises:
            DatabaseBusy: the lock was not given in time.
        """
        try:
            async with self._database.session(write=True) as session, session.begin():
                yield SqlUnit(session)
        except DBAPIError as error:
            if _is_busy(error):
                raise DatabaseBusy from error
            raise


def _is_busy(error: DBAPIError) -> bool:
    text = str(error.orig).lower()
    code = getattr(error.orig, "sqlstate", None)
    return "database is locked" in text or "database is busy" in text or code in ("40001", "40P01", "55P03")
