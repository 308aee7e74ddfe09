"""A checksum over a record and its address: a row that was moved, rolled back or bent is noticed."""

from __future__ import annotations

import zlib

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.errors import Corrupt


def checksum(space: Space, record: Stored) -> int:
    """CRC-32 over address, version, end of life, schema and value."""
    head = f"{space.tenant}\0{space.namespace}\0{record.key}\0{record.version}\0{record.expires}\0{record.schema}"
    return zlib.crc32(record.value, zlib.crc32(head.encode()))


def verified(space: Space, record: Stored, expected: int) -> Stored:
    """The record. Raises ``Corrupt`` when it has another checksum."""
    if checksum(space, record) != expected:
        raise Corrupt(f"document {record.key!r} of namespace {space.namespace!r}", "its checksum does not match")
    return record
