"""What is known of a blob without reading it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from au_sys_storage_sdk.core.errors import InvalidInput, OutsideRange

DEFAULT_TYPE = "application/octet-stream"
BLOCK = 1024 * 1024
"""Bytes that are read, checked and handed on at a time."""

INLINE = 64 * 1024
"""Up to this size a blob lies beside its index entry instead of in a file or object of its own."""

_TYPE = re.compile(r"[\w!#$&^.+-]{1,64}/[\w!#$&^.+-]{1,64}(?:; ?[\w-]{1,32}=[\w.-]{1,64})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A stored blob. Times are Unix milliseconds; ``version`` is the commit sequence of its last write."""

    key: str
    size: int
    sha256: str
    version: int
    created: int
    updated: int
    content_type: str = DEFAULT_TYPE


@dataclass(frozen=True, slots=True)
class Usage:
    """What a namespace holds."""

    tenant: str
    namespace: str
    count: int
    size: int


def valid_type(content_type: str) -> str:
    """The media type itself, when it has the form ``type/subtype`` with at most one parameter (RFC 9110 §8.3).

    Raises:
        InvalidInput: it is something else.
    """
    if _TYPE.fullmatch(content_type) is None:
        raise InvalidInput("content_type", f"{content_type[:80]!a} is not a media type", "send type/subtype")
    return content_type


def valid_range(start: int, end: int | None, size: int) -> tuple[int, int]:
    """Start and exclusive end within a blob of ``size`` bytes.

    Raises:
        OutsideRange: the range lies outside.
    """
    stop = size if end is None else min(end, size)
    if start < 0 or start > stop or (start >= size and size > 0):
        raise OutsideRange(start, end, size)
    return start, stop
