"""Ports as they are written: ``get(id) -> Note``; each method has a meaning, so that adapters can be written too."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from au_sys_python_factory.blueprint.naming import pascal
from au_sys_python_factory.errors import Refused, UsageError

Meaning = Literal["get", "put", "remove", "keys"]
MEANINGS: dict[str, Meaning] = {
    "get": "get", "find": "get", "read": "get", "put": "put", "keep": "put", "save": "put",
    "remove": "remove", "forget": "remove", "delete": "remove", "keys": "keys",
}  # fmt: skip
VALUES = {"str": '"a value"', "int": "7", "float": "1.5", "bool": "True"}
STANDARD = ("get(key) -> str", "put(key, value)", "remove(key)", "keys()")
_SHAPES = "get(key) -> str, put(key, value), remove(key) or keys()"
_ARGUMENTS: dict[Meaning, int] = {"get": 1, "put": 2, "remove": 1, "keys": 0}
_METHOD = re.compile(r"\s*(?P<name>[a-z_]+)\s*\((?P<arguments>[a-z0-9_,\s]*)\)\s*(?:->\s*(?P<result>\w+))?\s*")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Method:
    """One method: what it is called, what it means, what its arguments are called."""

    name: str
    meaning: Meaning
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """Values of one type under keys; ``word`` is its name in files and settings."""

    word: str
    value: str
    methods: tuple[Method, ...]

    @property
    def name(self) -> str:
        """Its name as a class."""
        return pascal(self.word)

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.word.replace("_", " ")

    def method(self, meaning: Meaning) -> Method | None:
        """The method of a meaning."""
        return next((item for item in self.methods if item.meaning == meaning), None)


def read_port(name: str, written: Sequence[str], noun: str) -> Port:
    """The port, when adapters can be written for it; ``noun`` is the class of the package's own things.

    Raises:
        UsageError: what cannot be meant, and what could.
    """
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if not _NAME.fullmatch(word) or keyword.iskeyword(word) or len(word) > 40:
        raise UsageError(f"{name!r} is no name of a port.", fix="a noun in lower case, for example note-archive.")
    found = [_read_method(text) for text in written or STANDARD]
    meanings = [method.meaning for method, _ in found]
    if len(set(meanings)) < len(meanings) or not {"get", "put"} <= set(meanings):
        raise UsageError("a port reads and writes, each in one way.", fix=f"methods are {_SHAPES}.")
    value = next(result for method, result in found if method.meaning == "get") or "str"
    if value not in VALUES and value != noun:
        raise UsageError(f"{value} cannot be kept.", fix=f"one of {', '.join([*VALUES, noun])}.")
    return Port(word.replace("-", "_"), value, tuple(method for method, _ in found))


def _read_method(text: str) -> tuple[Method, str]:
    found = _METHOD.fullmatch(text)
    meaning = MEANINGS.get(found["name"]) if found else None
    if found is None or meaning is None:
        raise UsageError(f"{text!r} has no meaning that an adapter could be written for.", fix=f"one of {_SHAPES}.")
    arguments = tuple(name.strip() for name in found["arguments"].split(",") if name.strip())
    if len(arguments) != _ARGUMENTS[meaning] or any(keyword.iskeyword(name) for name in arguments):
        raise UsageError(f"{text!r}: {found['name']} takes {_ARGUMENTS[meaning]} arguments.", fix=f"one of {_SHAPES}.")
    return Method(found["name"], meaning, arguments), found["result"] or ""


def port_in(tree: ast.Module, name: str, path: str) -> Port:
    """The port of that class name in a file of ports.

    Raises:
        Refused: there is none, or its methods are not those that adapters can be written for.
    """
    word = pascal(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    known = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    node = next((item for item in known if item.name == word), None)
    if node is None:
        names = ", ".join(item.name for item in known) or "none"
        raise Refused(f"there is no port {word}.", where=path, fix=f"ports here: {names}.")
    written = [_written(item) for item in node.body if isinstance(item, ast.AsyncFunctionDef | ast.FunctionDef)]
    value = next((result for text, result in written if text.split("(")[0] in ("get", "find", "read")), "str")
    try:
        return read_port(word, [text for text, _ in written], value)
    except UsageError as error:
        raise Refused(
            f"{word}: {error.what}", where=f"{path}:{node.lineno}", fix="write its adapter by hand as its siblings are."
        ) from None


def _written(node: ast.AsyncFunctionDef | ast.FunctionDef) -> tuple[str, str]:
    arguments = ", ".join(item.arg for item in node.args.args[1:])
    result = ast.unparse(node.returns).removesuffix(" | None") if node.returns else ""
    shown = f" -> {result}" if node.name in ("get", "find", "read") and result.isidentifier() else ""
    return f"{node.name}({arguments}){shown}", result
