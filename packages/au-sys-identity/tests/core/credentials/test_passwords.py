"""Setting and checking, no database."""

import pytest

from au_sys_identity.adapters.memory.proofs.credentials import ListedBreaches
from au_sys_identity.core.credentials.passwords import PasswordRules, acceptable_length, one_time_password
from au_sys_identity.core.errors import WeakPassword

RULES = PasswordRules(ListedBreaches("correcthorsebattery"), 12)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "é" * 1000,
        "with a \0 inside it",
        "correcthorsebattery",
        "CorrectHorseBattery",
        "aaaaaaaaaaaaaaaa",
        "my dear ann.larsson 1",
        "annika larsson is me",
    ],
)
def test_weak_passwords_are_refused(password: str) -> None:
    """Too short, too long, with NUL, known to attackers, too even, or made of the account's own names."""
    with pytest.raises(WeakPassword):
        RULES.check(password, names=("ann.larsson@example.org", "Annika Larsson"))


def test_spellings_of_one_password_are_one() -> None:
    """Composed and decomposed letters give the same password, so the keyboard does not matter."""
    assert RULES.check("caf\u00e9 au lait, deux") == RULES.check("cafe\u0301 au lait, deux")


def test_no_composition_is_asked_for() -> None:
    """A long sentence in small letters is a good password."""
    assert RULES.check("rain on a tin roof") == "rain on a tin roof"


def test_generated_passwords_pass_their_own_rules() -> None:
    """What the product makes up, it accepts; no two are equal."""
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(RULES.check(password) == password for password in made)


def test_what_nobody_can_have_is_not_hashed() -> None:
    """Over 1 024 bytes or with NUL it cannot be a password."""
    assert not acceptable_length("x" * 1025)
    assert not acceptable_length("a\0b")
    assert acceptable_length("x" * 1024)
