"""Time-ordered identifiers."""

from au_sys_identity.core.ids import uuid7


def test_ids_are_of_version_seven_and_in_order() -> None:
    """Each is version 7, variant RFC 9562; made one after the other they sort so, and none comes twice."""
    made = [uuid7() for _ in range(1000)]
    assert {found.version for found in made} == {7}
    assert {found.variant for found in made} == {"specified in RFC 4122"}
    assert len(set(made)) == 1000
    assert [found.int >> 64 for found in made] == sorted(found.int >> 64 for found in made)
