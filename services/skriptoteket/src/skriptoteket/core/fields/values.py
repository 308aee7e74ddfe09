"""Check one value against its field: strings of a form and JSON values alike."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

from skriptoteket.core.json_values import JsonValue

Problem = tuple[str, str] | None
"""A word for the rule and a sentence with the fix, or ``None``."""

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_MOST_TEXT = 65_536


def accept_value(field: Mapping[str, object], raw: object) -> tuple[JsonValue, Problem]:
    """The value as scripts get it, or the problem. ``raw`` is present and not empty."""
    kind = str(field["kind"])
    if kind in ("string", "text"):
        return _text(field, raw, trimmed=kind == "string")
    if kind in ("integer", "number"):
        return _number(field, raw, whole=kind == "integer")
    if kind == "boolean":
        return _boolean(raw)
    if kind == "date":
        return _date(field, raw)
    if kind == "enum":
        return _choice(field, raw)
    return _choices(field, raw)


def is_absent(raw: object) -> bool:
    """Empty string and null mean: not given."""
    return raw is None or raw == ""


def has_bad_characters(text: str) -> bool:
    """NUL and lone surrogates can be stored nowhere."""
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _text(field: Mapping[str, object], raw: object, *, trimmed: bool) -> tuple[JsonValue, Problem]:
    if not isinstance(raw, str):
        return None, ("type", "must be a text")
    if has_bad_characters(raw):
        return None, ("characters", "must not hold NUL or broken characters")
    text = raw.strip() if trimmed else raw
    limit = field.get("max_length", _MOST_TEXT)
    if isinstance(limit, int) and len(text) > limit:
        return None, ("max_length", f"may have at most {limit} characters; it has {len(text)}")
    return text, None


def _number(field: Mapping[str, object], raw: object, *, whole: bool) -> tuple[JsonValue, Problem]:
    wanted = "a whole number" if whole else "a number with a dot as decimal separator"
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None, ("type", f"must be {wanted}")
    try:
        value: int | float = int(raw) if whole and isinstance(raw, str) else float(raw)
    except (ValueError, OverflowError):
        return None, ("type", f"must be {wanted}")
    if not math.isfinite(value) or (whole and value != int(value)):
        return None, ("type", f"must be {wanted}")
    value = int(raw) if whole else value
    low, high = field.get("min"), field.get("max")
    if isinstance(low, int | float) and value < low:
        return None, ("min", f"must be at least {low}")
    if isinstance(high, int | float) and value > high:
        return None, ("max", f"must be at most {high}")
    return value, None


def _boolean(raw: object) -> tuple[JsonValue, Problem]:
    if isinstance(raw, bool):
        return raw, None
    word = str(raw).strip().lower() if isinstance(raw, str | int) else ""
    if word in _TRUE:
        return True, None
    if word in _FALSE:
        return False, None
    return None, ("type", "must be true or false")


def _date(field: Mapping[str, object], raw: object) -> tuple[JsonValue, Problem]:
    try:
        value = date.fromisoformat(raw.strip() if isinstance(raw, str) else "")
    except ValueError:
        return None, ("type", "must be a date as YYYY-MM-DD")
    low, high = field.get("min"), field.get("max")
    if isinstance(low, str) and value < date.fromisoformat(low):
        return None, ("min", f"must not be before {low}")
    if isinstance(high, str) and value > date.fromisoformat(high):
        return None, ("max", f"must not be after {high}")
    return value.isoformat(), None


def _values(field: Mapping[str, object]) -> list[str]:
    options = field.get("options", ())
    if not isinstance(options, Sequence):
        return []
    return [str(option["value"]) for option in options if isinstance(option, Mapping) and "value" in option]


def _choice(field: Mapping[str, object], raw: object) -> tuple[JsonValue, Problem]:
    known = _values(field)
    if isinstance(raw, str) and raw in known:
        return raw, None
    return None, ("option", f"must be one of {', '.join(known)}")


def _choices(field: Mapping[str, object], raw: object) -> tuple[JsonValue, Problem]:
    chosen = [raw] if isinstance(raw, str) else raw
    if not isinstance(chosen, Sequence):
        return None, ("type", "must be a list of options")
    known = _values(field)
    if any(not isinstance(item, str) or item not in known for item in chosen):
        return None, ("option", f"may only hold {', '.join(known)}")
    if len(set(chosen)) != len(chosen):
        return None, ("duplicate", "holds an option twice")
    return [str(item) for item in chosen], None
