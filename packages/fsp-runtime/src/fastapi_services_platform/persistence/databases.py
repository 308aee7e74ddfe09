"""One pooled async engine per capability."""

import os
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from fastapi_services_platform.capability.contribution import Health, Migrations
from fastapi_services_platform.config.settings import PlatformSettings, platform_settings
from fastapi_services_platform.errors import ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from fastapi_services_platform.persistence.engines import EngineTerms

Purpose = Literal["any", "read", "write", "serializable"]

BUSY_TIMEOUT_MS = 5_000
"""How long a SQLite writer waits for one of another process."""
_PATIENCE_SECONDS = 15.0
"""How long a SQLite writer waits for those of this process."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_DRIVER = re.compile(r"^([a-z0-9]+)(?:\+[a-z0-9_]+)?://")
_PASSWORD = re.compile(r"(?<=:)[^:/@]+(?=@)")


class Database:
    """The database of one capability: a lazy engine and its sessions.

    Lives as long as the app (or the worker) and is closed once. ``url`` never appears in ``repr``: it may hold a
    password.
    """

    def __init__(
        self, name: str, url: str, *, pool_size: int = 5, statement_seconds: float = 30.0, slow_seconds: float = 0.5
    ) -> None:
        self.name = name
        self.dialect = _dialect_of(name, url)
        self._address = _DRIVER.sub(f"{_DRIVERS[self.dialect]}://", url, count=1)
        self._pool_size = pool_size
        self._statement_seconds = statement_seconds
        self._slow_seconds = slow_seconds
        self._opened = False
        self.watchers: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"Database(name={self.name!r}, dialect={self.dialect!r})"

    @property
    def opened(self) -> bool:
        """Whether anything used the engine so far."""
        return self._opened

    @property
    def address(self) -> str:
        """The URL with the password hidden."""
        return _PASSWORD.sub("***", self._address)

    @property
    def file(self) -> str | None:
        """The file of a SQLite database that is in one."""
        path = self._address.partition(":///")[2].partition("?")[0]
        return path if self.dialect == "sqlite" and path not in ("", ":memory:") else None

    @cached_property
    def url(self) -> "URL":
        """The parsed URL."""
        from sqlalchemy import make_url

        return make_url(self._address)

    @cached_property
    def engine(self) -> "AsyncEngine":
        """The pooled engine, made on first use."""
        from fastapi_services_platform.persistence.engines import postgres_engine, sqlite_engine

        self._opened = True
        terms = self._terms(self._statement_seconds)
        if self.dialect == "sqlite":
            return sqlite_engine(self.url, terms)
        return postgres_engine(self.url, terms)

    @cached_property
    def patient_engine(self) -> "AsyncEngine":
        """An engine for migrations: without a time limit, and it keeps no connection."""
        from fastapi_services_platform.persistence.engines import postgres_engine, sqlite_engine

        if self.dialect == "postgresql":
            return postgres_engine(self.url, self._terms(0.0), pooled=False)
        if self.file is None:
            return self.engine
        return sqlite_engine(self.url, self._terms(0.0), pooled=False)

    def _terms(self, statement_seconds: float) -> "EngineTerms":
        from fastapi_services_platform.persistence.engines import EngineTerms

        busy = BUSY_TIMEOUT_MS / 1000
        slow = self._slow_seconds if statement_seconds or not self._statement_seconds else 0.0
        return EngineTerms(self.name, self._pool_size, busy, statement_seconds, slow)

    @cached_property
    def _sessions(self) -> "dict[Purpose, Any]":  # Any: async_sessionmaker[AsyncSession], not loaded here
        from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

        from fastapi_services_platform.persistence.turns import Turns, WritingSession

        options: dict[Purpose, dict[str, object]] = {
            "any": {},
            "write": {"fsp_write": True},
            "read": {"fsp_read_only": True, "postgresql_readonly": True},
            "serializable": {"fsp_write": True, "isolation_level": "SERIALIZABLE"},
        }
        if self.dialect == "sqlite":  # serializable anyhow: it has one writer
            options["read"], options["serializable"] = {"fsp_read_only": True}, {"fsp_write": True}
        queued: dict[str, Any] = {}  # Any: as above
        if self.dialect == "sqlite":
            queued = {"class_": WritingSession, "turns": Turns(self.name, _PATIENCE_SECONDS)}
        return {
            purpose: async_sessionmaker(
                self.engine.execution_options(**chosen),
                expire_on_commit=False,
                **(queued if "fsp_write" in chosen else {"class_": AsyncSession}),
            )
            for purpose, chosen in options.items()
        }

    def session(self, *, write: bool = False, read_only: bool = False) -> "AsyncSession":
        """A new session; use it as ``async with``. ``write=True`` takes SQLite's write lock when the transaction
        begins; with ``read_only=True`` the database refuses every change.
        """
        found: AsyncSession = self._sessions["write" if write else "read" if read_only else "any"]()
        return found

    @asynccontextmanager
    async def transaction(self, *, serializable: bool = False) -> "AsyncIterator[AsyncSession]":
        """A write session that commits when the block ends and rolls back when it raises.

        ``serializable``: as if no other transaction ran beside it; PostgreSQL refuses what would not be.
        """
        async with self._sessions["serializable" if serializable else "write"]() as session, session.begin():
            yield session

    def pool_figures(self) -> dict[str, float]:
        """Size, use, overflow, and how long connections were waited for; empty while nothing was opened."""
        if not self._opened:
            return {}
        pool = self.engine.pool
        figures = {
            "size": "size",
            "in_use": "checkedout",
            "overflow": "overflow",
            "checkouts": "checkouts",
            "wait_seconds": "wait_seconds",
        }
        found = {name: getattr(pool, attribute, 0) for name, attribute in figures.items()}
        return {name: max(0.0, float(value() if callable(value) else value)) for name, value in found.items()}

    def tell_watchers(self) -> None:
        """A transaction of this process that published something was committed."""
        for watcher in self.watchers:
            watcher()

    def exclusively(self, purpose: str) -> AbstractAsyncContextManager[None]:
        """Let one process of all that share the database do something at a time: ``async with``. For what a start does
        once, whichever node is first.
        """
        from fastapi_services_platform.persistence.locks import exclusively

        return exclusively(self, purpose)

    async def migrate(self, migrations: Migrations) -> None:
        """Bring the schema to its head under a lock; a database at its head does not import Alembic.

        Raises:
            MigrationError: the upgrade failed; the previous state stands.
        """
        from fastapi_services_platform.persistence.migrations import upgrade

        await upgrade(self, migrations)

    async def check(self) -> Health:
        """Whether a connection answers."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            return Health("unhealthy", f"database does not answer: {type(error).__name__}")
        return Health("healthy", data={"pool": self.pool_figures()})

    async def close(self) -> None:
        """Close every connection."""
        if self._opened:
            await self.engine.dispose()


def open_database(name: str, settings: PlatformSettings | None = None) -> Database:
    """The database of a capability, addressed as the web process would: for workers and command lines.

    The address is ``<NAME>_DATABASE_URL``, else ``FSP_DATABASE_URL``, else a SQLite file in ``FSP_DATA_DIR``.

    Raises:
        ConfigurationError: the address is no database URL that the platform serves.
    """
    used = settings or platform_settings()
    own = os.environ.get(
        f"{name.upper()}_DATABASE_URL"
    )  # factory: allow A14 -- a variable for each capability, by its name
    url = own or used.database_url or f"sqlite+aiosqlite:///{used.data_dir / name}.db"
    return Database(
        name,
        url,
        pool_size=used.database_pool_size,
        statement_seconds=used.database_statement_seconds,
        slow_seconds=used.database_slow_seconds,
    )


def _dialect_of(name: str, url: str) -> str:
    """``sqlite`` or ``postgresql``, found without SQLAlchemy: importing it costs more than a start should.

    Raises:
        ConfigurationError: the address is none of these.
        DatabaseError: the driver is not installed.
    """
    variable = f"{name.upper()}_DATABASE_URL or FSP_DATABASE_URL"
    found = _DRIVER.match(url)
    if found is None:
        fix = "write sqlite:///path/to/file.db or postgresql://user:password@host/database."
        raise ConfigurationError(f"the database address of {name} is not a URL.", variable=variable, fix=fix)
    backend = "postgresql" if found.group(1) == "postgres" else found.group(1)
    if backend not in _DRIVERS:
        fix = "use sqlite:///… or postgresql://…."
        raise ConfigurationError(f"{backend} is not served.", variable=variable, fix=fix)
    if backend == "postgresql":
        _need_asyncpg()
    return backend


def _need_asyncpg() -> None:
    from importlib.util import find_spec

    if find_spec("asyncpg") is None:
        raise DatabaseError("PostgreSQL needs asyncpg.", "install fastapi-services-platform[postgres].")


def is_transient(error: BaseException) -> bool:
    """Whether a failed transaction may simply be run again: a busy SQLite file, a deadlock or a serialization
    failure.
    """
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause)
    return getattr(cause, "sqlstate", None) in {"40001", "40P01"}
