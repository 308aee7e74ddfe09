"""Filters that templates use: sizes, durations, times, numbers, lines of charts, differences of texts.

Those that depend on who reads ask :data:`reading`, which is set while a page is rendered.
"""

import difflib
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from jinja2 import pass_context
from markupsafe import Markup

from fastapi_services_platform.capability.languages import Reader, marked

reading: ContextVar[Reader] = ContextVar("fsp_reading", default=Reader())  # noqa: B039  # a Reader is frozen
"""Who reads the page that is being rendered."""

_UNITS = (marked("bytes"), "kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """A number of bytes for people: ``1.4 MB``."""
    value = float(count)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            whole = unit == _UNITS[0] or value >= 100
            return f"{reading.get().number(f'{value:.0f}' if whole else f'{value:.1f}')} {translated(unit)}"
        value /= 1000
    raise AssertionError("unreachable: the last unit returns")


def duration(seconds: float) -> str:
    """A time span for people: ``340 ms``, ``12.5 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{reading.get().number(f'{seconds:.1f}')} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def moment(when: datetime) -> Markup:
    """A moment as ``<time>``: exact for machines, on the reader's clock for people."""
    exact = (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).astimezone(UTC)
    shown = Markup('<time datetime="{}">{}</time>')
    return shown.format(exact.isoformat(timespec="seconds"), reading.get().moment(exact))


def day(when: datetime) -> str:
    """The day of a moment on the reader's clock."""
    return reading.get().day(when)


def number(value: float) -> str:
    """A number with thin spaces between thousands, and the reader's decimal mark."""
    return reading.get().number(value)


def translated(text: object, /, **values: object) -> str:
    """``_("Hello, %(name)s", name=…)``: a text of the template, in the reader's language."""
    return reading.get().text(text, **values)


def counted(one: str, many: str, count: int, /, **values: object) -> str:
    """``_n("%(count)s route", "%(count)s routes", count)``: the form that fits a number."""
    return reading.get().plural(one, many, count, **values)


def told(error: object) -> str:
    """``told(error)``: the sentences of something that went wrong, in the reader's language."""
    return reading.get().told(error) if error else ""


def contributed(owner: str, text: object) -> str:
    """``said("storage", permission.summary)``: a text that a capability contributed, from its own catalogue."""
    return reading.get().of(owner, text)


def sorted_by(label: str, key: str, order: str, address: str, *, number: bool = False) -> dict[str, object]:
    """A heading of a table that sorts: ``"Rows" | sorted_by("rows", order, "/runs?order=", number=true)``.

    ``order`` is the key that is in force, with ``-`` before it for descending. A link turns the order round, or sorts
    by its column; what it asks for is appended to ``address``.
    """
    sorted_ = {key: "ascending", f"-{key}": "descending"}.get(order, "")
    return {
        "label": label,
        "href": f"{address}{f'-{key}' if order == key else key}",
        "sorted": sorted_,
        "number": number,
    }


def worded(pairs: Sequence[tuple[str, str]], place: int = 1) -> list[tuple[str, str]]:
    """Options whose labels are the capability's own texts, in the reader's language; of tabs the label is at 0."""
    return [(translated(one), other) if place == 0 else (one, translated(other)) for one, other in pairs]


def line_path(values: Sequence[float], width: float, height: float) -> str:
    """The ``d`` of an SVG path through values that are evenly spaced; the largest one touches the top."""
    return " ".join(
        f"{'M' if n == 0 else 'L'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(_points(values, width, height))
    )


def area_path(values: Sequence[float], width: float, height: float) -> str:
    """The same, closed along the bottom, to be filled."""
    if not values:
        return ""
    return f"{line_path(values, width, height)} L{width:.1f} {height:.1f} L0.0 {height:.1f} Z"


def _points(values: Sequence[float], width: float, height: float) -> list[tuple[float, float]]:
    most = max(values, default=0.0) or 1.0
    step = width / max(len(values) - 1, 1)
    margin = 3.0
    return [(n * step, height - margin - (height - 2 * margin) * value / most) for n, value in enumerate(values)]


def diff_lines(old: str, new: str, context: int = 3) -> list[tuple[str, str]]:
    """Two texts compared by line: (``same`` | ``added`` | ``removed`` | ``gap``, text)."""
    kinds = {" ": "same", "+": "added", "-": "removed", "@": "gap"}
    compared = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=context)
    lines = [(kinds[line[0]], line[1:] if line[0] != "@" else "") for line in list(compared)[2:]]
    return lines[1:] if lines and lines[0][0] == "gap" else lines


def problem_path(uri: str) -> str:
    """The path of a problem type's page, on this host whatever the public address is."""
    _, found, rest = uri.partition("/problems/")
    return f"/problems/{rest}" if found else "/"


def _late(by_reader: Callable[..., Any]) -> Callable[..., Any]:  # Any: as FILTERS
    """A filter whose answer depends on the reader; Jinja2 must not work it out while it compiles."""

    @pass_context
    def late(_context: object, *given: object, **named: object) -> object:
        return by_reader(*given, **named)

    return late


FILTERS: dict[str, Callable[..., Any]] = {  # Any: a filter gives text, markup or a list
    "size": _late(size),
    "duration": _late(duration),
    "moment": _late(moment),
    "day": _late(day),
    "number": _late(number),
    "sorted_by": sorted_by,
    "worded": _late(worded),
    "line_path": line_path,
    "area_path": area_path,
    "diff_lines": diff_lines,
    "problem_path": problem_path,
}
GLOBALS: dict[str, Callable[..., str]] = {"_": translated, "_n": counted, "said": contributed, "told": told}
