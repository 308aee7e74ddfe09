"""A plan: operations with the bytes before and after, and a reason for people."""

import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MISSING = "absent"
"""What stands for the digest of a file that is not there."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One file: ``after`` is ``None`` for a deletion, ``before`` the digest that it must have when it is applied."""

    path: str
    after: bytes | None
    before: str
    reason: str
    mode: int = 0o644

    @property
    def kind(self) -> str:
        """``create``, ``edit`` or ``delete``."""
        if self.after is None:
            return "delete"
        return "create" if self.before == MISSING else "edit"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command would do; the same input gives the same plan, byte for byte."""

    command: str
    operations: tuple[Operation, ...]

    @property
    def changes(self) -> tuple[Operation, ...]:
        """Operations that change something."""
        return tuple(item for item in self.operations if item.before != digest(item.after))


def digest(content: bytes | None) -> str:
    """SHA-256 in hexadecimal; ``absent`` for nothing."""
    return MISSING if content is None else hashlib.sha256(content).hexdigest()


def read(root: Path, path: str) -> bytes | None:
    """The bytes of a file, or ``None``."""
    whole = root / path
    return whole.read_bytes() if whole.is_file() else None


def write(root: Path, path: str, after: str | bytes | None, reason: str) -> Operation:
    """An operation on a file as it is now."""
    content = after.encode() if isinstance(after, str) else after
    whole = root / path
    mode = whole.stat().st_mode & 0o777 if whole.is_file() else 0o644
    return Operation(path, content, digest(read(root, path)), reason, mode)


def difference(root: Path, plan: Plan) -> Iterator[str]:
    """The plan as a unified diff, line by line."""
    for item in plan.changes:
        old, new = read(root, item.path), item.after
        from_name = "/dev/null" if old is None else f"a/{item.path}"
        to_name = "/dev/null" if new is None else f"b/{item.path}"
        yield from difflib.unified_diff(_lines(old), _lines(new), from_name, to_name, lineterm="")


def _lines(content: bytes | None) -> list[str]:
    return [] if content is None else content.decode("utf-8", errors="replace").splitlines()
