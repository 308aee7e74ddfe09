"""Dataclasses that are made without the compiler answer as the standard library's do."""

import copy
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from fastapi_services_platform.http.lean_classes import lean_classes

NOT_A_NUMBER = float("nan")


def _classes() -> tuple[type, type, type, type]:
    @dataclass(frozen=True, slots=True)
    class Value:
        """Two fields, one of them silent."""

        name: str
        secret: str = field(default="s", repr=False, compare=False)

    @dataclass(frozen=True)
    class Derived(Value):
        """One more."""

        size: float = 1.0

    @dataclass(slots=True)
    class Changing:
        """Changes, and can hold itself."""

        items: list[object] = field(default_factory=list)

    @dataclass(frozen=True, order=True)
    class Nothing:
        """No field."""

    return Value, Derived, Changing, Nothing


def _told(ask: Callable[[], object]) -> str:
    try:
        return f"{ask()!r}"
    except Exception as error:  # what is compared is which one, and what it says
        return f"{type(error).__name__}: {error}"


def _answers() -> list[str]:
    value, derived, changing, nothing = _classes()
    one, child, loop = value("a"), derived("a", size=NOT_A_NUMBER), changing()
    loop.items.append(loop)
    questions: list[Callable[[], Any]] = [
        lambda: (one, child, loop, nothing()),
        lambda: (one == value("a", "other"), one == value("b"), one == child, one == 3, child == replace(child)),
        lambda: (hash(one) == hash(value("a", "other")), hash(nothing()) == hash(nothing()), nothing() <= nothing()),
        lambda: hash(loop),
        lambda: setattr(one, "name", "b"),
        lambda: setattr(child, "size", 2),
        lambda: setattr(child, "unknown", 2),
        lambda: delattr(one, "name"),
        lambda: (copy.copy(one), [known.name for known in fields(child)], vars(value)["__match_args__"]),
        lambda: (value.__eq__.__qualname__, value.__hash__.__qualname__, value.__repr__.__qualname__),
    ]
    return [_told(question) for question in questions]


def test_lean_classes_answer_as_written_ones() -> None:
    """Showing, comparing, hashing, refusing changes and copying give the same words."""
    with nullcontext():
        expected = _answers()
    with lean_classes():
        found = _answers()
    assert expected == found


@dataclass(frozen=True, slots=True)
class _Kept:
    """Of this module, for pickle."""

    name: str


def test_a_lean_class_is_frozen() -> None:
    """The error is the library's own, and pickling a class of before still works."""
    with lean_classes():
        value = _classes()[0]("a")
    with pytest.raises(FrozenInstanceError):
        value.name = "b"
    assert _Kept("a") == pickle.loads(pickle.dumps(_Kept("a")))
