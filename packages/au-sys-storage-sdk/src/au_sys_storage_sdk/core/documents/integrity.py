"""Checksums over a record and its address: a row that was moved, rolled back or bent is noticed, with or without value.

The upper half of the number covers everything but the value, the lower half the value as well.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.errors import Corrupt

_HALF = 32
_UPPER = 0x7FFF_FFFF
"""Databases keep signed numbers of 64 bits."""


def _head(space: Space, record: Stored) -> int:
    return zlib.crc32(
        f"{space.tenant}\0{space.namespace}\0{record.key}\0{record.version}\0{record.expires}\0{record.schema}\0"
        f"{record.created}\0{record.updated}\0{record.codec}\0{record.key_generation}".encode()
    )


def checksum(space: Space, record: Stored) -> int:
    """CRC-32 over address and every field but the value, then over the value too."""
    head = _head(space, record)
    return (head & _UPPER) << _HALF | zlib.crc32(record.value, head)


def verified(space: Space, record: Stored, expected: int) -> Stored:
    """The record. Raises ``Corrupt`` when it has another checksum."""
    if checksum(space, record) != expected:
        raise _corrupt(space, record)
    return record


def verified_head(space: Space, record: Stored, expected: int) -> Stored:
    """A record that was read without its value. Raises ``Corrupt`` when it has another checksum."""
    if _head(space, record) & _UPPER != expected >> _HALF:
        raise _corrupt(space, record)
    return record


def under(key: str, record: Stored) -> Stored:
    """The record that was asked for. Raises ``Corrupt`` when a bent index led to another one."""
    if record.key != key:
        raise Corrupt(f"the index at {key!r}", f"it leads to document {record.key!r}")
    return record


def following(items: Sequence[Stored], record: Stored) -> Stored:
    """The next record of a listing. Raises ``Corrupt`` when a bent index led astray."""
    if items and record.key <= items[-1].key:
        raise Corrupt(f"the index after {items[-1].key!r}", f"it leads to document {record.key!r}")
    return record


def _corrupt(space: Space, record: Stored) -> Corrupt:
    return Corrupt(f"document {record.key!r} of namespace {space.namespace!r}", "its checksum does not match")
