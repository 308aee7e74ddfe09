"""The dialect of rules: which resource and action patterns exist, what they match, and what two of them share.

A resource is ``/``-separated: literal segments, ``:name`` for one non-empty segment, a final ``/*`` for any rest, also
an empty one, and ``*`` alone for everything. An action is literal, ``a|b|c`` or ``*``.
"""

import re

from au_sys_identity.core.errors import BadPattern

ANYTHING = "*"
_CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
_ACTIONS = re.compile(r"[^*()\[\]{}^$?+\\ |]+(\|[^*()\[\]{}^$?+\\ |]+)*")
_LONGEST = {"subject": 200, "domain": 64, "resource": 500, "action": 120}


def checked(field: str, text: str) -> str:
    """The same text, when it may stand in a rule's field.

    Raises:
        BadPattern: it is empty, too long, holds a control character, or is outside the dialect.
    """
    if not text or len(text) > _LONGEST[field]:
        raise BadPattern(field, 0, f"must have 1 to {_LONGEST[field]} characters")
    control = _CONTROL.search(text)
    if control is not None:
        raise BadPattern(field, control.start(), "must not hold control characters")
    if text != text.strip():
        raise BadPattern(field, 0, "must not begin or end with a blank")
    if field == "resource":
        _check_resource(text)
    elif field == "action":
        _check_action(text)
    elif "*" in text and text != ANYTHING:
        raise BadPattern(field, text.index("*"), "takes * alone, or no * at all")
    return text


def _check_resource(text: str) -> None:
    if text == ANYTHING:
        return
    position = 0
    segments = text.split("/")
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if "*" in segment and not (segment == "*" and last and number):
            raise BadPattern("resource", position + segment.index("*"), "takes * alone, or as the whole last segment")
        if segment == ":":
            raise BadPattern("resource", position, "needs a name after the colon")
        position += len(segment) + 1


def _check_action(text: str) -> None:
    if text == ANYTHING or _ACTIONS.fullmatch(text):
        return
    position = 0
    for part in text.split("|"):
        if not part or any(letter in "*()[]{}^$?+\\ " for letter in part):
            raise BadPattern("action", position, "takes words with | between them, or * alone")
        position += len(part) + 1


def actions_of(action: str) -> tuple[str, ...]:
    """What an action pattern lists; ``*`` is listed as itself."""
    return tuple(dict.fromkeys(action.split("|"))) if "|" in action else (action,)


def is_literal(resource: str) -> bool:
    """Whether a resource pattern matches itself alone."""
    return "*" not in resource and "/:" not in resource and not resource.startswith(":")


def is_name(segment: str) -> bool:
    """Whether a segment stands for any one non-empty segment."""
    return len(segment) > 1 and segment[0] == ":"


def matches(pattern: str, resource: str) -> bool:
    """Whether a resource falls under a pattern."""
    if pattern == ANYTHING:
        return True
    wanted, given = pattern.split("/"), resource.split("/")
    if len(wanted) > 1 and wanted[-1] == "*":
        wanted.pop()
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    if len(wanted) != len(given):
        return False
    return all(one == other or (is_name(one) and other != "") for one, other in zip(wanted, given, strict=True))


def includes(pattern: str, other: str) -> bool:
    """Whether everything under the other pattern falls under this one."""
    if pattern == ANYTHING:
        return True
    if other == ANYTHING:
        return False
    wide, narrow = pattern.split("/"), other.split("/")
    if len(wide) > 1 and wide[-1] == "*":
        wide.pop()
        if len(narrow) <= len(wide):
            return False
        narrow = narrow[: len(wide)]
    elif len(narrow) > 1 and narrow[-1] == "*":
        return False
    if len(wide) != len(narrow):
        return False
    return all(one == two or (is_name(one) and two not in ("", "*")) for one, two in zip(wide, narrow, strict=True))


def common(one: str, other: str) -> str | None:
    """The pattern of what falls under both; ``None`` when nothing does."""
    if one == ANYTHING:
        return other
    if other == ANYTHING:
        return one
    first, second = one.split("/"), other.split("/")
    first_open, second_open = _opened(first), _opened(second)
    if len(first) > len(second):
        first, second, first_open, second_open = second, first, second_open, first_open
    if not first_open and (second_open or len(first) != len(second)):
        return None
    if first_open and not second_open and len(first) == len(second):
        return None
    shared = []
    for left, right in zip(first, second, strict=False):
        met = _met(left, right)
        if met is None:
            return None
        shared.append(met)
    shared.extend(second[len(first) :])
    return "/".join([*shared, "*"] if first_open and second_open else shared)


def _opened(segments: list[str]) -> bool:
    if len(segments) > 1 and segments[-1] == "*":
        segments.pop()
        return True
    return False


def _met(left: str, right: str) -> str | None:
    if left == right:
        return left
    if is_name(left):
        return right or None
    if is_name(right):
        return left or None
    return None
