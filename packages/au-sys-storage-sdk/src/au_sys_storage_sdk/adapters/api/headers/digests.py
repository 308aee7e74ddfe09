"""Digest fields (RFC 9530): ``Repr-Digest`` and ``Content-Digest`` are checked on the way in and given on the way out.

Of the algorithms only sha-256 is looked at; others may stand beside it.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from fastapi import Request

from au_sys_storage_sdk.core.errors import InvalidInput

_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([^:]{0,80}):", re.ASCII)
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Demanded:
    """The SHA-256 that a request says its body has, and the field that said so."""

    digest: bytes | None = None
    field: str = "Repr-Digest"

    def check(self, body: bytes) -> None:
        """Raise ``InvalidInput`` when a whole body has another digest."""
        if self.digest is not None:
            self.compare(hashlib.sha256(body).digest())

    def compare(self, digest: bytes) -> None:
        """Raise ``InvalidInput`` when this is another digest."""
        if self.digest is not None and digest != self.digest:
            raise InvalidInput(self.field, "the body has another SHA-256", "send it again; nothing was stored")


_NOTHING = Demanded()


def demanded(request: Request, fields: tuple[str, ...] = ("Repr-Digest", "Content-Digest")) -> Demanded:
    """What a request says of its body's digest. Raises ``InvalidInput`` for a digest that is none."""
    for field in fields:
        text = request.headers.get(field)
        if text is None:
            continue
        found = _SHA256.search(text)
        if found is None:
            continue
        try:
            digest = base64.b64decode(found[1], validate=True)
        except ValueError:
            digest = b""
        if len(digest) != _BYTES:
            raise InvalidInput(field, "it is no base64 of 32 bytes", "send sha-256=:…: (RFC 9530)")
        return Demanded(digest, field)
    return _NOTHING


def digest_header(digest: bytes) -> str:
    """The value of a digest field."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def wanted(request: Request) -> bool:
    """Whether the caller asks for a digest of the representation."""
    return any(name == b"want-repr-digest" and b"sha-256" in value for name, value in request.scope["headers"])
