"""The keys that documents are sealed with: several generations at a time, so that they change without a stop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput, Unavailable

_NONCE = 12
_KEY = 32
_DRAWN = 256
"""Nonces that are drawn at once: asking the system lets other threads go first, which for each document would cost more
than to seal it.
"""


class KeyRing:
    """AES-256-GCM (NIST SP 800-38D) under keys derived for each namespace (HKDF-SHA256, RFC 5869).

    The newest generation seals; every generation opens. A ring shows none of its keys.
    """

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys or any(number < 1 or len(key) != _KEY for number, key in keys.items()):
            raise InvalidInput("keys", "a generation is not a number with 32 bytes", "give {1: 32 random bytes, …}")
        self._keys = dict(keys)
        self.current = max(keys)
        self._cipher = lru_cache(maxsize=1024)(self._derived)
        self._nonces: list[bytes] = []
        self._drawn_by = os.getpid()

    def _derived(self, generation: int, space: Space) -> AESGCM:
        if generation not in self._keys:
            raise Unavailable(f"key generation {generation} is not in the ring", retry_after=60)
        info = f"au-sys-storage\0{space.tenant}\0{space.namespace}".encode()
        return AESGCM(HKDF(SHA256(), _KEY, None, info).derive(self._keys[generation]))

    def seal(self, text: bytes, space: Space, bound_to: bytes) -> bytes:
        """Nonce and ciphertext, bound to its namespace and to ``bound_to``."""
        nonce = self._nonce()
        return nonce + self._cipher(self.current, space).encrypt(nonce, text, bound_to)

    def _nonce(self) -> bytes:
        """Random bytes that nobody else is given: threads take from a list atomically, a fork begins its own."""
        if self._drawn_by != os.getpid():
            self._nonces = []
            self._drawn_by = os.getpid()
        try:
            return self._nonces.pop()
        except IndexError:
            drawn = os.urandom(_NONCE * _DRAWN)
            self._nonces += [drawn[start : start + _NONCE] for start in range(_NONCE, len(drawn), _NONCE)]
            return drawn[:_NONCE]

    def open(self, sealed: bytes, generation: int, space: Space, bound_to: bytes, where: str) -> bytes:
        """The text.

        Raises:
            Corrupt: it was not sealed like this, or has been changed, moved or rolled back.
            Unavailable: the generation's key is not in the ring.
        """
        try:
            return self._cipher(generation, space).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise Corrupt(where, "it cannot be unsealed as what it claims to be") from error
