"""Names and shapes in Redis, the scripts that look at and write a batch at once, and what its errors mean.

All names share one hash tag, so that a cluster keeps them in one place. A record begins with its numbers, so that they
can be read without the value behind them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec
from redis import exceptions

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import checksum, verified, verified_head
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.planning import SHORT, Address
from au_sys_storage_sdk.core.errors import Corrupt, OutcomeUnknown, ReadOnly, StorageError, Unavailable

Client: TypeAlias = (
    Any  # Any: the client types each answer as text or bytes or list; ours are bytes, as we ask for no decoding
)

PREFIX = b"{au-sys-storage}:"
FORMAT = PREFIX + b"format"
SEQUENCE = PREFIX + b"sequence"
COMPACTED = PREFIX + b"compacted"
CHANGES = PREFIX + b"changes"
SPACES = PREFIX + b"spaces"
EXPIRES = PREFIX + b"expires"
CHANNEL = PREFIX + b"arrived"
STANDING = PREFIX + b"standing"
MARK = PREFIX + b"mark"

DOCUMENT = PREFIX + b"doc:"
KEYS = PREFIX + b"keys:"

LOOK = """
local found, all, at, address, text = {}, ARGV[1], 1
while at <= #all do
    address, at = struct.unpack('>I4c0', all, at)
    text = redis.call('GETRANGE', KEYS[2] .. address, 0, ARGV[2])
    found[#found + 1] = string.char(#text) .. text
end
return {redis.call('GET', KEYS[1]) or '0', redis.call('GET', KEYS[3]) or '0', table.concat(found)}
"""
"""The tip, and the first bytes of each record behind their number (0: nothing is there)."""

APPLY = """
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] or (redis.call('GET', KEYS[3]) or '0') ~= ARGV[5] then return 0 end
if ARGV[3] ~= '*' and (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] then return -1 end
for at = 7, #ARGV, 2 do
    local call = {struct.unpack(ARGV[at], ARGV[at + 1])}
    call[#call] = nil
    redis.call(unpack(call))
end
redis.call('MSET', KEYS[1], ARGV[2], KEYS[3], ARGV[6])
redis.call('PUBLISH', ARGV[4], ARGV[2])
return 1
"""
"""Does what :func:`calls` gives, unless the tip has moved since it was decided (the answer is 0), or another
backend has taken over since the writer began (-1)."""

_pack = msgspec.msgpack.Encoder().encode
_unpack_changes = msgspec.msgpack.Decoder(list[tuple[int, str, str, str, str, int, bytes | None]]).decode
_MOST = 1000
"""Arguments of a command that a script can hand on; an even number, as they may be pairs."""

_numbers = struct.Struct(">qqqqiiiq")
GLANCED = b"%d" % (_numbers.size + SHORT - 1)
"""The last byte of a record that is looked at."""


def joined(fields: Iterable[bytes]) -> bytes:
    """Any number of fields as one argument of a script, each behind its length: one is much cheaper than many."""
    return b"".join([part for field in fields for part in (len(field).to_bytes(4), field)])


def calls(head: Sequence[bytes], arguments: Sequence[bytes]) -> Iterator[bytes]:
    """A command with any number of arguments, for :data:`APPLY`: the sizes of its parts, and these in one piece.

    Nothing when there are no arguments. One piece is much cheaper for the script than many.
    """
    for start in range(0, len(arguments), _MOST):
        parts = [*head, *arguments[start : start + _MOST]]
        yield b"".join([b"c%d" % len(part) for part in parts])
        yield b"".join(parts)


def space_name(space: Space) -> bytes:
    """Tenant and namespace in one; NUL is in none of them."""
    return f"{space.tenant}\0{space.namespace}".encode()


def address(space: Space, key: str) -> bytes:
    """With the key behind it."""
    return f"{space.tenant}\0{space.namespace}\0{key}".encode()


def address_of(text: bytes) -> tuple[Space, str]:
    """The reverse."""
    tenant, namespace, key = text.decode().split("\0")
    return Space(tenant, namespace), key


def document(space: Space, key: str) -> bytes:
    """Where a record lies."""
    return DOCUMENT + address(space, key)


def index(space: Space) -> bytes:
    """Where the keys of a namespace lie in order."""
    return KEYS + space_name(space)


def packed(space: Space, record: Stored) -> bytes:
    """A record with its checksum."""
    numbers = _numbers.pack(
        record.version, record.created, record.updated, record.expires or 0, record.schema, record.codec,
        record.key_generation, checksum(space, record),
    )  # fmt: skip
    return numbers + record.value


def record_of(space: Space, key: str, text: bytes | None) -> Stored | None:
    """The record. Raises ``Corrupt`` when it is not what was packed."""
    if text is None:
        return None
    return verified(space, *_unpacked(space, key, text, len(text)))


def glances(addresses: Sequence[Address], texts: bytes) -> Iterator[tuple[Address, Stored]]:
    """What :data:`LOOK` found: short records whole, the others without their values. Raises ``Corrupt``."""
    at = 0
    for address in addresses:
        size = texts[at]
        text, at = texts[at + 1 : at + 1 + size], at + 1 + size
        if not size:
            continue
        if size < _numbers.size + SHORT:
            yield address, verified(address[0], *_unpacked(*address, text, size))
        else:
            yield address, verified_head(address[0], *_unpacked(*address, text, 0))


def _unpacked(space: Space, key: str, text: bytes, until: int) -> tuple[Stored, int]:
    if len(text) < _numbers.size:
        raise Corrupt(f"document {key!r} of namespace {space.namespace!r}", "it cannot be unpacked")
    version, created, updated, expires, schema, codec, generation, crc = _numbers.unpack_from(text)
    value = text[_numbers.size : until]
    return Stored(key, value, version, created, updated, expires or None, schema, codec, generation), crc


def events(changes: Sequence[Change]) -> bytes:
    """What one batch changed, as it lies in the stream under its last sequence."""
    return _pack(
        [
            (change.seq, change.space.tenant, change.space.namespace, change.key, change.event, change.at, change.data)
            for change in changes
        ]
    )


def changes_of(text: bytes) -> list[Change]:
    """The reverse. Raises ``Corrupt``."""
    try:
        found = _unpack_changes(text)
    except ValueError as error:
        raise Corrupt("the change feed", "an entry cannot be unpacked") from error
    return [
        Change(seq, Space(tenant, namespace), key, kind, at, data)  # type: ignore[arg-type]  # one of the events, packed above
        for seq, tenant, namespace, key, kind, at, data in found
    ]


@contextmanager
def translated(*, writes: bool = False) -> Iterator[None]:
    """Raise storage errors for what comes from the server or the way to it; others are bugs and pass.

    ``writes``: a commit is under way, so that nobody knows its outcome when the connection is lost.
    """
    try:
        yield
    except StorageError:
        raise
    except exceptions.ReadOnlyError as error:
        raise ReadOnly("redis", str(error)) from error
    except exceptions.OutOfMemoryError as error:
        raise Unavailable("the memory of the Redis server is full", retry_after=30) from error
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
        reason = f"Redis does not answer ({type(error).__name__})"
        raise OutcomeUnknown(reason) if writes else Unavailable(reason) from error
    except exceptions.ResponseError as error:
        if str(error).startswith(("MISCONF", "NOREPLICAS", "LOADING", "MASTERDOWN", "OOM")):
            raise Unavailable(f"Redis takes no writes ({str(error)[:80]})", retry_after=5) from error
        raise
