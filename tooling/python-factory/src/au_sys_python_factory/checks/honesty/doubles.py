"""Doubles outside their place, and data that only looks like data."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_DOUBLES = {"mock", "mocks", "mocked", "fake", "fakes", "dummy"}
_PLACEHOLDER = re.compile(
    r"(?i)lorem ipsum|\bfoo ?bar\b|\bjohn\.?doe\b|\bjane\.?doe\b|\bchange-?me\b|\basdf\b"
    r"|your[-_](?:secret|key|token|password)(?:[-_]here)?\b|\bplaceholder (?:data|value|text)\b"
)


def words(name: str) -> set[str]:
    """The words of an identifier, in lower case."""
    return {word.lower() for word in _WORDS.findall(name)}


def double(file: SourceFile) -> Iterator[Hit]:
    """Classes, functions and files named as doubles."""
    if "memory" in file.inner or "testing" in file.inner or "conformance" in file.inner:
        return
    if words(file.path.stem) & _DOUBLES:
        yield Hit(1, 1, f"{file.path.name} is named as a double", file.path)
    for node in (*file.find(ast.ClassDef), *file.functions):
        if words(node.name) & _DOUBLES:
            yield file.hit(node, f"{node.name} is named as a double")


def mocking(file: SourceFile) -> Iterator[Hit]:
    """Imports of mocking libraries."""
    for item in file.imports:
        if item.target.startswith("unittest.mock") or item.module.split(".")[0] in ("mock", "pytest_mock"):
            where = "in product code" if file.area == "source" else "in a test"
            yield file.hit(item.node, f"{item.target} {where}")


def placeholder(file: SourceFile) -> Iterator[Hit]:
    """Strings that stand in for real data."""
    documented = {id(node) for _, node in file.docstrings}
    for node in file.find(ast.Constant):
        if isinstance(node.value, str) and id(node) not in documented:
            found = _PLACEHOLDER.search(node.value)
            if found and not _pattern(file, node):
                yield file.hit(node, f"“{found[0]}” is no real data")


def _pattern(file: SourceFile, node: ast.Constant) -> bool:
    """Whether the string is a pattern that searches for such data, or an example of a rule about it."""
    above = next((item for item in file.parents(node) if isinstance(item, ast.Call)), None)
    name = file.qualified(above.func) if above is not None else ""
    return name.startswith("re.") or name.endswith("checks.rule.Rule")


Z04 = Rule(
    "Z04",
    "A double outside adapters/memory",
    "A double that ships is a feature that does not work.",
    "make it a real adapter in adapters/memory held to the conformance suite, or move it into the tests.",
    'class FakeStore:\n    """Keeps nothing."""\n',
    'class Mockingbird:\n    """Sings."""\n',
    file_check=double,
)
Z05 = Rule(
    "Z05",
    "A mocking library",
    "A mock agrees with whatever the author believed; an adapter held to a conformance suite does not.",
    "use the memory adapter; at a process border (clock, network, other program) waive the line with its reason.",
    "from unittest.mock import Mock\n\nDOUBLE = Mock\n",
    "from unittest import TestCase\n\nCASE = TestCase\n",
    areas=("source", "tests"),
    file_check=mocking,
)
Z06 = Rule(
    "Z06",
    "Demo or placeholder data",
    "It is shown to real people on the first day.",
    "read the value from settings or data, or take it out.",
    'TEXT = "Lorem ipsum dolor"\n',
    'TEXT = "Choose a tool"\n',
    file_check=placeholder,
)

RULES = (Z04, Z05, Z06)
