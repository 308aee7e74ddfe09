"""Derivation: keyed one-way functions that only this installation can compute."""

from typing import Protocol


class Derivation(Protocol):
    """One root key, separated by purpose."""

    def keyed_hash(self, purpose: str, *parts: bytes) -> bytes:
        """32 bytes that nobody can compute who does not hold the key."""
