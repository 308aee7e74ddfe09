"""What the rules ask of typing is written down where the old code says nothing; the code stays the same."""

import ast

import pytest

from au_sys_python_factory.checks.honesty.comments import commented_out, unreasoned
from au_sys_python_factory.migration.codemods.debts import REASON, settled, source

LOOSE = '''"""Rows."""

from typing import Any, cast


def first(rows: list[Any]) -> Any:
    # rows = sorted(rows)
    found = rows[0].value  # type: ignore[attr-defined]
    return cast(str, found)  # noqa: TC006
'''


def test_every_loose_type_gets_a_reason_and_is_counted() -> None:
    """Once for a whole module where ``Any`` is imported; nothing else changes."""
    text, number = settled(LOOSE, "old.rows")
    file = source(text, "old.rows")
    assert (list(unreasoned(file)), list(commented_out(file)), number) == ([], [], 3)
    assert f"from typing import Any, cast  # {REASON}" in text
    assert ast.dump(ast.parse(LOOSE)) == ast.dump(ast.parse(text))


def test_what_has_a_reason_keeps_it() -> None:
    """Nothing is counted, nothing is written."""
    text = "value = call()  # type: ignore[no-untyped-call]  # the driver is untyped\n"
    assert settled(text, "old.rows") == (text, 0)


@pytest.mark.parametrize(("body", "expected"), [("raise NotImplementedError", "..."), ('"""One."""', '"""One."""')])
def test_an_abstract_method_ends_with_its_declaration(body: str, expected: str) -> None:
    """Nobody can call it; a concrete one that raises is left for a person."""
    text = f"class Store:\n    @abstractmethod\n    def read(self): {body}\n"
    assert settled(text, "old.rows")[0] == f"class Store:\n    @abstractmethod\n    def read(self): {expected}\n"
    concrete = "def read():\n    raise NotImplementedError\n"
    assert settled(concrete, "old.rows")[0] == concrete
