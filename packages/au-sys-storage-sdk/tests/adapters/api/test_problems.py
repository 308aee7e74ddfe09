"""Every error of the core has its problem."""

from collections.abc import Iterator

from au_sys_storage_sdk.adapters.api.problems import PROBLEMS
from au_sys_storage_sdk.core.errors import StorageError


def below(error: type[StorageError]) -> Iterator[type[StorageError]]:
    """The tree without its root."""
    for child in error.__subclasses__():
        yield child
        yield from below(child)


def test_no_core_error_lacks_a_problem() -> None:
    """One mapping each, with unique names."""
    assert set(below(StorageError)) == {mapping.error for mapping in PROBLEMS}
    assert len(PROBLEMS) == len({mapping.slug for mapping in PROBLEMS})
