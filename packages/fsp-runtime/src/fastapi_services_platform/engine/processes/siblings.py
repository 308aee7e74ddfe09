"""The other web processes of one parent: ask each of them, or tell them all.

Each process listens on a socket in a folder that only the parent's user enters. A question is one line of JSON, the
answer everything until the end.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import orjson

from fastapi_services_platform.observability.logger_factory import get_logger

_log = get_logger(__name__)
_PATIENCE_SECONDS = 1.0
_LONGEST_QUESTION = 64 * 1024

Answer = Callable[[object], Awaitable[bytes]]


class Siblings:
    """Without a folder the process is alone: nobody is asked, nobody listens."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._server: asyncio.Server | None = None
        self.answers: dict[str, Answer] = {}

    @property
    def alone(self) -> bool:
        """Whether there is one process only."""
        return self._folder is None

    async def open(self) -> None:
        """Listen to the others."""
        if self._folder is not None and self._server is None:
            own = self._folder / f"{os.getpid()}.sock"
            self._server = await asyncio.start_unix_server(self._serve, own, limit=_LONGEST_QUESTION)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None and self._folder is not None:
            self._server.close()
            self._server = None
            with suppress(FileNotFoundError):
                (self._folder / f"{os.getpid()}.sock").unlink()

    async def ask(self, question: str, content: object = None) -> dict[int, bytes]:
        """The answers of the other processes by their id; one that does not answer within a second is left out."""
        if self._folder is None:
            return {}
        others = {int(file.stem): file for file in self._folder.glob("*.sock") if file.stem != str(os.getpid())}
        line = orjson.dumps({"question": question, "content": content}) + b"\n"
        found = await asyncio.gather(*(_asked(file, line) for file in others.values()))
        return {pid: answer for pid, answer in zip(others, found, strict=True) if answer is not None}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = orjson.loads(await reader.readline())
            writer.write(await self.answers[asked["question"]](asked["content"]))
            await writer.drain()
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("sibling.not_answered", error=repr(error))
        finally:
            writer.close()


async def _asked(file: Path, line: bytes) -> bytes | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_unix_connection(file)
            try:
                writer.write(line)
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
