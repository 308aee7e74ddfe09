"""The same lines twice in one package."""

from collections import Counter
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_BLOCK = 25
_PASSED_OVER = ("import ", "from ", "#", '"""')

Numbered = list[tuple[int, str]]


def twice(member: MemberFiles) -> Iterator[Hit]:
    """Blocks of lines of code that stand in a package already; imports, comments and white space do not count."""
    texts = [(file, _code(file)) for file in member.source if "versions" not in file.inner]
    often = Counter(line for _, lines in texts for _, line in lines)
    seen: dict[tuple[str, ...], tuple[SourceFile, int]] = {}
    for file, lines in texts:
        for run in _runs(lines, often):
            yield from _found(file, run, seen)


def _code(file: SourceFile) -> Numbered:
    stripped = ((number, line.strip()) for number, line in enumerate(file.lines, 1))
    return [(number, line) for number, line in stripped if line and not line.startswith(_PASSED_OVER)]


def _runs(lines: Numbered, often: Counter[str]) -> Iterator[Numbered]:
    """Stretches of lines each of which stands in the package more than once, as long as a block at least."""
    run: Numbered = []
    for item in lines:
        if often[item[1]] > 1:
            run.append(item)
            continue
        if len(run) >= _BLOCK:
            yield run
        run = []
    if len(run) >= _BLOCK:
        yield run


def _found(file: SourceFile, run: Numbered, seen: dict[tuple[str, ...], tuple[SourceFile, int]]) -> Iterator[Hit]:
    """The first line of each stretch that stands elsewhere too."""
    free = 0
    for start in range(len(run) - _BLOCK + 1):
        window = run[start : start + _BLOCK]
        text = tuple(line for _, line in window)
        first = seen.setdefault(text, (file, window[0][0]))
        own = first == (file, window[0][0]) or (first[0] is file and first[1] > window[0][0] - _BLOCK)
        if not own and start >= free:
            free = start + _BLOCK
            message = f"{_BLOCK} lines that stand in {first[0].relative}:{first[1]} too"
            yield Hit(window[0][0], 1, message, file.path)


L13 = Rule(
    "L13",
    "A block of lines stands twice",
    "A mistake in it is mended once and stays in the other.",
    "move the block into a function or a table that both places use.",
    "twenty-five lines of code in two modules of a package\n",
    "a function that both call\n",
    member_check=twice,
)

RULES = (L13,)
