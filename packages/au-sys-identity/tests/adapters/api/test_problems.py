"""No core error lacks a status."""

import inspect

from au_sys_identity.adapters.api.problems import PROBLEMS
from au_sys_identity.core import errors
from au_sys_identity.core.directories import errors as directories
from au_sys_identity.core.graph import errors as graph
from au_sys_identity.core.settings import errors as settings

_BRANCHES = (errors, graph, directories, settings)


def _leaves() -> set[type[Exception]]:
    classes = [found for branch in _BRANCHES for _, found in inspect.getmembers(branch, inspect.isclass)]
    known = {found for found in classes if issubclass(found, errors.IdentityError)}
    return {found for found in known if not any(issubclass(other, found) and other is not found for other in known)}


def test_every_leaf_has_one_problem() -> None:
    """Each leaf of the tree is mapped once, and nothing else is."""
    assert sorted(mapping.error.__name__ for mapping in PROBLEMS) == sorted(leaf.__name__ for leaf in _leaves())


def test_slugs_are_unique() -> None:
    """Two errors never look like one; ``denied`` is what requirement 3.2 calls every lack of a right."""
    slugs = [mapping.slug for mapping in PROBLEMS if mapping.slug != "denied"]
    assert len(slugs) == len(set(slugs))


def test_the_tree_is_drawn() -> None:
    """The docstrings of the errors name every one of them."""
    drawn = "".join(branch.__doc__ or "" for branch in _BRANCHES)
    assert [leaf.__name__ for leaf in _leaves() if leaf.__name__ not in drawn] == []
