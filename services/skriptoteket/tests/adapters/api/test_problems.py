"""Every core error has its problem."""

from skriptoteket.adapters.api.problems import problems
from skriptoteket.core import errors


def leaves() -> set[type[errors.SkriptoteketError]]:
    """Every error but the base."""
    found: set[type[errors.SkriptoteketError]] = set()
    waiting: list[type[errors.SkriptoteketError]] = [errors.SkriptoteketError]
    while waiting:
        for error in waiting.pop().__subclasses__():
            found.add(error)
            waiting.append(error)
    return found


def test_every_error_is_mapped() -> None:
    """A leaf without an entry would become a 500."""
    assert set() == {error.__name__ for error in leaves()} - {mapping.error.__name__ for mapping in problems()}
