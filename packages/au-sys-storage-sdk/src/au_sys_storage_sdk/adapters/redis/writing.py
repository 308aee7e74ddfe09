"""A batch of commits: look at everything it touches, decide, let a script write it if nobody was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from au_sys_storage_sdk.adapters.redis import layout
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.operations import Emit, Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import plan
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import Fenced, StorageError, Unavailable

Address = tuple[Space, str]
Script = Callable[[list[bytes], list[bytes]], Awaitable[object]]

_ATTEMPTS = 200
ANYBODY = b"*"
_KEYS = [layout.SEQUENCE, layout.CHANGES, layout.EXPIRES, layout.SPACES, layout.CHANNEL, layout.STANDING]


class Gathered:
    """What a batch writes."""

    def __init__(self, sequence: int) -> None:
        self.before = sequence
        self.sequence = sequence
        self.records: dict[Address, Stored | None] = {}
        self.changes: list[Change] = []
        self.last: dict[Space, int] | None = None

    async def write(self, client: layout.Client, script: Script, writer: bytes) -> bool:
        """Write it; ``False`` when the sequence has moved, and nothing was written. ``writer``: the standing that the
        database had when the writer began, :data:`ANYBODY` to write whatever it has now.

        Raises:
            Fenced: documents were moved to another backend since.
        """
        if not self.changes and writer != ANYBODY:
            return True
        with layout.translated(writes=True):
            answer = await script(_KEYS, self._arguments(writer))
        if answer == -1:
            found = Standing.of((await client.get(layout.STANDING) or b"").decode())
            raise Fenced("redis", Standing.of(writer.decode()).epoch, found.epoch)
        return answer == 1

    def _arguments(self, writer: bytes) -> list[bytes]:
        placed = [(where, record) for where, record in self.records.items() if record is not None]
        removed = [where for where, record in self.records.items() if record is None]
        arguments = [b"%d" % self.before, b"%d" % self.sequence, writer, b"%d" % len(placed)]
        for (space, key), record in placed:
            expires = b"" if record.expires is None else b"%d" % record.expires
            arguments += [layout.document(space, key), layout.packed(space, record), layout.index(space), key.encode(),
                          layout.address(space, key), expires]  # fmt: skip
        arguments.append(b"%d" % len(removed))
        for space, key in removed:
            arguments += [layout.document(space, key), layout.index(space), key.encode(), layout.address(space, key)]
        arguments.append(b"%d" % len(self.changes))
        for change in self.changes:
            arguments += [b"%d-0" % change.seq, layout.event(change)]
        last = self.last if self.last is not None else {change.space: change.seq for change in self.changes}
        arguments.append(b"%d" % len(last))
        for space, seen in last.items():
            arguments += [f"{space.tenant}\0{space.namespace}".encode(), b"%d" % seen]
        return arguments


async def apply(
    client: layout.Client, script: Script, commits: list[Sequence[Operation]], now: int, writer: bytes
) -> tuple[list[Sequence[Outcome] | Exception], int]:
    """Carry out a batch; a commit whose condition fails changes nothing and leaves the others alone.

    Raises:
        Unavailable: other nodes were faster every time.
        Fenced: documents were moved to another backend since the writer began.
    """
    addresses = list(dict.fromkeys(_touched(commits)))
    for _ in range(_ATTEMPTS):
        gathered, heads = await _looked(client, addresses, now)
        answers = [_decided(operations, gathered, heads, now) for operations in commits]
        if await gathered.write(client, script, writer):
            return answers, gathered.sequence
    raise Unavailable("other nodes write too fast")


def _touched(commits: Iterable[Sequence[Operation]]) -> Iterable[Address]:
    for operations in commits:
        for operation in operations:
            if not isinstance(operation, Emit):
                yield operation.space, operation.key


async def _looked(client: layout.Client, addresses: list[Address], now: int) -> tuple[Gathered, dict[Address, Stored]]:
    names = [layout.SEQUENCE, *(layout.document(space, key) for space, key in addresses)]
    sequence, *texts = await client.mget(names)
    heads: dict[Address, Stored] = {}
    for (space, key), text in zip(addresses, texts, strict=True):
        found = layout.record_of(space, key, text)
        if found is not None and (found.expires is None or found.expires > now):
            heads[space, key] = found
    return Gathered(int(sequence or 0)), heads


def _decided(
    operations: Sequence[Operation], gathered: Gathered, heads: dict[Address, Stored], now: int
) -> Sequence[Outcome] | Exception:
    def lookup(space: Space, key: str) -> Stored | None:
        return gathered.records[space, key] if (space, key) in gathered.records else heads.get((space, key))

    try:
        made = plan(operations, lookup, gathered.sequence, now)
    except StorageError as error:
        return error
    gathered.records.update(made.records)
    gathered.changes += made.changes
    gathered.sequence = made.sequence
    return made.outcomes


async def replicate(client: layout.Client, script: Script, replica: Replica) -> int:
    """Write what comes from another store as it is; the sequence."""
    for _ in range(_ATTEMPTS):
        gathered, _none = await _looked(client, [], 0)
        newest = await client.xrevrange(layout.CHANGES, count=1)
        known = int(newest[0][0].partition(b"-")[0]) if newest else 0
        gathered.records = dict(replica.records)
        gathered.changes = [change for change in replica.changes if change.seq > known]
        gathered.last = dict(replica.last)
        gathered.sequence = max(gathered.before, replica.sequence)
        if replica.compacted is not None:
            await client.set(layout.COMPACTED, replica.compacted)
        if await gathered.write(client, script, ANYBODY):
            return gathered.sequence
    raise Unavailable("other nodes write too fast")


async def sweep(client: layout.Client, script: Script, now: int, writer: bytes, most: int = 1000) -> tuple[int, int]:
    """Remove some expired documents, with an event each; how many, and the sequence."""
    for _ in range(_ATTEMPTS):
        due = await client.zrange(layout.EXPIRES, b"-inf", b"%d" % now, byscore=True, offset=0, num=most)
        gathered, heads = await _looked(client, [], now)
        del heads
        for text in due:
            space, key = layout.address_of(text)
            gathered.sequence += 1
            gathered.records[space, key] = None
            gathered.changes.append(Change(gathered.sequence, space, key, "expire", now))
        if await gathered.write(client, script, writer):
            return len(gathered.changes), gathered.sequence
    raise Unavailable("other nodes write too fast")


async def erase(client: layout.Client) -> None:
    """Remove everything of ours but format and standing; a crash leaves a part, which the next call removes."""
    stays = {layout.FORMAT, layout.STANDING}
    async for name in client.scan_iter(match=layout.PREFIX + b"*", count=1000):
        if name not in stays:
            await client.unlink(name)
