"""The archive on its way to the store: a header in clear, then compressed lines in encrypted chunks.

``AUBK1``, length and header, then chunks of length and AES-256-GCM. The nonce is the chunk's number and whether it is
the last, the associated data is the header's hash, and the key is the archive's own: reordered, cut or mixed chunks
open nowhere.
"""

import base64
import hashlib
import json
import os
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from au_sys_identity.core.audit.heads import moment
from au_sys_identity.core.errors import BackupCorrupt
from au_sys_identity.core.recovery.models import Header

_MAGIC = b"AUBK1\n"
_CHUNK = 64 * 1024
_LARGEST_HEADER = 64 * 1024
_LARGEST_LINE = 16 * 1024 * 1024
_PIECE = 1024 * 1024
_MOST_PLAIN = 64 * 1024**3
_MOST_RATIO = 1_000
_MOST_LINES = 200_000_000
_SALT_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class BackupCipher:
    """One backup key, separated by purpose. It is asked for when it is first needed."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._read = key

    def __repr__(self) -> str:
        return "BackupCipher(…)"

    @staticmethod
    def new_salt() -> bytes:
        """What makes the key of one archive its own."""
        return os.urandom(_SALT_BYTES)

    def derived(self, purpose: str, salt: bytes | None = None) -> bytes:
        """32 bytes for a purpose."""
        return HKDF(SHA256(), 32, salt=salt, info=f"au-sys-identity/backup/{purpose}".encode()).derive(self._read())

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """A small blob."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.derived(purpose)).encrypt(nonce, plain, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Out of a small blob.

        Raises:
            BackupCorrupt: it was changed, or sealed with another key.
        """
        try:
            return AESGCM(self.derived(purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            raise BackupCorrupt(purpose) from None

    def sign(self, message: bytes) -> bytes:
        """Ed25519 with a key of its own, for entries of the ledger."""
        return self._signing.sign(message)

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether :meth:`sign` made it."""
        try:
            self._signing.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @property
    def _signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.derived("ledger"))

    async def encrypted(self, header: Header, lines: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The archive as it is stored."""
        clear = json.dumps(_shown(header)).encode()
        yield _MAGIC + len(clear).to_bytes(4, "big") + clear
        cipher, tied = AESGCM(self.derived("archive", header.salt)), hashlib.sha256(clear).digest()
        packer, waiting, number = zlib.compressobj(6), bytearray(), 0
        async for line in lines:
            waiting += packer.compress(line)
            while len(waiting) > _CHUNK:
                yield _framed(cipher.encrypt(_nonce(number, last=False), bytes(waiting[:_CHUNK]), tied))
                del waiting[:_CHUNK]
                number += 1
        waiting += packer.flush()
        while len(waiting) > _CHUNK:
            yield _framed(cipher.encrypt(_nonce(number, last=False), bytes(waiting[:_CHUNK]), tied))
            del waiting[:_CHUNK]
            number += 1
        yield _framed(cipher.encrypt(_nonce(number, last=True), bytes(waiting), tied))

    async def decrypted(self, content: AsyncIterable[bytes]) -> AsyncIterator["Header | bytes"]:
        """The header, then the lines, each with its end.

        Raises:
            BackupCorrupt: it is no archive of this key, was changed, cut or mixed, or is larger than one can be.
        """
        source = _Source(content)
        if await source.take(len(_MAGIC), "start") != _MAGIC:
            raise BackupCorrupt("start")
        length = int.from_bytes(await source.take(4, "header"), "big")
        if length > _LARGEST_HEADER:
            raise BackupCorrupt("header")
        clear = await source.take(length, "header")
        header = _read(clear)
        yield header
        cipher, tied = AESGCM(self.derived("archive", header.salt)), hashlib.sha256(clear).digest()
        lines, number, last = _Lines(), 0, False
        while not last:
            sealed = await source.chunk(number)
            last = await source.ended()
            try:
                packed = cipher.decrypt(_nonce(number, last=last), sealed, tied)
                for line in lines.unpacked(packed, number):
                    yield line
            except (InvalidTag, zlib.error):
                raise BackupCorrupt(f"chunk {number}") from None
            number += 1
        lines.end()


class _Source:
    """Takes so many bytes of a stream."""

    def __init__(self, content: AsyncIterable[bytes]) -> None:
        self._content = aiter(content)
        self._waiting = bytearray()

    async def take(self, count: int, where: str) -> bytes:
        while len(self._waiting) < count:
            piece = await anext(self._content, None)
            if piece is None:
                raise BackupCorrupt(where)
            self._waiting += piece
        found = bytes(self._waiting[:count])
        del self._waiting[:count]
        return found

    async def chunk(self, number: int) -> bytes:
        size = int.from_bytes(await self.take(4, f"chunk {number}"), "big")
        if not _TAG_BYTES <= size <= _CHUNK + _TAG_BYTES:
            raise BackupCorrupt(f"chunk {number}")
        return await self.take(size, f"chunk {number}")

    async def ended(self) -> bool:
        while not self._waiting:
            piece = await anext(self._content, None)
            if piece is None:
                return True
            self._waiting += piece
        return False


class _Lines:
    """Unpacks a stream and splits it into lines, within bounds."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj()
        self._rest = b""
        self._packed = self._plain = self._count = 0

    def unpacked(self, packed: bytes, number: int) -> Iterator[bytes]:
        self._packed += len(packed)
        while packed:
            plain = self._unpacker.decompress(packed, _PIECE)
            packed = self._unpacker.unconsumed_tail
            self._plain += len(plain)
            if self._plain > _MOST_PLAIN or self._plain > max(self._packed, _CHUNK) * _MOST_RATIO:
                raise BackupCorrupt(f"chunk {number}: it unpacks to more than an archive may hold")
            *whole, self._rest = (self._rest + plain).split(b"\n")
            self._count += len(whole)
            if len(self._rest) > _LARGEST_LINE or self._count > _MOST_LINES:
                raise BackupCorrupt(f"chunk {number}: a line that is too long, or too many lines")
            yield from whole

    def end(self) -> None:
        if not self._unpacker.eof or self._rest:
            raise BackupCorrupt("end")


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _framed(sealed: bytes) -> bytes:
    return len(sealed).to_bytes(4, "big") + sealed


def _shown(header: Header) -> dict[str, object]:
    return {
        "format": 1,
        "id": str(header.id),
        "at": moment(header.at),
        "schema": header.schema,
        "salt": base64.b64encode(header.salt).decode(),
        "label": header.label,
        "include_audit": header.include_audit,
        "ledger": header.ledger,
        "audit_head": header.audit_head,
    }


def _read(clear: bytes) -> Header:
    try:
        found = json.loads(clear)
        return Header(
            UUID(found["id"]),
            datetime.fromisoformat(found["at"].replace("Z", "+00:00")),
            str(found["schema"]),
            base64.b64decode(found["salt"]),
            str(found["label"]),
            bool(found["include_audit"]),
            int(found["ledger"]),
            found["audit_head"],
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise BackupCorrupt("header") from None
