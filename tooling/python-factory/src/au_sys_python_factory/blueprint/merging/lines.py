"""Three versions of a text, merged line by line (Khanna, Kunal and Pierce, "A formal investigation of diff3", 2007)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

OURS, MIDDLE, THEIRS = "<<<<<<< yours", "=======", ">>>>>>> template"
"""The marks around a conflict, as git writes them."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A region that both sides changed differently; lines keep their ends."""

    base: tuple[str, ...]
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


Region = tuple[str, ...] | Conflict


@dataclass(frozen=True, slots=True)
class Merge:
    """Regions in order: lines that are settled, and conflicts."""

    regions: tuple[Region, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What nobody but the owner can settle."""
        return tuple(region for region in self.regions if isinstance(region, Conflict))

    @property
    def text(self) -> str:
        """The whole, with marks around conflicts."""
        return "".join(line for region in self.regions for line in _written(region))


def merge(base: str, ours: str, theirs: str) -> Merge:
    """Both sides' changes of ``base``; equal changes count once, and changes that touch each other are a conflict."""
    old, left, right = (_lines(text) for text in (base, ours, theirs))
    regions: list[Region] = []
    for region in _regions(old, left, right):
        if region and regions and isinstance(region, tuple) and isinstance(regions[-1], tuple):
            regions[-1] = (*regions[-1], *region)
        elif region:
            regions.append(region)
    return Merge(tuple(regions))


def _lines(text: str) -> list[str]:
    """Lines with their ends, at line feeds only: a form feed inside a line is not an end."""
    found = text.split("\n")
    return [line + "\n" for line in found[:-1]] + ([found[-1]] if found[-1] else [])


def _regions(old: list[str], left: list[str], right: list[str]) -> Iterator[Region]:
    at, in_left, in_right = 0, 0, 0
    for begin, begin_left, begin_right, size in _common(old, left, right):
        yield _settled(old[at:begin], left[in_left:begin_left], right[in_right:begin_right])
        yield tuple(old[begin : begin + size])
        at, in_left, in_right = begin + size, begin_left + size, begin_right + size
    yield _settled(old[at:], left[in_left:], right[in_right:])


def _common(old: list[str], left: list[str], right: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of the base that both sides still have: place in base, ours, theirs, and length."""
    ours, theirs = _matches(old, left), _matches(old, right)
    one = other = 0
    while one < len(ours) and other < len(theirs):
        begin = max(ours[one][0], theirs[other][0])
        end = min(ours[one][0] + ours[one][2], theirs[other][0] + theirs[other][2])
        if begin < end:
            yield (
                begin,
                ours[one][1] + begin - ours[one][0],
                theirs[other][1] + begin - theirs[other][0],
                end - begin,
            )
        if ours[one][0] + ours[one][2] < theirs[other][0] + theirs[other][2]:
            one += 1
        else:
            other += 1


def _matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    found = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return [(block.a, block.b, block.size) for block in found if block.size]


def _settled(old: list[str], left: list[str], right: list[str]) -> Region:
    if left == right or old == right:
        return tuple(left)
    if old == left:
        return tuple(right)
    return Conflict(tuple(old), tuple(left), tuple(right))


def _written(region: Region) -> Iterator[str]:
    if not isinstance(region, Conflict):
        yield from region
        return
    for mark, lines in ((OURS, region.ours), (MIDDLE, region.theirs)):
        yield mark + "\n"
        yield from lines
        if lines and not lines[-1].endswith("\n"):
            yield "\n"
    yield THEIRS + "\n"
