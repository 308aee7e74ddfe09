"""Rules of namespaces for callers from outside."""

import pytest

from au_sys_storage_sdk.core.errors import ConditionRequired, InvalidInput, OutOfReach, TooLarge
from au_sys_storage_sdk.core.policies import PLATFORM_ONLY, Policies, Policy


def test_the_first_fitting_pattern_decides() -> None:
    """Then the default."""
    policies = Policies({"notes.private": Policy(max_value=1), "notes.*": Policy(max_value=2)}, Policy(max_value=3))
    found = [policies.of(name).max_value for name in ("notes.private", "notes.x", "other")]
    assert found == [1, 2, 3]


@pytest.mark.parametrize("name", [*PLATFORM_ONLY, "identity.users", "identity-x", "auditing"])
def test_no_rule_opens_the_platforms_namespaces(name: str) -> None:
    """Also not one that names them."""
    policies = Policies({"*": Policy(), name: Policy()})
    assert not policies.in_reach(name)
    with pytest.raises(OutOfReach):
        policies.of(name)


def test_conditions_sizes_and_times_are_enforced() -> None:
    """A missing condition, a large value and a long life are refused; a missing life gets the cap."""
    policy = Policy(max_value=10, max_ttl=60, conditional=True)
    assert (policy.admit("n", 10, None, 1), policy.admit("n", 10, 5, 1)) == (60, 5)
    with pytest.raises(ConditionRequired):
        policy.admit("n", 1, None, None)
    with pytest.raises(TooLarge):
        policy.admit("n", 11, None, 1)
    with pytest.raises(InvalidInput, match="cap"):
        policy.admit("n", 1, 61, 1)


def test_a_rule_may_leave_a_namespace_unsealed_but_never_the_platforms() -> None:
    """Sealing is what happens unless a rule says otherwise."""
    policies = Policies(
        {"open.*": Policy(encrypted=False), "must": Policy(encrypted=True), "*": Policy(encrypted=None)}
    )
    names = ("open.x", "must", "other", "identity.users", "storage.history")
    assert [policies.seals(name) for name in names] == [False, True, True, True, True]
    assert policies.demand_encryption == ("must",)
    assert Policies({"*": Policy(encrypted=False)}).seals("storage.history")
