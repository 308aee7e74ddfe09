"""Derivation and Sealing: what only this installation can compute and read; and secrets that it gives out."""

import hashlib
import secrets
from typing import Protocol


class Derivation(Protocol):
    """One root key, separated by purpose."""

    def older_hash(self, purpose: str, *parts: bytes) -> bytes | None:
        """The same with the key before this one, while there is one."""

    def keyed_hash(self, purpose: str, *parts: bytes) -> bytes:
        """32 bytes that nobody can compute who does not hold the key."""


class Sealing(Protocol):
    """Encryption of single values, tied to the place where they are stored."""

    def seal(self, place: str, plain: bytes) -> bytes: ...

    def unseal(self, place: str, sealed: bytes) -> bytes: ...


def digest(secret: str) -> bytes:
    """SHA-256: enough for values of 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def new_secret() -> str:
    """256 random bits in 43 characters."""
    return secrets.token_urlsafe(32)
