"""A module is taken to pieces, and each piece finds the others."""

from au_sys_python_factory.migration.codemods.imports import Spelling, rewritten
from au_sys_python_factory.migration.codemods.parts import apart

MIXED = '''"""Stores and how they are made."""

from json import loads

LIMIT = 3


class Store:
    size = LIMIT


def made(text):
    from old.other import Other

    return Other(Store(), loads(text))


def named() -> "Store":
    return Store()
'''


def test_a_piece_takes_its_names_and_imports_what_it_needs() -> None:
    """By the old name of the module, which the rewriting of imports then resolves."""
    piece = apart(MIXED, ["made"], ["made"], "old.stores")
    assert "def made" in piece
    assert "class Store" not in piece
    assert "from old.stores import Store\n" in piece


def test_a_name_in_a_text_annotation_is_needed_too() -> None:
    """Only the name is written there."""
    assert "from old.stores import Store\n" in apart(MIXED, ["named"], ["named"], "old.stores")


def test_what_is_left_keeps_everything_else() -> None:
    """And asks for nothing that it does not use."""
    rest = apart(MIXED, [], ["made"], "old.stores")
    assert ("def made" in rest, "class Store" in rest, "from old.stores" in rest) == (False, True, False)


def test_importers_find_each_name_where_it_went() -> None:
    """The piece in one place, the rest in another."""
    targets = {"old.stores": "new.core.stores", "old.stores.made": "new.manifest.making.made"}
    spelling = Spelling(targets, lambda dotted: ("old.stores", dotted.removeprefix("old.stores").strip(".")))
    text = rewritten("from old.stores import Store, made\n", "old.user", False, spelling)
    assert "from new.core.stores import Store" in text
    assert "from new.manifest.making import made" in text
