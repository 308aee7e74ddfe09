"""The live view of a run as server-sent events: in order, resumable, and only as long as the reader may see it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from skriptoteket.core.errors import DatabaseBusy, SkriptoteketError
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.observing.reading import STREAM_LEASE, Reading
from skriptoteket.core.runs.ports.records import RunEvent
from skriptoteket.core.runs.watching import RunWatching, Watched

MOST_BEHIND = 256 * 1024
"""Bytes that a slow reader may have missed before it is cut off."""

Look = Callable[[], Awaitable[Actor]]


@dataclass(slots=True)
class Streams:
    """The streams that this process serves, renewed together. Lives as long as the app."""

    reading: Reading
    pause: float = 0.25
    silence: float = 15.0
    recheck: float = 60.0
    renewal: float = STREAM_LEASE.total_seconds() / 3
    _served: set[UUID] = field(default_factory=set)
    _renewed_at: float = float("-inf")
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)

    async def begin(self, subject: str) -> UUID:
        """One of a subject's streams, taken before the headers are sent. Raises ``TooManyStreams``."""
        return await self.reading.begin(subject)

    @asynccontextmanager
    async def served(self, stream: UUID) -> AsyncIterator[None]:
        """The stream is read until the block ends, however it does."""
        self._served.add(stream)
        try:
            yield
        finally:
            self._served.discard(stream)
            # a task, because a reader who went away has cancelled this one
            leaving = asyncio.create_task(self.reading.end(stream))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            await asyncio.shield(leaving)

    async def renew(self) -> None:
        """Say for all streams of this process that they are read, if it is time to."""
        now = asyncio.get_running_loop().time()
        if now - self._renewed_at < self.renewal:
            return
        self._renewed_at = now
        with suppress(DatabaseBusy):  # the next renewal is early enough
            await self.reading.go_on(frozenset(self._served))

    async def close(self) -> None:
        """Wait for those who are leaving."""
        await asyncio.gather(*self._leaving)


@dataclass(slots=True)
class EventStream:
    """One reader of one run."""

    streams: Streams
    watching: RunWatching
    run_id: RunId
    viewer: Actor
    look: Look
    stream: UUID
    after: int = 0
    _state: str = ""
    _place: Mapping[str, object] = field(default_factory=dict)

    async def told(self) -> AsyncIterator[str]:
        """The events until the run is over, the reader is too far behind, or may see it no more."""
        async with self.streams.served(self.stream):
            silent = since_check = 0.0
            first = True
            while True:
                if since_check >= self.streams.recheck:
                    since_check, self.viewer = 0.0, await self.look()
                try:
                    seen = await self.watching.events(self.run_id, self.viewer, self.after)
                except SkriptoteketError:
                    return  # the right is gone, or the run is: there is nothing more to tell
                lines = self._lines(seen)
                if not first and sum(map(len, lines)) > MOST_BEHIND:
                    return
                first = False
                for line in lines:
                    yield line
                if seen.run.state.terminal:
                    return
                silent = 0.0 if lines else silent + self.streams.pause
                if silent >= self.streams.silence:
                    yield ": still here\n\n"
                    silent = 0.0
                await self.streams.renew()
                await asyncio.sleep(self.streams.pause)
                since_check += self.streams.pause

    def _lines(self, seen: Watched) -> list[str]:
        lines = [line for step in seen.steps if (line := self._step(step, reads=seen.reads_logs))]
        run = seen.run
        if seen.place is not None and seen.place != self._place:
            self._place = seen.place
            lines.append(_event("queue", seen.place))
        if run.state.terminal:
            over = {"state": run.state, "outcome": run.outcome}
            lines += [_event("state", {"state": run.state}), _event("done", over)] if self._state != run.state else []
        elif run.state != self._state:
            lines.append(_event("state", {"state": run.state}))
        self._state = run.state
        return lines

    def _step(self, step: RunEvent, *, reads: bool) -> str:
        self.after = step.id
        if step.kind == "log" and not reads:
            return ""
        if step.kind in ("state", "done"):
            return ""  # the row says it, in its turn and once
        return _event(step.kind, step.data, step.id)


def _event(kind: str, data: Mapping[str, object], number: int | None = None) -> str:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data)}\n\n"
