"""Limits of pages."""

import pytest

from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.core.paging import MAX_LIMIT, valid_limit


def test_limits_within_the_bounds_pass() -> None:
    """One and a thousand are allowed."""
    assert (valid_limit(1), valid_limit(MAX_LIMIT)) == (1, MAX_LIMIT)


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_limits_beyond_are_refused(limit: int) -> None:
    """The error names the field."""
    with pytest.raises(InvalidInput, match=r"^limit: "):
        valid_limit(limit)
