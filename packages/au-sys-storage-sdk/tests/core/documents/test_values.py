"""JSON in and out, plain and typed."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from au_sys_storage_sdk.core.documents.values import TypedValues, canonical_json, check_json, decode_json, encode_json
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


@given(JSON)
def test_every_json_value_survives(value: object) -> None:
    """Encoding and decoding is the identity, and what is encoded passes the strict door."""
    text = encode_json(value)
    assert value == decode_json(text, "here")
    assert value == check_json(text)


@given(st.binary())
def test_the_strict_door_accepts_nothing_that_python_refuses(text: bytes) -> None:
    """Whatever passes is JSON for the standard library too; the rest is one kind of error."""
    try:
        canonical = canonical_json(text)
    except InvalidInput:
        return
    assert json.loads(text) == json.loads(canonical)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": -math.inf}, object(), "\ud800", {"\ud800": 1}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    """Instead of being changed silently."""
    with pytest.raises(InvalidInput, match=r"^value: "):
        encode_json(value)


def test_a_loop_is_refused() -> None:
    """A value that contains itself is nested too deeply."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InvalidInput, match="deep"):
        encode_json(loop)


def test_damaged_text_is_corrupt() -> None:
    """What is stored and no JSON was not written by us."""
    with pytest.raises(Corrupt, match="here"):
        decode_json(b"{", "here")


class Address(BaseModel):
    """A pydantic model."""

    street: str
    number: int


def test_pydantic_models_work_too() -> None:
    """Encoded by the model, decoded and checked by the model."""
    values = TypedValues(Address)
    text = values.encode(Address(street="Kungsgatan", number=1))
    assert Address(street="Kungsgatan", number=1) == values.decode(text, 1, "here")
    with pytest.raises(Corrupt, match="Address"):
        values.decode(b'{"street":"x"}', 1, "here")
