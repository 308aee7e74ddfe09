"""One root key, separated by purpose."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from au_sys_identity.adapters.crypto.breach_list import HashFile, build
from au_sys_identity.adapters.crypto.sealing import RootKey, Unsealable, key_file

ROOT = RootKey(bytes(range(32)))


def test_what_is_sealed_is_opened_in_its_place_only() -> None:
    """Another row, another key or a changed byte opens nothing."""
    sealed = ROOT.seal("totp:1", b"secret")
    assert b"secret" not in sealed
    assert ROOT.unseal("totp:1", sealed) == b"secret"
    for place, value, key in (
        ("totp:2", sealed, ROOT),
        ("totp:1", sealed[:-1] + bytes([sealed[-1] ^ 1]), ROOT),
        ("totp:1", sealed, RootKey(os.urandom(32))),
    ):
        with pytest.raises(Unsealable):
            key.unseal(place, value)


def test_purposes_and_parts_do_not_mix() -> None:
    """The same bytes under another purpose, or cut elsewhere, give another hash."""
    hashes = {
        ROOT.keyed_hash("a", b"xy"),
        ROOT.keyed_hash("b", b"xy"),
        ROOT.keyed_hash("a", b"x", b"y"),
        ROOT.keyed_hash("a", b"", b"xy"),
    }
    assert len(hashes) == 4
    assert "range" not in repr(ROOT)


def test_processes_that_start_at_once_agree_on_a_key(tmp_path: Path) -> None:
    """Whoever writes the file first is who everybody reads."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_file(tmp_path / "identity.key"), range(16)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["identity.key"]


def test_the_shipped_list_knows_what_attackers_try() -> None:
    """At least ten thousand entries; common ones are in it, a fresh sentence is not."""
    shipped = HashFile.shipped()
    assert len(shipped) >= 10_000
    assert [word for word in ("password", "123456789", "iloveyou", "letmein") if not shipped.contains(word)] == []
    assert not shipped.contains("rain on a tin roof")


def test_a_list_of_ones_own_is_searched_to_its_edges() -> None:
    """First, last and middle entries are found; an empty list knows nothing."""
    words = [f"word {number}" for number in range(101)]
    made = HashFile(build(words))
    assert all(made.contains(word) for word in words)
    assert not made.contains("word 101")
    assert not HashFile(b"").contains("word 1")
