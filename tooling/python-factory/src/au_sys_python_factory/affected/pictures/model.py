"""A graph that can be drawn: boxes on floors, arrows between them, and what is wrong with an arrow."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A package, layer or module; what stands on a higher ``floor`` may import what stands below it."""

    name: str
    label: str
    floor: int


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """``source`` imports ``target``, so many times; ``wrong`` says which rule that breaks, empty for none."""

    source: str
    target: str
    imports: int
    wrong: str = ""


@dataclass(frozen=True)
class Graph:
    """Boxes and arrows, both sorted, so that the same code gives the same picture."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @cached_property
    def floors(self) -> list[list[Box]]:
        """Boxes by floor, the highest first; inside a floor near to what they are joined with."""
        levels = sorted({box.floor for box in self.boxes}, reverse=True)
        rows = [sorted(box for box in self.boxes if box.floor == level) for level in levels]
        joined: dict[str, list[str]] = defaultdict(list)
        for arrow in self.arrows:
            joined[arrow.source].append(arrow.target)
            joined[arrow.target].append(arrow.source)
        for row, above in zip(rows[1:], rows, strict=False):
            place = {box.name: number / max(len(above), 1) for number, box in enumerate(above)}
            row.sort(key=lambda box: (_middle([place[name] for name in joined[box.name] if name in place]), box))
        return rows

    @property
    def wrong(self) -> tuple[Arrow, ...]:
        """Arrows that break a rule."""
        return tuple(arrow for arrow in self.arrows if arrow.wrong)


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 1.0


def with_cycles_named(arrows: list[Arrow]) -> Iterator[Arrow]:
    """The arrows, with those that lie on a circle marked as wrong."""
    below: dict[str, set[str]] = defaultdict(set)
    for arrow in (found for found in arrows if not found.wrong):
        below[arrow.source].add(arrow.target)
    for arrow in sorted(arrows):
        round_trip = not arrow.wrong and arrow.source in _reached(below, arrow.target)
        yield Arrow(arrow.source, arrow.target, arrow.imports, "cycle") if round_trip else arrow


def _reached(below: dict[str, set[str]], start: str) -> set[str]:
    seen = {start}
    waiting = [start]
    while waiting:
        for name in below.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen
