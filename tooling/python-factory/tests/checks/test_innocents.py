"""What only looks like a violation is no finding: a corpus of look-alikes beside the planted violations."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

Plant = Callable[[str, str], list[tuple[str, str]]]

CORPUS = sorted((Path(__file__).parent / "innocents").glob("*.txt"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_look_alikes_are_innocent(path: Path, plant: Plant) -> None:
    """No rule speaks about any line of the file."""
    assert plant("src/au_sys_notes/adapters/outside/planted.py", path.read_text(encoding="utf-8")) == []


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    """At least 150 statements and comments that a careless rule would name."""
    count = 0
    for path in CORPUS:
        text = path.read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(text)))
        count += sum(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign) for node in nodes
        )
        count += sum("# " in line for line in text.splitlines())
    assert count >= 150
