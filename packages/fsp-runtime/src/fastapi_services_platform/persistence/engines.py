"""Engines with a time limit for statements, a log of slow ones, read-only transactions, and a pool that is measured."""

import os
import re
import sqlite3
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sqlalchemy import URL, NullPool, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.persistence.sqlite_driver import connected

_log = get_logger(__name__)

_OPCODES = 50_000
"""How much work SQLite does between two looks at the clock: some milliseconds."""
_ANSWER_SECONDS = 5.0
"""How much longer than the server's own limit an answer may take before the connection counts as lost."""
_LONGEST_STATEMENT = 2_000
_SPACES = re.compile(r"\s+")
_LITERAL = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class EngineTerms:
    """What an engine is held to. ``statement_seconds`` 0: no limit; ``slow_seconds`` 0: no log of slow statements."""

    name: str
    pool_size: int = 5
    busy_seconds: float = 5.0
    statement_seconds: float = 30.0
    slow_seconds: float = 0.5


class MeasuredPool(AsyncAdaptedQueuePool):
    """Knows how often a connection was asked for and how long that took, waiting and connecting together."""

    __module__ = (
        "sqlalchemy.pool"  # its logger is named after this: what pools tell is SQLAlchemy's, not the platform's
    )
    checkouts = 0
    wait_seconds = 0.0

    def connect(self) -> PoolProxiedConnection:
        """A connection, when there is one."""
        begun = perf_counter()
        try:
            return super().connect()
        finally:
            self.checkouts += 1
            self.wait_seconds += perf_counter() - begun


def sqlite_engine(url: URL, terms: EngineTerms, *, pooled: bool = True) -> AsyncEngine:
    """An engine in WAL mode with safe pragmas; ``BEGIN`` is ours, so that writers can take the lock at once."""
    pool: dict[str, Any] = {"poolclass": MeasuredPool if pooled else NullPool}  # Any: a class, typed as such below
    if url.database in (None, "", ":memory:"):
        pool = {}
    arguments = {"timeout": terms.busy_seconds, "factory": _in_its_folder}
    engine = create_async_engine(url, hide_parameters=True, connect_args=arguments, **pool)
    event.listen(engine.sync_engine, "do_connect", connected)
    _configure_sqlite(engine, terms)
    _log_slow(engine, terms)
    return engine


def postgres_engine(url: URL, terms: EngineTerms, *, pooled: bool = True) -> AsyncEngine:
    """An engine on asyncpg; without a pool for work that may take its time and keeps no connection."""
    limit = int(terms.statement_seconds * 1000)
    server = {"application_name": f"fsp-{terms.name}", "statement_timeout": str(limit)}
    arguments: dict[str, object] = {"timeout": 10, "server_settings": server}
    if limit:
        arguments["command_timeout"] = terms.statement_seconds + _ANSWER_SECONDS
    pool: dict[str, Any] = {"poolclass": NullPool}  # Any: as above
    if pooled:
        pool = {
            "poolclass": MeasuredPool,
            "pool_pre_ping": True,
            "pool_size": terms.pool_size,
            "max_overflow": terms.pool_size,
            "pool_timeout": 10,
            "pool_recycle": 1800,
        }
    engine = create_async_engine(url, hide_parameters=True, connect_args=arguments, **pool)
    _log_slow(engine, terms)
    return engine


def _in_its_folder(database: str, **options: Any) -> sqlite3.Connection:  # Any: whatever sqlite3.connect() takes
    """Called in the connection's own thread, where a folder may be made without holding up anybody."""
    if not database.startswith("file:"):
        os.makedirs(os.path.dirname(os.path.abspath(database)), mode=0o750, exist_ok=True)
    options.pop("factory", None)
    return sqlite3.Connection(database, **options)


def _configure_sqlite(engine: AsyncEngine, terms: EngineTerms) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def configured(connection: Any, record: ConnectionPoolEntry) -> None:
        # Any: SQLAlchemy's adapter around an aiosqlite connection
        connection.isolation_level = None  # SQLAlchemy's BEGIN below is the only one
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            f"busy_timeout={int(terms.busy_seconds * 1000)}",
            "synchronous=FULL",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if terms.statement_seconds:
            _limit_statements(connection, record)

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:  # Any: sqlalchemy.Connection, untyped in the listener's signature
        options = connection.get_execution_options()
        reads = bool(options.get("fsp_read_only", False))
        if connection.info.get("fsp_reads", False) != reads:
            connection.exec_driver_sql(f"PRAGMA query_only={int(reads)}")
            connection.info["fsp_reads"] = reads
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("fsp_write", False) else "BEGIN")

    if terms.statement_seconds:

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def timed(connection: Any, *_rest: object) -> None:  # Any: as above
            connection.info["fsp_ends"][0] = perf_counter() + terms.statement_seconds


def _limit_statements(connection: Any, record: ConnectionPoolEntry) -> None:  # Any: as above
    """SQLite knows no time limit: it asks in the middle of its work whether to go on."""
    ends = record.info["fsp_ends"] = [float("inf")]
    over = lambda: int(perf_counter() > ends[0])  # noqa: E731 - called from SQLite's thread
    connection.run_async(lambda driver: driver.set_progress_handler(over, _OPCODES))


def _log_slow(engine: AsyncEngine, terms: EngineTerms) -> None:
    if not terms.slow_seconds:
        return

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def begun(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        # Any: untyped in the listener's signature
        context.fsp_begun = perf_counter()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def ended(_connection: Any, _cursor: Any, statement: str, values: Any, context: Any, _many: bool) -> None:
        # Any: as above
        seconds = perf_counter() - context.fsp_begun
        if seconds >= terms.slow_seconds:
            shown = {"statement": shown_statement(statement), "parameters": shapes(values)}
            _log.warning("database.slow", database=terms.name, seconds=round(seconds, 3), **shown)


def shown_statement(statement: str) -> str:
    """A statement on one line, with text literals hidden: somebody may have written a value into it."""
    return _LITERAL.sub("'…'", _SPACES.sub(" ", statement).strip())[:_LONGEST_STATEMENT]


def shapes(values: object) -> object:
    """Parameters without their content: the type of each, and the length of what has one."""
    if isinstance(values, dict):
        return {str(name): _shape(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        rows = bool(values) and isinstance(values[0], list | tuple | dict)
        return f"{len(values)} rows" if rows else [_shape(value) for value in values]
    return _shape(values)


def _shape(value: object) -> str:
    kind = type(value).__name__
    return f"{kind}({len(value)})" if isinstance(value, str | bytes) else kind
