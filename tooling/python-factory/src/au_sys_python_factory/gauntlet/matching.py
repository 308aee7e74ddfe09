"""Compare an answer with what a row expects; every difference is a sentence.

A string is compared as it is unless it is a matcher: ``*`` present and not null, ``!`` absent or null, ``~regex`` found
in the text, ``#N`` ``#>=N`` ``#<=N`` the length, ``>=N`` ``<=N`` ``>N`` ``<N`` the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from au_sys_python_factory.gauntlet.rows import Expectation

ABSENT = object()
_LONGEST_SHOWN = 160
_NUMBER = re.compile(r"^(?P<length>#?)(?P<comparison>>=|<=|>|<|)(?P<number>-?\d+(\.\d+)?)$")


def differences(
    expect: Expectation, *, status: int, headers: Mapping[str, str], text: str, document: Any
) -> list[str]:  # Any: JSON of the answer, ABSENT when it is none
    """What is not as expected; an empty list is good."""
    found = []
    if status not in expect.status:
        found.append(f"status is {status}, expected {' or '.join(str(code) for code in expect.status)}")
    for path, wanted in expect.fields.items():
        found += _compare(f"field {path}", wanted, pick(document, path))
    found += [f"field {path} is there" for path in expect.absent if pick(document, path) is not ABSENT]
    for name, wanted in expect.headers.items():
        found += _compare(f"header {name}", wanted, headers.get(name.lower(), ABSENT))
    kind = headers.get("content-type", "")
    if not kind.startswith(expect.content_type):
        found.append(f"content type is {kind or 'missing'}, expected {expect.content_type}")
    found += [f"the body does not contain {part!r}" for part in expect.text if part not in text]
    found += [f"the body contains {part!r}" for part in expect.no_text if part in text]
    return found


def pick(document: Any, path: str) -> Any:  # Any: JSON in, JSON or ABSENT out
    """The value at a dotted path; a part that is a number indexes a list, ``#`` at the end is the length."""
    value = document
    for part in path.split("."):
        if part == "#":
            return len(value) if isinstance(value, Sequence | Mapping) else ABSENT
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value


def _compare(what: str, wanted: Any, found: Any) -> list[str]:  # Any: JSON
    if _matches(wanted, found):
        return []
    shown = "missing" if found is ABSENT else repr(found)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}…"
    return [f"{what} is {shown}, expected {wanted!r}"]


def _matches(wanted: Any, found: Any) -> bool:  # Any: JSON
    if not isinstance(wanted, str):
        return bool(type(wanted) is type(found) and wanted == found) or _equal_numbers(wanted, found)
    if wanted == "*":
        return found is not ABSENT and found is not None
    if wanted == "!":
        return found is ABSENT or found is None
    if wanted.startswith("~"):
        return isinstance(found, str | int | float) and re.search(wanted[1:], str(found)) is not None
    number = _NUMBER.match(wanted)
    if number and (number["length"] or number["comparison"]):
        return _compares(number, found)
    return bool(wanted == found)


def _equal_numbers(wanted: Any, found: Any) -> bool:  # Any: JSON
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (wanted, found))
    return numbers and bool(wanted == found)


def _compares(matcher: re.Match[str], found: Any) -> bool:  # Any: JSON
    if matcher["length"]:
        if not isinstance(found, str | list | dict):
            return False
        found = len(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    number = float(matcher["number"])
    return {
        ">=": found >= number,
        "<=": found <= number,
        ">": found > number,
        "<": found < number,
        "": found == number,
    }[matcher["comparison"]]
