"""Inserts that say what a conflict means: each dialect has its own, and only the one in use is loaded."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession


def inserting(session: AsyncSession) -> Callable[[Table], Any]:  # Any: insert() of either dialect
    """The insert of the session's database."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite
