"""A port is for two adapters, and a layer is for work."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.ports import classes, fits, ports
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import Function, body_of
from au_sys_python_factory.checks.rule import Hit, Rule

_FORWARDS = re.compile(r"return (?:await )?self\.\w+\.\w+\(")


def single(member: MemberFiles) -> Iterator[Hit]:
    """Ports behind which fewer than two classes stand; a warning where the one reaches something outside."""
    if not member.member.tri_layer:
        return
    known = classes(member)
    outside = [found for found in known.values() if not found.is_port]
    for port in ports(known):
        behind = [found for found in outside if fits(found, port)]
        if len(behind) < 2:
            who = f"only {behind[0].name} stands" if behind else "nothing stands"
            real = bool(behind) and "memory" not in behind[0].file.inner
            message = f"{who} behind the port {port.name}"
            yield Hit(port.shape.line, 1, message, port.file.path, "warning" if real else None)


def forwarding(member: MemberFiles) -> Iterator[Hit]:
    """Classes whose methods all call the same method of one other thing with the same arguments."""
    if not member.member.tri_layer:
        return
    for found in classes(member).values():
        if len(found.shape.methods) < 2 or found.is_port or not found.file.mentions(_FORWARDS):
            continue
        behind = {_forwarded(method) for method in found.own.values()}
        if len(behind) == 1 and "" not in behind:
            yield Hit(found.shape.line, 1, f"{found.name} only forwards to {behind.pop()}", found.file.path)


def _forwarded(method: Function) -> str:
    """The thing that a method does nothing but forward to; empty where it does more."""
    body = body_of(method)
    value = getattr(body[0], "value", None) if len(body) == 1 and isinstance(body[0], ast.Return | ast.Expr) else None
    call = value.value if isinstance(value, ast.Await) else value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == method.name):
        return ""
    receiver = ast.unparse(call.func.value)
    arguments = method.args
    taken = [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)][1:]
    given = [*map(ast.unparse, call.args), *(ast.unparse(item.value) for item in call.keywords)]
    return receiver if receiver.startswith("self.") and taken == given else ""


A10 = Rule(
    "A10",
    "A port with fewer than two adapters",
    "An interface that one class alone implements is a second place to read, and nothing can be exchanged behind it.",
    "write the second adapter (adapters/memory counts) and hold both to one conformance suite, or delete the port.",
    "from typing import Protocol\n\n\n"
    'class Clock(Protocol):\n    """What time it is."""\n\n    def seconds(self) -> int: ...\n',
    'from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Clock:\n    """What time it is."""\n\n'
    "    seconds: int\n",
    place="src/{package}/core/planted/ports.py",
    member_check=single,
)
A11 = Rule(
    "A11",
    "A layer that only forwards",
    "Whoever follows a call reads it once more for nothing, and every change is made twice.",
    "delete the class and hand its users what stands behind it.",
    "class Notes:\n"
    '    """Notes, once more."""\n\n'
    "    def __init__(self, store: dict[str, str]) -> None:\n        self._store = store\n\n"
    '    def get(self, name: str) -> str | None:\n        """One."""\n        return self._store.get(name)\n\n'
    '    def pop(self, name: str) -> str:\n        """One less."""\n        return self._store.pop(name)\n',
    "class Notes:\n"
    '    """Notes under names without case."""\n\n'
    "    def __init__(self, store: dict[str, str]) -> None:\n        self._store = store\n\n"
    '    def get(self, name: str) -> str | None:\n        """One."""\n        return self._store.get(name.lower())\n\n'
    '    def pop(self, name: str) -> str:\n        """One less."""\n        return self._store.pop(name.lower())\n',
    member_check=forwarding,
)

RULES = (A10, A11)
