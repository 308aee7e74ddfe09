"""One transaction, committed once, run again when the database asks for it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from fastapi_services_platform.persistence.databases import Database, is_transient

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")

ATTEMPTS = 4
_FIRST_PAUSE = 0.02


async def in_transaction(
    database: Database,
    work: "Callable[[AsyncSession], Awaitable[T]]",
    attempts: int = ATTEMPTS,
    *,
    serializable: bool = False,
) -> T:
    """Run ``work`` in one write transaction and commit it. A nested ``session.begin_nested()`` is a savepoint.

    Serialization failures, deadlocks and a busy SQLite file start the whole work again, at most ``attempts`` times,
    so it must change nothing outside the database.
    """
    for attempt in range(1, attempts + 1):
        try:
            async with database.transaction(serializable=serializable) as session:
                return await work(session)
        except Exception as error:
            if attempt == attempts or not is_transient(error):
                raise
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter is no secret
    raise AssertionError("unreachable: the last attempt returns or raises")
