"""Connections to PostgreSQL: a pool for whoever asks, and those that are kept for the writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types

_BY_INDEX = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""A plan that was made while the table was small would go through all of it for ever after."""

_COMMAND = 30
_CONNECT = 10


async def pool_of(url: str, connections: int) -> asyncpg.Pool:
    """So many connections at most."""
    return await asyncpg.create_pool(
        url, min_size=1, max_size=connections, command_timeout=_COMMAND, timeout=_CONNECT, reset=_as_it_is,
        server_settings=_BY_INDEX,
    )  # fmt: skip


async def connection_of(url: str) -> asyncpg.Connection:
    """One that belongs to no pool."""
    return await asyncpg.connect(url, command_timeout=_COMMAND, timeout=_CONNECT, server_settings=_BY_INDEX)


class Kept:
    """One connection, made when it is needed and made anew when it was lost: to take it out of a pool and to put it
    back for each batch would cost more than to speak to the server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None

    async def get(self) -> asyncpg.Connection:
        """The connection; one caller at a time."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connection_of(self._url)
        return self._connection

    async def close(self) -> None:
        """Let it go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class Pens:
    """So many connections for as many batches at a time."""

    def __init__(self, url: str, number: int) -> None:
        self._free = [Kept(url) for _ in range(number)]
        self._all = tuple(self._free)

    @contextmanager
    def one(self) -> Iterator[Kept]:
        """One that nobody else has; the caller sees to it that there is one."""
        pen = self._free.pop()
        try:
            yield pen
        finally:
            self._free.append(pen)

    async def close(self) -> None:
        """Let all of them go."""
        for pen in self._all:
            await pen.close()


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """We set nothing in a session, so nothing has to be put back: that would be one more way to the server."""
    if connection.is_in_transaction():
        await connection.reset()
