"""Connections to SQLite that cross to their thread once for each statement.

SQLAlchemy drives aiosqlite as it drives a server: make a cursor, execute, fetch, close, each a message to the
connection's thread and one back. In a process with other work these messages cost more than what SQLite does. Here a
statement is one message; what it gave comes back whole, as SQLAlchemy buffers it anyway. Streams keep their cursor.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor


class _Done(NamedTuple):
    description: Any  # Any: SQLAlchemy and aiosqlite leave it untyped
    rowcount: int
    lastrowid: int | None
    rows: list[Any]  # Any: SQLAlchemy and aiosqlite leave it untyped


class WholeCursor(AsyncAdapt_aiosqlite_cursor):
    """Executes, fetches and closes at once."""

    __slots__ = ("_done",)

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor = None  # type: ignore[assignment]  # there is none between two statements
        self._soft_closed_memoized = {}  # type: ignore[assignment]  # never written to
        self._rows = deque()
        self._done = _Done(None, -1, None, [])

    @property
    def description(self) -> Any:  # Any: SQLAlchemy and aiosqlite leave it untyped
        """The columns of the last statement."""
        return self._done.description

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return self._done.rowcount

    @property
    def lastrowid(self) -> Any:  # Any: SQLAlchemy and aiosqlite leave it untyped
        """The last inserted row."""
        return self._done.lastrowid

    @property
    def arraysize(self) -> int:
        """How many rows ``fetchmany`` gives by itself."""
        return 1

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        """Nothing to set: all rows are here already."""

    async def _async_soft_close(self) -> None:
        """Nothing to close: it is closed already."""

    async def _execute_async(
        self, operation: Any, parameters: Any
    ) -> Any:  # Any: SQLAlchemy and aiosqlite leave it untyped
        await self._cross(sqlite3.Cursor.execute, operation, () if parameters is None else parameters)

    async def _executemany_async(
        self, operation: Any, seq_of_parameters: Any
    ) -> Any:  # Any: SQLAlchemy and aiosqlite leave it untyped
        await self._cross(sqlite3.Cursor.executemany, operation, seq_of_parameters)

    async def _cross(self, run: Callable[..., object], *given: object) -> None:
        connection: Any = self._connection  # Any: SQLAlchemy and aiosqlite leave it untyped
        async with self._adapt_connection._execute_mutex:
            self._done = await connection._execute(_whole, connection._conn, run, *given)
        self._rows = deque(self._done.rows)


class WholeConnection(AsyncAdapt_aiosqlite_connection):
    """Makes such cursors, and rolls back only what was begun."""

    __slots__ = ()
    _cursor_cls: Any = WholeCursor  # Any: SQLAlchemy and aiosqlite leave it untyped

    def rollback(self) -> None:
        """End an open transaction; the pool asks for it after each use."""
        connection: Any = self._connection  # Any: SQLAlchemy and aiosqlite leave it untyped
        if connection._connection is not None and connection.in_transaction:
            super().rollback()


def connected(
    dialect: Any, _record: object, positional: Any, named: Any
) -> WholeConnection:  # Any: SQLAlchemy and aiosqlite leave it untyped
    """For SQLAlchemy's event ``do_connect``."""
    made = dialect.loaded_dbapi.connect(*positional, **named)
    return WholeConnection(made.dbapi, made._connection)


def _whole(connection: sqlite3.Connection, run: Callable[..., object], *given: object) -> _Done:
    """In the connection's thread."""
    cursor = connection.cursor()
    try:
        run(cursor, *given)
        rows = cursor.fetchall() if cursor.description else []
        return _Done(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
    finally:
        cursor.close()
