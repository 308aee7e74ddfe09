"""Untrusted text and values, made fit for a page, a database and a JSON document."""

import math
import re

from skriptoteket.core.json_values import JsonValue

_BAD = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_ISOLATE, _POP = "\u2068", "\u2069"
_BIGGEST_EXACT = 2**53


def clean_text(text: str) -> str:
    """NUL and lone surrogates become U+FFFD, control characters except tab and newline go, bidi overrides are isolated.

    Cleaning twice changes nothing.
    """
    text = _BAD.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub("", text)
    if _BIDI.search(text) is None or _is_isolated(text):
        return text
    return f"{_ISOLATE}{_BIDI.sub('', text)}{_POP}"


def _is_isolated(text: str) -> bool:
    return text.startswith(_ISOLATE) and text.endswith(_POP) and _BIDI.search(text[1:-1]) is None


def cut_text(text: str, most_bytes: int) -> tuple[str, bool]:
    """The text within a number of UTF-8 bytes, and whether something was cut; characters stay whole."""
    raw = text.encode("utf-8")
    if len(raw) <= most_bytes:
        return text, False
    kept = raw[: max(0, most_bytes - 3)].decode("utf-8", "ignore")
    return f"{kept}…", True


def clean_scalar(value: object, most_bytes: int) -> tuple[JsonValue, bool]:
    """One cell or value: text is cleaned and cut, what is no number becomes null, integers that are not exact become
    text."""
    if value is None or isinstance(value, bool):
        return value, False
    if isinstance(value, int):
        return (value, False) if abs(value) <= _BIGGEST_EXACT else cut_text(_digits(value), most_bytes)
    if isinstance(value, float):
        return (value if math.isfinite(value) else None), False
    if isinstance(value, str):
        return cut_text(clean_text(value), most_bytes)
    return cut_text(clean_text(str(type(value).__name__)), most_bytes)


def _digits(value: int) -> str:
    # int() → str is quadratic and refused by Python beyond 4300 digits
    return str(value) if value.bit_length() < 4000 else f"a number of {value.bit_length()} bits"
