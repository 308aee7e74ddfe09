"""A neighbourhood as points and lines of an SVG: the subject in the middle, the others in rings around it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from au_sys_identity.core.graph.index import Step
from au_sys_identity.core.subjects.models import Named, SubjectId

_LARGEST = 720
_MARGIN = 60
_RING = 120
_FIRST_RING = 8
_LONGEST_LABEL = 18


@dataclass(frozen=True, slots=True)
class Dot:
    """A subject in the picture."""

    subject: Named
    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """An edge in the picture."""

    x1: float
    y1: float
    x2: float
    y2: float
    relation: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws."""

    size: int
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]


def drawn(nodes: Sequence[Named], steps: Sequence[Step]) -> Picture:
    """Place subjects, the first in the middle, and the edges between them."""
    size = _size(len(nodes))
    places = dict(zip((node.id for node in nodes), _places(len(nodes), size), strict=True))
    dots = tuple(Dot(node, *places[node.id], _label(node.name)) for node in nodes)
    return Picture(size, dots, tuple(_line(step, places) for step in steps if step[0] in places and step[2] in places))


def _size(count: int) -> int:
    """Room for as many rings as there have to be."""
    rings, left, room = 1, count - 1 - _FIRST_RING, _FIRST_RING * 2
    while left > 0:
        rings, left, room = rings + 1, left - room, room * 2
    return min(_LARGEST, 2 * (_RING * rings + _MARGIN))


def _places(count: int, size: int) -> list[tuple[float, float]]:
    middle = size / 2
    found = [(middle, middle)][:count]
    ring, room = 1, _FIRST_RING
    while len(found) < count:
        here = min(room, count - len(found))
        radius = min(_RING * ring, middle - _MARGIN)
        for number in range(here):
            angle = 2 * math.pi * number / here + ring / 2
            found.append((round(middle + radius * math.cos(angle), 1), round(middle + radius * math.sin(angle), 1)))
        ring, room = ring + 1, room * 2
    return found


def _line(step: Step, places: dict[SubjectId, tuple[float, float]]) -> Line:
    return Line(*places[step[0]], *places[step[2]], step[1])


def _label(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"
