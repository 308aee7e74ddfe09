"""Derivation and Sealing: what only this installation can compute and read."""

from typing import Protocol


class Derivation(Protocol):
    """One root key, separated by purpose."""

    def keyed_hash(self, purpose: str, *parts: bytes) -> bytes:
        """32 bytes that nobody can compute who does not hold the key."""


class Sealing(Protocol):
    """Encryption of single values, tied to the place where they are stored."""

    def seal(self, place: str, plain: bytes) -> bytes: ...

    def unseal(self, place: str, sealed: bytes) -> bytes: ...
