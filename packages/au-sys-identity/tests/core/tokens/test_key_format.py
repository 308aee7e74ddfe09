"""How an API key looks."""

import re

import pytest

from au_sys_identity.core.tokens.key_format import new_key, public_id_of


def test_a_key_is_recognized_offline() -> None:
    """Prefix, length and checksum let anybody tell a key from other text."""
    public_id, key = new_key()
    assert re.fullmatch(r"au_live_[0-9A-Za-z]{61}", key)
    assert public_id_of(key) == public_id


def test_keys_of_a_test_installation_tell_so() -> None:
    """Both kinds are recognized everywhere."""
    public_id, key = new_key("test")
    assert key.startswith("au_test_")
    assert public_id_of(key) == public_id


@pytest.mark.parametrize("change", [0, 8, 20, 40, 62, 68])
def test_one_wrong_character_is_noticed(change: int) -> None:
    """A mistyped key is refused without a look-up."""
    _, key = new_key()
    other = "x" if key[change] != "x" else "y"
    assert public_id_of(key[:change] + other + key[change + 1 :]) is None


@pytest.mark.parametrize("text", ["", "au_live_", "au_live_" + "é" * 61, "x" * 69, "au_live_" + "a" * 10_000])
def test_other_text_is_no_key(text: str) -> None:
    """Anything else is refused without an error."""
    assert public_id_of(text) is None
