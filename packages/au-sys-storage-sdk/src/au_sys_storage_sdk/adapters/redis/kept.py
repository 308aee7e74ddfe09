"""One connection to Redis for the writer: of the way through client and pool only what a batch needs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

from redis import exceptions

from au_sys_storage_sdk.adapters.redis.layout import Client

_SECONDS = 30


class Kept:
    """Runs one script on a connection that is made when it is needed and anew when it was lost.

    Calls are sent in the order in which they come, without waiting for the answers to those ahead.
    """

    def __init__(self, client: Client, script: str) -> None:
        pool = client.connection_pool
        self._connection = pool.connection_class(**{**pool.connection_kwargs, "socket_timeout": None})
        self._script = script
        self._digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._sending = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._lost = 0

    async def run(self, keys: Sequence[bytes], arguments: Sequence[bytes]) -> Any:  # Any: what the script answers
        """Carry the script out. Raises as the client does; no call is ever repeated by itself."""
        async with asyncio.timeout(_SECONDS):
            try:
                return await self._ask("EVALSHA", self._digest, len(keys), *keys, *arguments)
            except exceptions.NoScriptError:  # then nothing was done
                return await self._ask("EVAL", self._script, len(keys), *keys, *arguments)

    async def _ask(self, *command: str | int | bytes) -> Any:  # Any: as above
        lost = self._lost
        try:
            async with self._sending:
                lost = self._lost
                await self._connection.send_packed_command(self._connection.pack_command(*command), check_health=False)
            async with self._reading:
                if lost != self._lost:
                    raise exceptions.ConnectionError("the connection was lost before the answer came")
                return await self._connection.read_response()
        except exceptions.ResponseError:
            raise
        except BaseException:  # an answer may still come, which nobody must take for another's
            if lost == self._lost:
                await self.close()
            raise

    async def close(self) -> None:
        """Let the connection go."""
        self._lost += 1
        await self._connection.disconnect(nowait=True)
