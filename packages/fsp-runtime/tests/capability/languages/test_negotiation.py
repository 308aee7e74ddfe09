"""Which language a reader gets."""

import pytest

from fastapi_services_platform.capability.languages import chosen_language

OFFERED = ("en", "sv")


@pytest.mark.parametrize(
    ("profile", "kept", "wished", "expected"),
    [
        ("sv-SE", "en", "en", "sv"),
        ("sv_FI", "", "", "sv"),
        (None, "sv", "en", "sv"),
        (None, "tlh", "de, sv;q=0.8, en;q=0.5", "sv"),
        (None, "", "sv;q=0.1, en;q=0.9", "en"),
        (None, "", "sv;q=x, ;;, de", "en"),
        (None, "", "sv;q=0", "en"),
        ("fi", "", "", "en"),
        (None, "", "a," * 10_000 + "sv", "en"),
    ],
)
def test_whose_wish_counts(profile: str | None, kept: str, wished: str, expected: str) -> None:
    """The profile's, else the cookie's, else the browser's, else the platform's."""
    assert expected == chosen_language(OFFERED, profile, kept, wished, "en")
