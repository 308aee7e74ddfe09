"""Tell the live view of a run what happens, in batches that never hold the script up."""

import asyncio
import codecs
from collections.abc import Mapping, Sequence
from contextlib import suppress

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.results.harmless_text import clean_text
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.sandbox import Printed, Progressed

_FLUSH_SECONDS = 0.25
_MOST_WAITING = 400

NewEvent = tuple[str, Mapping[str, JsonValue]]
"""Kind and data of an event that is not written yet."""


class LiveView:
    """Buffers the events of one run and writes them four times a second."""

    def __init__(self, uow: UnitOfWork[RunUnit], clock: Clock, run_id: RunId, most_bytes: int) -> None:
        self._uow = uow
        self._clock = clock
        self._run_id = run_id
        self._left = {"stdout": most_bytes, "stderr": most_bytes}
        self._offset = {"stdout": 0, "stderr": 0}
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in self._left}
        self._waiting: list[NewEvent] = []
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    def state(self, name: str) -> None:
        """The run is in another state now."""
        self._add("state", {"state": name})

    def progressed(self, event: Progressed) -> None:
        """The script told how far it is."""
        self._add("progress", {"percent": event.percent, "message": clean_text(event.message)})

    def printed(self, event: Printed) -> None:
        """The script printed; past the kept size the live view is told nothing more."""
        data = event.data[: self._left[event.stream]]
        if not data:
            return
        self._left[event.stream] -= len(data)
        text = clean_text(self._decoders[event.stream].decode(data))
        self._add("log", {"stream": event.stream, "offset": self._offset[event.stream], "text": text})
        self._offset[event.stream] += len(data)

    async def close(self) -> None:
        """Write what is left. Nothing is written afterwards, so the end of a run stays its last event."""
        await self._stop()
        await self._flush()

    async def rest(self) -> Sequence[NewEvent]:
        """Stop, and leave what was not written yet to the caller, who writes it together with the end of the run."""
        await self._stop()
        batch, self._waiting = self._waiting, []
        return batch

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._writing is not None:
            await self._writing

    def _add(self, kind: str, data: Mapping[str, JsonValue]) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            return
        self._waiting.append((kind, data))
        if self._task is None:
            self._task = asyncio.create_task(self._keep_flushing())

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._writing = asyncio.create_task(self._flush())
            await asyncio.shield(self._writing)

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        # The live view is a convenience: a database that is busy right now costs an update, never the run.
        with suppress(Exception):
            async with self._uow.write() as unit:
                await unit.runs.append_events(self._run_id, batch, self._clock.now())
