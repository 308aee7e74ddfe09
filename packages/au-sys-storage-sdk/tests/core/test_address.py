"""Names that get past validation are safe everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from au_sys_storage_sdk.core.address import RESERVED, after_prefix, space, valid_key, valid_prefix
from au_sys_storage_sdk.core.errors import InvalidInput


@pytest.mark.parametrize("name", ["a", "identity.users", "x-1_y.2", "a" * 128])
def test_namespaces_are_dotted_lower_case(name: str) -> None:
    """Good names pass unchanged."""
    assert (name, "t") == (space(name, "t").namespace, space(name, "t").tenant)


@pytest.mark.parametrize(
    "name", ["", "A", "1a", ".a", "a.", "a b", "a/b", "a:b", "ä", "a\n", "a" * 129, *sorted(RESERVED)]
)
def test_other_namespaces_are_refused(name: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInput, match=r"^namespace: "):
        space(name)


@pytest.mark.parametrize("tenant", ["", "-x", "a/b", "a\0", "t" * 129, "ä"])
def test_bad_tenants_are_refused(tenant: str) -> None:
    """A tenant is part of the physical key."""
    with pytest.raises(InvalidInput, match=r"^tenant: "):
        space("a", tenant)


@given(st.text())
def test_a_key_passes_unchanged_or_is_refused(key: str) -> None:
    """Nothing is silently normalized."""
    try:
        passed = valid_key(key)
    except InvalidInput:
        return
    assert key == passed


def test_an_empty_prefix_is_no_key_but_a_prefix() -> None:
    """It means everything."""
    assert valid_prefix("") == ""


@given(st.text(min_size=1), st.text())
def test_the_end_of_a_prefix_is_behind_all_its_keys(prefix: str, rest: str) -> None:
    """Everything with the prefix is before it, and nothing without the prefix is between."""
    end = after_prefix(prefix)
    assert end is None or prefix + rest < end
    if end is not None and prefix <= rest < end:
        assert rest.startswith(prefix)
