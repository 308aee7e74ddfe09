"""Filters that templates use: sizes, durations, times, numbers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """A number of bytes for people: ``1.4 MB``."""
    value = float(count)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit returns")


def duration(seconds: float) -> str:
    """A time span for people: ``340 ms``, ``12.5 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def moment(when: datetime) -> Markup:
    """A moment as ``<time>``: exact for machines, UTC for people; hub.js shows the reader's zone."""
    exact = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    shown = exact.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        shown.isoformat(timespec="seconds"), shown.strftime("%Y-%m-%d %H:%M")
    )


def number(value: float) -> str:
    """A number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


FILTERS: dict[str, Callable[..., Any]] = {"size": size, "duration": duration, "moment": moment, "number": number}
# Any: a filter gives text or markup
