"""A batch of commits: look at everything it touches, decide, let a script write it if nobody was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from au_sys_storage_sdk.adapters.redis import layout
from au_sys_storage_sdk.adapters.redis.kept import Kept
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.line import Answers, Seen, Tip, Turn, new_mark
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Operation
from au_sys_storage_sdk.core.documents.planning import Address, Batch, touched
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import Fenced, Unavailable

Script = Callable[[list[bytes], list[bytes]], Awaitable[Any]]  # Any: what a script answers

_ATTEMPTS = 200
ANYBODY = b"*"
_LOOKED_AT = [layout.SEQUENCE, layout.DOCUMENT, layout.MARK]
_WRITTEN = [layout.SEQUENCE, layout.STANDING, layout.MARK]


@dataclass(frozen=True, slots=True)
class Scripts:
    """The two scripts of a database; they are sent when they are first needed."""

    look: Script
    apply: Kept

    @classmethod
    def of(cls, client: layout.Client) -> Scripts:
        """To look through the pool, to write over one connection."""
        return cls(client.register_script(layout.LOOK), Kept(client, layout.APPLY))

    async def seen(self, addresses: Sequence[Address]) -> tuple[Tip, Seen]:
        """The tip, and what lies at the addresses."""
        names = layout.joined(layout.address(space, key) for space, key in addresses)
        sequence, mark, texts = await self.look(_LOOKED_AT, [names, layout.GLANCED])
        return Tip(int(sequence), int(mark)), dict(layout.glances(addresses, texts))


@dataclass(frozen=True, slots=True)
class Written:
    """What is written at once. ``seen``: what lay there before, ``None`` when nobody has looked."""

    upon: Tip
    tip: Tip
    records: Mapping[Address, Stored | None]
    changes: Sequence[Change]
    last: Mapping[Space, int]
    seen: Mapping[Address, Stored | None] | None

    async def write(self, client: layout.Client, script: Kept, writer: bytes) -> bool:
        """Write it; ``False`` when the tip has moved, and nothing was written. ``writer``: the standing that the
        database had when the writer began, :data:`ANYBODY` to write whatever it has now.

        Raises:
            Fenced: documents were moved to another backend since.
        """
        arguments = [
            b"%d" % self.upon.sequence, b"%d" % self.tip.sequence, writer, layout.CHANNEL, b"%d" % self.upon.mark,
            b"%d" % self.tip.mark, *self._calls(),
        ]  # fmt: skip
        with layout.translated(writes=True):
            answer: int = await script.run(_WRITTEN, arguments)
        if answer == -1:
            found = Standing.of((await client.get(layout.STANDING) or b"").decode())
            raise Fenced("redis", Standing.of(writer.decode()).epoch, found.epoch)
        return answer == 1

    def _calls(self) -> Iterator[bytes]:
        placed, expiring, lasting, removed = list[bytes](), list[bytes](), list[bytes](), list[bytes]()
        fresh, gone = dict[Space, list[bytes]](), dict[Space, list[bytes]]()
        places = {space: layout.address(space, "") for space, _ in self.records}
        for (space, key), record in self.records.items():
            member = key.encode()
            address = places[space] + member
            if record is None:
                removed.append(layout.DOCUMENT + address)
                gone.setdefault(space, []).append(member)
                lasting.append(address)
                continue
            placed += (layout.DOCUMENT + address, layout.packed(space, record))
            found = None if self.seen is None else self.seen.get((space, key))
            if found is None:
                fresh.setdefault(space, []).extend((b"0", member))
            if record.expires is not None:
                expiring += (b"%d" % record.expires, address)
            elif self.seen is None or (found is not None and found.expires is not None):
                lasting.append(address)
        yield from layout.calls([b"MSET"], placed)
        yield from layout.calls([b"DEL"], removed)
        for space, members in fresh.items():
            yield from layout.calls([b"ZADD", layout.index(space)], members)
        for space, members in gone.items():
            yield from layout.calls([b"ZREM", layout.index(space)], members)
        yield from layout.calls([b"ZADD", layout.EXPIRES], expiring)
        yield from layout.calls([b"ZREM", layout.EXPIRES], lasting)
        if self.changes:
            name = b"%d-0" % self.changes[-1].seq
            yield from layout.calls([b"XADD", layout.CHANGES, name], [b"c", layout.events(self.changes)])
        last = [field for space, seen in self.last.items() for field in (layout.space_name(space), b"%d" % seen)]
        yield from layout.calls([b"HSET", layout.SPACES], last)


async def write(client: layout.Client, scripts: Scripts, turn: Turn, writer: bytes) -> bool:
    """Whether the store came to the tip of the turn, and so everything was written; nothing was otherwise.

    Raises:
        Fenced: documents were moved to another backend since the writer began.
    """
    return await _of(turn, turn.batch.seen).write(client, scripts.apply, writer)


async def apply(
    client: layout.Client, scripts: Scripts, commits: list[Sequence[Operation]], clock: Clock, writer: bytes
) -> tuple[Answers, int]:
    """Look, decide and write until nobody was faster.

    Raises:
        Unavailable: other nodes were faster every time.
        Fenced: documents were moved to another backend since the writer began.
    """
    addresses = touched(commits)
    for _ in range(_ATTEMPTS):
        tip, seen = await scripts.seen(addresses)
        batch = Batch(tip.sequence, clock(), seen)
        answers = batch.decide_all(commits)
        if not batch.changes or await write(client, scripts, Turn.alone(batch, tip), writer):
            return answers, batch.sequence
    raise Unavailable("other nodes write too fast")


def _of(turn: Turn, seen: Mapping[Address, Stored | None]) -> Written:
    batch = turn.batch
    return Written(turn.upon, turn.tip, batch.records, batch.changes, batch.last, seen)


async def _tip(client: layout.Client) -> Tip:
    sequence, mark = await client.mget([layout.SEQUENCE, layout.MARK])
    return Tip(int(sequence or 0), int(mark or 0))


async def replicate(client: layout.Client, scripts: Scripts, replica: Replica) -> int:
    """Write what comes from another store as it is; the sequence."""
    for _ in range(_ATTEMPTS):
        before = await _tip(client)
        newest = await client.xrevrange(layout.CHANGES, count=1)
        known = int(newest[0][0].partition(b"-")[0]) if newest else 0
        changes = [change for change in replica.changes if change.seq > known]
        sequence = max(before.sequence, replica.sequence)
        if replica.compacted is not None:
            await client.set(layout.COMPACTED, replica.compacted)
        what = Written(before, Tip(sequence, new_mark()), replica.records, changes, replica.last, None)
        if await what.write(client, scripts.apply, ANYBODY):
            return sequence
    raise Unavailable("other nodes write too fast")


async def sweep(client: layout.Client, scripts: Scripts, now: int, writer: bytes, most: int = 1000) -> tuple[int, int]:
    """Remove some expired documents, with an event each; how many, and the sequence."""
    for _ in range(_ATTEMPTS):
        tip = await _tip(client)
        due = await client.zrange(layout.EXPIRES, b"-inf", b"%d" % now, byscore=True, offset=0, num=most)
        batch = Batch(tip.sequence, now, {})
        for text in due:
            batch.expire(*layout.address_of(text))
        if not batch.changes or await _of(Turn.alone(batch, tip), {}).write(client, scripts.apply, writer):
            return len(batch.changes), batch.sequence
    raise Unavailable("other nodes write too fast")


async def erase(client: layout.Client) -> None:
    """Remove everything of ours but format and standing; a crash leaves a part, which the next call removes."""
    stays = {layout.FORMAT, layout.STANDING}
    async for name in client.scan_iter(match=layout.PREFIX + b"*", count=1000):
        if name not in stays:
            await client.unlink(name)
