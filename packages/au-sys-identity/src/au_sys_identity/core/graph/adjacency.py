"""Who is next to whom, in numbers: small neighbourhoods as tuples, large ones as bitmaps, both ways."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from pyroaring import BitMap

_SMALL = 32

Neighbours = tuple[int, ...] | BitMap


class Adjacency:
    """The edges of one relation. An edge that runs out is taken away when :meth:`expire` is told the time."""

    __slots__ = ("_ends", "_in", "_out", "_queue", "count")

    def __init__(self) -> None:
        self._out: dict[int, Neighbours] = {}
        self._in: dict[int, Neighbours] = {}
        self._ends: dict[tuple[int, int], datetime] = {}
        self._queue: list[tuple[datetime, int, int]] = []
        self.count = 0

    def link(self, source: int, target: int, end: datetime | None) -> bool:
        """Keep an edge; ``False`` when it was there. Its end is the latest that was told."""
        if end is None:
            self._ends.pop((source, target), None)
        else:
            self._ends[source, target] = end
            heapq.heappush(self._queue, (end, source, target))
        if target in self._out.get(source, ()):
            return False
        _add(self._out, source, target)
        _add(self._in, target, source)
        self.count += 1
        return True

    def unlink(self, source: int, target: int) -> bool:
        """Take an edge away; ``False`` when there was none."""
        self._ends.pop((source, target), None)
        if target not in self._out.get(source, ()):
            return False
        _remove(self._out, source, target)
        _remove(self._in, target, source)
        self.count -= 1
        return True

    def expire(self, now: datetime) -> list[tuple[int, int]]:
        """Take away what has run out."""
        gone = []
        while self._queue and self._queue[0][0] <= now:
            end, source, target = heapq.heappop(self._queue)
            if self._ends.get((source, target)) == end and self.unlink(source, target):
                gone.append((source, target))
        return gone

    def out_of(self, source: int) -> Iterable[int]:
        """Targets of a source."""
        return self._out.get(source, ())

    def into(self, target: int) -> Iterable[int]:
        """Sources of a target."""
        return self._in.get(target, ())

    def links(self, source: int, target: int) -> bool:
        """Whether there is an edge."""
        return target in self._out.get(source, ())

    def touching(self, number: int) -> list[tuple[int, int]]:
        """Every edge at a subject."""
        leaving = [(number, target) for target in self.out_of(number)]
        return leaving + [(source, number) for source in self.into(number)]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((source, target) for source, targets in self._out.items() for target in targets)


def _add(kept: dict[int, Neighbours], key: int, neighbour: int) -> None:
    known = kept.get(key, ())
    if isinstance(known, tuple):
        kept[key] = (*known, neighbour) if len(known) < _SMALL else BitMap([*known, neighbour])
    else:
        known.add(neighbour)


def _remove(kept: dict[int, Neighbours], key: int, neighbour: int) -> None:
    known = kept[key]
    if isinstance(known, tuple):
        left = tuple(other for other in known if other != neighbour)
        if left:
            kept[key] = left
        else:
            del kept[key]
    else:
        known.remove(neighbour)
        if not known:
            del kept[key]
