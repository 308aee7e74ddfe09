"""Where things lie in the bucket, and what the errors of the store mean.

``heads/<tenant>/<namespace>/<name>/<number>`` say what a key leads to: one small object for every write, numbered on,
never changed. ``data/<id>`` are the bytes of larger blobs. ``pending/<id>`` names data whose write has not ended.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from obstore import exceptions

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.blobs.models import BlobInfo
from au_sys_storage_sdk.core.errors import AccessDenied, Corrupt, Unavailable

HEADS = "heads"
PENDING = "pending"
DATA = "data"

_REFUSED = re.compile(r"status code: 40[13]")
"""A listing that is refused comes as an error of no kind of its own."""

_PLAIN_BYTES = 280
"""Bytes of a key that are in its name; of the rest only a digest, as names in a bucket end at 1,024 bytes."""


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a key leads to since one write: inline bytes, data, or nothing (``gone``)."""

    key: str
    updated: int
    created: int = 0
    size: int = 0
    sha256: str = ""
    content_type: str = ""
    checksums: bytes = b""
    inline: bytes | None = None
    data: str = ""
    gone: bool = False

    def info(self, number: int) -> BlobInfo:
        """As a caller sees it; the number is the version."""
        return BlobInfo(self.key, self.size, self.sha256, number, self.created, self.updated, self.content_type)


_decode = msgspec.json.Decoder(Head).decode
encode = msgspec.json.Encoder().encode


def head_of(text: bytes, path: str) -> Head:
    """The head in an object. Raises ``Corrupt``."""
    try:
        return _decode(text)
    except ValueError as error:
        raise Corrupt(f"object {path!r}", "it is no entry of a blob") from error


def folder(space: Space) -> str:
    """Where the heads of a namespace lie."""
    return f"{HEADS}/{space.tenant}/{space.namespace}"


def start_of(key: str) -> str:
    """The name of a short key; of a long one, what its name and those of all like it begin with."""
    return key.encode()[:_PLAIN_BYTES].hex()


def name_of(key: str) -> str:
    """The name of a key: hexadecimal, so that names sort as keys do; behind ``z`` a digest stands for the rest."""
    text = key.encode()
    if len(text) <= _PLAIN_BYTES:
        return text.hex()
    return f"{text[:_PLAIN_BYTES].hex()}z{hashlib.sha256(text).hexdigest()[:40]}"


def is_cut(name: str) -> bool:
    """Whether the key is longer than its name says, so that names do not sort as keys do."""
    return "z" in name


def head_path(space: Space, name: str, number: int) -> str:
    """The object that a write with this number makes."""
    return f"{folder(space)}/{name}/{number:012}"


@contextmanager
def translated(host: str = "the object store") -> Iterator[None]:
    """Raise storage errors for what the store or the way to it refuses; missing objects and taken names pass."""
    try:
        yield
    except (FileNotFoundError, exceptions.AlreadyExistsError, exceptions.PreconditionError):
        raise
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise AccessDenied(host, type(error).__name__) from error
    except exceptions.BaseError as error:
        if _REFUSED.search(str(error)[:600]):
            raise AccessDenied(host, type(error).__name__) from error
        raise Unavailable(f"{host} does not answer ({type(error).__name__})", retry_after=2) from error
