"""Read result.json: any bytes in, a dictionary or the reason why not out."""

import json
from typing import NoReturn

from skriptoteket.core.results.contract import MAX_NESTING, MAX_RESULT_BYTES


class Unreadable(Exception):
    """The answer is no valid result; the text is for the author."""


def read_result(raw: bytes) -> dict[str, object]:
    """The top-level object of result.json.

    Raises:
        Unreadable: too big, too deep, no UTF-8, no JSON, or no object.
    """
    if len(raw) > MAX_RESULT_BYTES:
        raise Unreadable(f"result.json has {len(raw)} bytes; at most {MAX_RESULT_BYTES} are read")
    if _depth(raw) > MAX_NESTING:
        raise Unreadable(f"result.json is nested deeper than {MAX_NESTING}")
    try:
        text = raw.decode("utf-8", "surrogatepass")
        found = json.loads(text, parse_constant=_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"result.json is no valid JSON: {type(error).__name__}: {error}"[:300]) from None
    if not isinstance(found, dict):
        raise Unreadable("result.json holds no object")
    return found


def _constant(_name: str) -> None:
    return None  # NaN and ±Infinity are no JSON; they become null


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 1_000 else digits[:400]


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    inside = escaped = False
    for byte in raw:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return deepest


def refuse(reason: str) -> NoReturn:
    """Give up on an answer.

    Raises:
        Unreadable: always.
    """
    raise Unreadable(reason)
