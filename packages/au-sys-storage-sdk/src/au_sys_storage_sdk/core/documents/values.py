"""JSON in and out: strict about what JSON cannot say, typed where a model is given, upcast where it moved on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput

T = TypeVar("T")

Upcast = Callable[[Any], Any]  # Any: JSON as it was under an old schema, of whatever shape
"""Turns a value of one schema into one of the next."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Values(Protocol[T]):
    """How a namespace turns values into JSON text and back. ``plain``: values of every schema are taken as they are."""

    schema: int
    plain: bool

    def encode(self, value: T) -> bytes: ...

    def decode(self, text: bytes, schema: int, where: str) -> T: ...


def encode_json(value: object) -> bytes:
    """Compact JSON.

    Raises:
        InvalidInput: JSON cannot say it (NaN, a lone surrogate, an object of another kind), or it is nested too deeply.
    """
    try:
        text = _encode(value)
        if b"null" in text and _decode(text) != value:
            json.dumps(value, allow_nan=False, default=_unchecked)  # NaN became null: refuse it instead of losing it
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(
            "value", f"it is not JSON ({_short(error)})", "give null, booleans, numbers, text, lists, objects"
        ) from error
    return text


def decode_json(text: bytes, where: str) -> object:
    """A stored value. Raises ``Corrupt`` when it is not JSON."""
    try:
        return cast(object, _decode(text))  # msgspec says Any
    except (ValueError, RecursionError) as error:
        raise Corrupt(where, f"it is not JSON ({_short(error)})") from error


def check_json(text: bytes) -> object:
    """What JSON text from outside says, strictly by RFC 8259 with unique member names.

    Raises:
        InvalidInput: it is not JSON, has a member twice, a number without a finite value, or is nested too deeply.
    """
    try:
        return cast(object, _strict.decode(text.decode()))  # json says Any
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", f"it is not JSON ({_short(error)})", "send one JSON value in UTF-8") from error


def canonical_json(text: bytes) -> bytes:
    """Checked JSON text from outside in its compact form. Raises ``InvalidInput``."""
    return encode_json(check_json(text))


class PlainValues:
    """Any JSON value as Python's own."""

    schema = 1
    plain = True

    def encode(self, value: object) -> bytes:
        """See :func:`encode_json`."""
        return encode_json(value)

    def decode(self, text: bytes, schema: int, where: str) -> object:
        """See :func:`decode_json`."""
        return decode_json(text, where)


class TypedValues(Generic[T]):
    """Values of one model: a pydantic model, a msgspec struct, or any type that msgspec validates."""

    def __init__(self, model: type[T], schema: int = 1, upcast: Mapping[int, Upcast] | None = None) -> None:
        self.schema = schema
        self.plain = False
        self._model = model
        self._upcast = dict(upcast or {})
        missing = [number for number in range(min(self._upcast, default=schema), schema) if number not in self._upcast]
        if missing:
            raise InvalidInput("upcast", f"the step from schema {missing[0]} is missing", "give one function per step")
        pydantic = getattr(model, "model_validate_json", None)
        self._parse: Callable[[bytes], T] = pydantic or msgspec.json.Decoder(model).decode

    def encode(self, value: T) -> bytes:
        """JSON of the value. Raises ``InvalidInput`` when it is not of the model."""
        if hasattr(value, "model_dump_json"):
            text: str = value.model_dump_json()
            return text.encode()
        text_of_value = encode_json(value)
        try:
            self._parse(text_of_value)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(
                "value", f"it is no {self._model.__name__} ({_short(error)})", "give a valid one"
            ) from error
        return text_of_value

    def decode(self, text: bytes, schema: int, where: str) -> T:
        """The value, brought to the present schema. Raises ``Corrupt`` when it does not fit the model."""
        if schema > self.schema:
            raise Corrupt(where, f"it has schema {schema}, this program knows {self.schema}")
        try:
            if schema < self.schema:
                text = self._raised(text, schema, where)
            return self._parse(text)
        except (ValueError, RecursionError) as error:
            raise Corrupt(where, f"it is no {self._model.__name__} ({_short(error)})") from error

    def _raised(self, text: bytes, schema: int, where: str) -> bytes:
        value = decode_json(text, where)
        for number in range(schema, self.schema):
            if number not in self._upcast:
                raise Corrupt(where, f"it has schema {schema} and there is no step from {number}")
            value = self._upcast[number](value)
        return encode_json(value)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a member name occurs twice")
    return made


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _unchecked(value: object) -> None:
    return None


def _short(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]


_strict = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_constant)
