"""Private touch points with the standard library's dataclasses: methods that need no compiler get none.

``@dataclass`` writes each method of each class as text and compiles it; a platform declares hundreds of classes, and
that is a sixth of its start. Only ``__init__`` has to be compiled, for its signature. The others are made here as
closures that answer the same. From Python 3.13 on the library compiles once for each class, and nothing is done.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from threading import RLock
from typing import Any

Fields = list[dataclasses.Field[Any]]  # Any: whatever fields hold
Method = Callable[..., Any]  # Any: comparisons may give NotImplemented

_KNOWN = ("_repr_fn", "_frozen_get_del_attr", "_cmp_fn", "_hash_fn", "_create_fn")
_patching = RLock()
_as_written: Mapping[str, Any] = {name: getattr(dataclasses, name, None) for name in _KNOWN}  # Any: private functions


@contextmanager
def lean_classes() -> Iterator[None]:
    """Inside the block, dataclasses are made without compiling what is the same for all of them."""
    if not all(_as_written.values()):
        yield
        return
    made = {"_repr_fn": _repr, "_frozen_get_del_attr": _frozen, "_cmp_fn": _comparing, "_hash_fn": _hashing}
    with _patching:
        try:
            for name, function in made.items():
                setattr(dataclasses, name, function)
            yield
        finally:
            for name in made:
                setattr(dataclasses, name, _as_written[name])


def _values(names: list[str]) -> Callable[[object], object]:
    """A function that gives the tuple of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _instance: ()
    only = attrgetter(names[0])
    return lambda instance: (only(instance),)


def _repr(fields: Fields, _globals: object) -> Method:
    names = [field.name for field in fields]

    @recursive_repr()
    def __repr__(self: object) -> str:
        shown = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{self.__class__.__qualname__}({shown})"

    return __repr__


def _frozen(cls: Any, fields: Fields, _globals: object) -> tuple[Method, Method]:  # Any: a class, for super()
    names = frozenset(field.name for field in fields)

    def __setattr__(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return __setattr__, __delattr__


def _comparing(name: str, operator: str, mine: str, theirs: str, **given: object) -> Method:
    if name != "__eq__":
        made: Method = _as_written["_cmp_fn"](name, operator, mine, theirs, **given)
        return made
    values = _values([part.removeprefix("self.") for part in mine[1:-1].split(",") if part])

    def __eq__(self: object, other: object) -> bool:
        if other.__class__ is self.__class__:
            return values(self) == values(other)
        return NotImplemented

    return __eq__


def _hashing(fields: Fields, _globals: object) -> Method:
    values = _values([field.name for field in fields])

    def __hash__(self: object) -> int:
        return hash(values(self))

    return __hash__
