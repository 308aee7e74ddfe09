"""When a write may happen."""

import pytest

from au_sys_storage_sdk.core.errors import Conflict
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition, holds, require

TABLE: list[tuple[Condition, int | None, bool]] = [
    (None, None, True), (None, 5, True), (ABSENT, None, True), (ABSENT, 5, False), (5, 5, True), (5, 6, False),
    (5, None, False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "actual", "expected"), TABLE)
def test_each_condition_meets_each_state(condition: Condition, actual: int | None, expected: bool) -> None:
    """The whole table; a condition that fails raises with both versions."""
    assert expected == holds(condition, actual)
    if expected:
        require(condition, actual, "n", "k")
    else:
        with pytest.raises(Conflict) as raised:
            require(condition, actual, "n", "k")
        assert (None if condition is ABSENT else condition, actual) == (raised.value.expected, raised.value.actual)
