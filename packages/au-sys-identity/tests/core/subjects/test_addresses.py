"""One canonical form for every spelling of an address."""

import pytest

from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.subjects.addresses import email_address


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("ann+school@example.org", "ann+school@example.org"),
        ("ann@bücher.example.org", "ann@xn--bcher-kva.example.org"),
        (" ann@example.org ", "ann@example.org"),
    ],
)
def test_spellings_become_one(text: str, canonical: str) -> None:
    """Case and script of the domain do not make another account; a tag does."""
    assert email_address(text).canonical == canonical


@pytest.mark.parametrize(
    "text",
    [
        "ann＠example.org",
        "ann@example.org, bob@example.org",
        "ann@example.org\r\nBcc: all@example.org",
        "ann\u202e@example.org",
        "ann@",
        "@example.org",
        "ann@example..org",
        "a" * 300 + "@example.org",
        "Ann <ann@example.org>",
        "",
    ],
)
def test_what_is_no_single_address_is_refused(text: str) -> None:
    """Look-alikes, two addresses, header injection and invisible characters do not get in."""
    with pytest.raises(InvalidInput):
        email_address(text)
