"""No core error lacks a status."""

import inspect

from au_sys_identity.adapters.api.problems import PROBLEMS
from au_sys_identity.core import errors


def _leaves() -> set[type[Exception]]:
    known = {
        found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, errors.IdentityError)
    }
    return {found for found in known if not any(issubclass(other, found) and other is not found for other in known)}


def test_every_leaf_has_one_problem() -> None:
    """Each leaf of the tree is mapped once, and nothing else is."""
    assert sorted(mapping.error.__name__ for mapping in PROBLEMS) == sorted(leaf.__name__ for leaf in _leaves())


def test_slugs_are_unique() -> None:
    """Two errors never look like one."""
    slugs = [mapping.slug for mapping in PROBLEMS]
    assert len(slugs) == len(set(slugs))


def test_the_tree_is_drawn() -> None:
    """The docstring of the errors names every one of them."""
    drawn = errors.__doc__ or ""
    assert [leaf.__name__ for leaf in _leaves() if leaf.__name__ not in drawn] == []
