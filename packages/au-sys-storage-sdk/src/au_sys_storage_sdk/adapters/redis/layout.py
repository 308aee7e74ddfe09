"""Names and shapes in Redis, the script that writes a batch at once, and what its errors mean.

All names share one hash tag, so that a cluster keeps them in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec
from redis import exceptions

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import checksum, verified
from au_sys_storage_sdk.core.documents.models import Change, Stored
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

APPLY = """
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
if ARGV[3] ~= '*' and (redis.call('GET', KEYS[6]) or '') ~= ARGV[3] then return -1 end
local i = 4
local function take() local value = ARGV[i]; i = i + 1; return value end
for _ = 1, tonumber(take()) do
    local document, packed, index, member, address, expires = take(), take(), take(), take(), take(), take()
    redis.call('SET', document, packed)
    redis.call('ZADD', index, 0, member)
    if expires == '' then redis.call('ZREM', KEYS[3], address) else redis.call('ZADD', KEYS[3], expires, address) end
end
for _ = 1, tonumber(take()) do
    local document, index, member, address = take(), take(), take(), take()
    redis.call('DEL', document)
    redis.call('ZREM', index, member)
    redis.call('ZREM', KEYS[3], address)
end
for _ = 1, tonumber(take()) do redis.call('XADD', KEYS[2], take(), 'c', take()) end
for _ = 1, tonumber(take()) do redis.call('HSET', KEYS[4], take(), take()) end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', KEYS[5], ARGV[2])
return 1
"""
"""Writes a batch, unless the sequence has moved since it was decided (the answer is 0), or another backend has taken
over since the writer began (-1)."""

_pack = msgspec.msgpack.Encoder().encode
_unpack_record = msgspec.msgpack.Decoder(tuple[bytes, int, int, int, int | None, int, int, int, int]).decode
_unpack_change = msgspec.msgpack.Decoder(tuple[str, str, str, str, int, bytes | None]).decode


def address(space: Space, key: str) -> bytes:
    """Tenant, namespace and key in one; NUL is in none of them."""
    return f"{space.tenant}\0{space.namespace}\0{key}".encode()


def address_of(text: bytes) -> tuple[Space, str]:
    """The reverse."""
    tenant, namespace, key = text.decode().split("\0")
    return Space(tenant, namespace), key


def document(space: Space, key: str) -> bytes:
    """Where a record lies."""
    return PREFIX + b"doc:" + address(space, key)


def index(space: Space) -> bytes:
    """Where the keys of a namespace lie in order."""
    return PREFIX + f"keys:{space.tenant}\0{space.namespace}".encode()


def packed(space: Space, record: Stored) -> bytes:
    """A record with its checksum."""
    fields = (
        record.value, record.version, record.created, record.updated, record.expires, record.schema, record.codec,
        record.key_generation, checksum(space, record),
    )  # fmt: skip
    return _pack(fields)


def record_of(space: Space, key: str, text: bytes | None) -> Stored | None:
    """The record. Raises ``Corrupt`` when it is not what was packed."""
    if text is None:
        return None
    try:
        *fields, crc = _unpack_record(text)
    except ValueError as error:
        raise Corrupt(f"document {key!r} of namespace {space.namespace!r}", "it cannot be unpacked") from error
    value, version, created, updated, expires, schema, codec, generation = fields
    record = Stored(key, value, version, created, updated, expires, schema, codec, generation)  # type: ignore[arg-type]  # unpacked to these types
    return verified(space, record, crc)


def event(change: Change) -> bytes:
    """A change as it lies in the stream."""
    return _pack((change.space.tenant, change.space.namespace, change.key, change.event, change.at, change.data))


def change_of(seq: int, text: bytes) -> Change:
    """The reverse. Raises ``Corrupt``."""
    try:
        tenant, namespace, key, kind, at, data = _unpack_change(text)
    except ValueError as error:
        raise Corrupt(f"change {seq}", "it cannot be unpacked") from error
    return Change(seq, Space(tenant, namespace), key, kind, at, data)  # type: ignore[arg-type]  # one of the events, packed by event()


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
