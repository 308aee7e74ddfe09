"""One root key, separated by purpose: sealing for what is stored, keyed hashes for what is compared."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Unsealable(Exception):
    """A sealed value was changed, moved to another row, or sealed with another key."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"{place} cannot be opened with IDENTITY_SECRET_KEY. Give the key that it was sealed with.")


class RootKey:
    """Purposes are separated by HKDF; sealing is AES-256-GCM with the value's place as associated data."""

    def __init__(self, root: bytes | Callable[[], bytes], previous: bytes | None = None) -> None:
        """The key itself, or what reads it when it is first needed: looking at a platform makes no key.

        What ``previous`` sealed can still be opened, until everything is sealed anew.
        """
        self._read = root
        self._derived: dict[str, bytes] = {}
        self._previous = RootKey(previous) if previous is not None else None

    def open(self) -> None:
        """Read the key now. Blocks."""
        if callable(self._read):
            self._read = self._read()

    def __repr__(self) -> str:
        return "RootKey(…)"

    def keyed_hash(self, purpose: str, *parts: bytes) -> bytes:
        """See :class:`~au_sys_identity.core.derivation.Derivation`."""
        material = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.new(self._key(f"hash:{purpose}"), material, hashlib.sha256).digest()

    def older_hash(self, purpose: str, *parts: bytes) -> bytes | None:
        """See :class:`~au_sys_identity.core.derivation.Derivation`."""
        return self._previous.keyed_hash(purpose, *parts) if self._previous is not None else None

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt a value for one place (``table:id``)."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key("seal")).encrypt(nonce, plain, place.encode())

    def unseal(self, place: str, sealed: bytes) -> bytes:
        """Decrypt what was sealed for this place.

        Raises:
            Unsealable: it was not, or was changed.
        """
        try:
            return self._opened(place, sealed)
        except InvalidTag:
            if self._previous is not None:
                return self._previous.unseal(place, sealed)
            raise Unsealable(place) from None

    def sealed_anew(self, place: str, sealed: bytes) -> bytes | None:
        """What the previous key sealed, sealed with this one; ``None`` when this one did already.

        Raises:
            Unsealable: neither of them did.
        """
        try:
            self._opened(place, sealed)
        except InvalidTag:
            return self.seal(place, self.unseal(place, sealed))
        return None

    def _opened(self, place: str, sealed: bytes) -> bytes:
        return AESGCM(self._key("seal")).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())

    def _key(self, purpose: str) -> bytes:
        if purpose not in self._derived:
            hkdf = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"au-sys-identity/{purpose}".encode())
            self._derived[purpose] = hkdf.derive(self._read() if callable(self._read) else self._read)
        return self._derived[purpose]


def parsed_key(text: str) -> bytes:
    """The 32 bytes of a base64 key.

    Raises:
        ValueError: it is not 32 bytes in base64, or too regular to be random.
    """
    try:
        raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/") + "=" * (-len(text.strip()) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    if len(raw) != _KEY_BYTES:
        raise ValueError("must hold 32 bytes")
    if len(set(raw)) < _KEY_BYTES // 4:
        raise ValueError("is too regular to be random")
    return raw


def key_file(path: Path) -> bytes:
    """The key in a file that only its owner reads; made when there is none. Two processes at once agree on one."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    if not path.exists():
        handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(handle, base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            fresh.unlink()
    return parsed_key(path.read_text(encoding="ascii"))
