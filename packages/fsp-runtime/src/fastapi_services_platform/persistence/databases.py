"""One pooled async engine per capability."""

import os
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastapi_services_platform.capability.contribution import Health, Migrations
from fastapi_services_platform.config.settings import PlatformSettings, platform_settings
from fastapi_services_platform.errors import ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

BUSY_TIMEOUT_MS = 5_000
"""How long a SQLite writer waits for another one."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_DRIVER = re.compile(r"^([a-z0-9]+)(?:\+[a-z0-9_]+)?://")
_PASSWORD = re.compile(r"(?<=:)[^:/@]+(?=@)")


class Database:
    """The database of one capability: a lazy engine and its sessions.

    Lives as long as the app (or the worker) and is closed once. ``url`` never appears in ``repr``: it may hold a
    password.
    """

    def __init__(self, name: str, url: str, *, pool_size: int = 5) -> None:
        self.name = name
        self.dialect = _dialect_of(name, url)
        self._address = _DRIVER.sub(f"{_DRIVERS[self.dialect]}://", url, count=1)
        self._pool_size = pool_size
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
        from sqlalchemy.ext.asyncio import create_async_engine

        self._opened = True
        if self.dialect == "sqlite":
            _make_folder(self.file)
            engine = create_async_engine(self.url, pool_pre_ping=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
            _configure_sqlite(engine)
            return engine
        return create_async_engine(
            self.url,
            pool_pre_ping=True,
            pool_size=self._pool_size,
            max_overflow=self._pool_size,
            pool_timeout=10,
            pool_recycle=1800,
            connect_args={"timeout": 10, "server_settings": {"application_name": f"fsp-{self.name}"}},
        )

    @cached_property
    def _sessions(self) -> "tuple[Any, Any]":  # async_sessionmaker[AsyncSession] for reading and for writing
        from sqlalchemy.ext.asyncio import async_sessionmaker

        writing = self.engine.execution_options(fsp_write=True)
        return (
            async_sessionmaker(self.engine, expire_on_commit=False),
            async_sessionmaker(writing, expire_on_commit=False),
        )

    def session(self, *, write: bool = False) -> "AsyncSession":
        """A new session; use it as ``async with``. ``write=True`` takes SQLite's write lock when the transaction
        begins.
        """
        found: AsyncSession = self._sessions[1 if write else 0]()
        return found

    @asynccontextmanager
    async def transaction(self) -> "AsyncIterator[AsyncSession]":
        """A write session that commits when the block ends and rolls back when it raises."""
        async with self.session(write=True) as session, session.begin():
            yield session

    def tell_watchers(self) -> None:
        """A transaction of this process that published something was committed."""
        for watcher in self.watchers:
            watcher()

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
        return Health("healthy", data={"pool": self.engine.pool.status()} if self.dialect != "sqlite" else {})

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
    return Database(name, url, pool_size=used.database_pool_size)


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


def _make_folder(path: str | None) -> None:
    if path is not None:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o750, exist_ok=True)


def _configure_sqlite(engine: "AsyncEngine") -> None:
    from sqlalchemy import event

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:  # Any: SQLAlchemy's adapter around an aiosqlite connection
        connection.isolation_level = None  # SQLAlchemy's BEGIN below is the only one
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "synchronous=FULL",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:  # Any: sqlalchemy.Connection, untyped in the listener's signature
        writes = connection.get_execution_options().get("fsp_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def is_transient(error: BaseException) -> bool:
    """Whether a failed transaction may simply be run again: a busy SQLite file, a deadlock or a serialization
    failure.
    """
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause)
    return getattr(cause, "sqlstate", None) in {"40001", "40P01"}
