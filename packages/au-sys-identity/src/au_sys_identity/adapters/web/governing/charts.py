"""Boxes and lines of an SVG: who answers for which machines, and what a role leads from and to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 190, 36, 60, 12, 8
_LONGEST_LABEL = 24
_MOST = 60


@dataclass(frozen=True, slots=True)
class Box:
    """A named place in the picture; ``tone`` says how it stands: plain, strong, good, bad."""

    x: float
    y: float
    label: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Link:
    """A line between two boxes."""

    path: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


class Grown(Protocol):
    """A machine with the machines that it made."""

    @property
    def name(self) -> str: ...

    @property
    def active(self) -> bool: ...

    @property
    def below(self) -> "Sequence[Grown]": ...


class _Drawing:
    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.links: list[Link] = []
        self.row = 0

    def tree(self, name: str, tone: str, below: Sequence[Grown], depth: int = 0) -> Box:
        """A box with what is below it at its right, itself at the height of their middle."""
        under: list[Box] = []
        for one in below:
            if len(self.boxes) < _MOST:
                under.append(self.tree(one.name, "plain" if one.active else "bad", one.below, depth + 1))
        if under:
            y = (under[0].y + under[-1].y) / 2
        else:
            y, self.row = _MARGIN + self.row * (_HEIGHT + _DOWN), self.row + 1
        box = Box(_MARGIN + depth * (_WIDTH + _ACROSS), y, _short(name), tone)
        self.boxes.append(box)
        self.links += [_link(box, one, one.tone) for one in under]
        return box

    def chart(self) -> Chart:
        width = max((box.x for box in self.boxes), default=0) + _WIDTH + _MARGIN
        height = max((box.y for box in self.boxes), default=0) + _HEIGHT + _MARGIN
        return Chart(width, height, tuple(self.boxes), tuple(self.links))


def custody_chart(trees: Sequence[tuple[str, Sequence[Grown]]]) -> Chart:
    """People at the left, the machines that they answer for at their right, and what those made further on."""
    drawing = _Drawing()
    for person, machines in trees:
        if len(drawing.boxes) < _MOST:
            drawing.tree(person, "strong", machines)
    return drawing.chart()


def role_chart(
    name: str, holders: Sequence[str], held: frozenset[str], wanted: frozenset[str], groups: Sequence[str]
) -> Chart:
    """Who holds a role, the role, and how much it gives of each capability: now, and as it is wanted.

    ``groups`` are capabilities: the first parts of the names of permissions.
    """
    left = [Box(_MARGIN, _place(row), _short(one)) for row, one in enumerate(holders)]
    counted = [(group, *_counts(group, held, wanted)) for group in groups]
    gives = [item for item in counted if item[1] or item[2] or item[3]]
    right = [
        Box(_MARGIN + 2 * (_WIDTH + _ACROSS), _place(row), _given(group, kept, more, less), _tone(more, less))
        for row, (group, kept, more, less) in enumerate(gives)
    ]
    rows = max(len(left), len(right), 1)
    high = rows * (_HEIGHT + _DOWN) - _DOWN
    middle = Box(_MARGIN + _WIDTH + _ACROSS, _MARGIN + (high - _HEIGHT) / 2, _short(name), "strong")
    links = [*(_link(box, middle, "plain") for box in left), *(_link(middle, box, box.tone) for box in right)]
    width = 2 * _MARGIN + 3 * _WIDTH + 2 * _ACROSS
    return Chart(width, 2 * _MARGIN + high, (*left, middle, *right), tuple(links))


def _counts(group: str, held: frozenset[str], wanted: frozenset[str]) -> tuple[int, int, int]:
    """How many stay, come and go."""
    had, will = (frozenset(one for one in names if one.split(".")[0] == group) for names in (held, wanted))
    return len(had & will), len(will - had), len(had - will)


def _given(label: str, kept: int, more: int, less: int) -> str:
    return f"{label} {kept}{f' +{more}' if more else ''}{f' −{less}' if less else ''}"


def _tone(more: int, less: int) -> str:
    return "bad" if less else "good" if more else "plain"


def _place(row: int) -> float:
    return _MARGIN + row * (_HEIGHT + _DOWN)


def _link(start: Box, end: Box, tone: str) -> Link:
    x1, y1, x2, y2 = start.x + _WIDTH, start.y + _HEIGHT / 2, end.x, end.y + _HEIGHT / 2
    bend = (x2 - x1) / 2
    return Link(f"M{x1:.0f} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}", tone)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"
