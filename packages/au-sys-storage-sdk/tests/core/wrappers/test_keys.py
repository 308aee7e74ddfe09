"""Keys of documents: every sealing has a nonce of its own."""

import os
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import pytest

from au_sys_storage_sdk.core.address import space
from au_sys_storage_sdk.core.wrappers.keys import KeyRing


def _nonces(ring: KeyRing, many: int) -> list[bytes]:
    return [ring.seal(b"x", space("notes"), b"")[:12] for _ in range(many)]


def test_no_two_threads_seal_under_one_nonce() -> None:
    """A nonce that is used twice gives both texts away."""
    ring = KeyRing({1: b"k" * 32})
    with ThreadPoolExecutor(8) as threads:
        drawn = [nonce for found in threads.map(lambda _: _nonces(ring, 500), range(8)) for nonce in found]
    assert len(set(drawn)) == len(drawn) == 4000


def test_a_forked_process_draws_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its parent had drawn ahead is left to the parent."""
    parent = KeyRing({1: b"k" * 32})
    _nonces(parent, 1)
    child = copy(parent)
    child._nonces = parent._nonces.copy()  # what a fork does
    rest = _nonces(parent, 200)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert not set(_nonces(child, 200)) & set(rest)
