"""What may be broken where: a comment on the line, or an entry of the package's ``waivers.toml``."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.workspace.tables import read_table

FILE = "waivers.toml"

_COMMENT = re.compile(r"#\s*factory:\s*allow\s+(?P<ids>[A-Z]\d\d(?:\s*,\s*[A-Z]\d\d)*)(?:\s*--\s*(?P<reason>\S.*))?")
_NOQA = re.compile(r"#\s*noqa:\s*(?P<codes>[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)(?P<reason>.*)")
_ENTRY = re.compile(r"^\[\[waiver\]\]", re.MULTILINE)
_BY_LINE_ONLY = frozenset("ASY")


@dataclass(slots=True)
class Waiver:
    """A permission to break rules, on one ``line`` of ``path`` or (line 0) wherever ``pattern`` fits below the package.

    ``used`` is filled while findings are compared with it.
    """

    path: str
    line: int
    ids: frozenset[str]
    reason: str
    pattern: str = ""
    expires: date | None = None
    used: set[str] = field(default_factory=set)


class Waivers:
    """Waivers, found by the place of what they allow."""

    def __init__(self, found: Iterable[Waiver]) -> None:
        self.listed = list(found)
        self._by_line: dict[tuple[str, int], list[Waiver]] = {}
        self._by_folder: dict[str, list[Waiver]] = {}
        for waiver in self.listed:
            if waiver.pattern:
                self._by_folder.setdefault(waiver.path.removesuffix(FILE), []).append(waiver)
            else:
                self._by_line.setdefault((waiver.path, waiver.line), []).append(waiver)

    def allow(self, rule: Rule, hit: Hit, path: str, file: SourceFile | None) -> bool:
        """Whether a broken rule may be; the waiver that says so is then used."""
        lines = file.lines_around(hit.line) if file and file.waives else (hit.line,)
        on_line = [found for line in lines for found in self._by_line.get((path, line), ())]
        for waiver in (*on_line, *self._entries_for(rule, path)):
            if rule.id in waiver.ids and waiver.reason:
                waiver.used.add(rule.id)
                return True
        noqa = _NOQA.search(file.comment_lines.get(hit.line, "")) if file and rule.same_as else None
        codes = set(re.split(r"[,\s]+", noqa["codes"])) if noqa else set()
        return bool(noqa and codes & set(rule.same_as) and re.search(r"\w{3}", noqa["reason"]))

    def _entries_for(self, rule: Rule, path: str) -> Iterator[Waiver]:
        if rule.id[0] in _BY_LINE_ONLY:
            return
        for folder, entries in self._by_folder.items():
            if path.startswith(folder):
                yield from (entry for entry in entries if fnmatchcase(path.removeprefix(folder), entry.pattern))


def waivers_of(member: MemberFiles) -> Iterator[Waiver]:
    """Every waiver of a member: comments, and the entries of its file."""
    for file in member.files:
        if file.waives:
            yield from _comments(file)
    yield from _entries(member)


def _comments(file: SourceFile) -> Iterator[Waiver]:
    for comment in file.comments:
        match = _COMMENT.search(comment.text)
        if match:
            ids = frozenset(re.split(r"\s*,\s*", match["ids"]))
            yield Waiver(file.relative, comment.line, ids, match["reason"] or "")


def _entries(member: MemberFiles) -> Iterator[Waiver]:
    path = member.member.path / FILE
    if not path.is_file():
        return
    found = read_table(path).get("waiver", [])
    starts = [match.start() for match in _ENTRY.finditer(path.read_text(encoding="utf-8-sig"))]
    text = path.read_text(encoding="utf-8-sig")
    for number, entry in enumerate(found if isinstance(found, list) else []):
        line = text.count("\n", 0, starts[number]) + 1 if number < len(starts) else 1
        yield _entry(entry if isinstance(entry, dict) else {}, path, member, line)


def _entry(entry: dict[str, object], path: Path, member: MemberFiles, line: int) -> Waiver:
    rule, pattern, reason, until = (entry.get(name) for name in ("rule", "path", "reason", "expires"))
    if not (isinstance(rule, str) and isinstance(pattern, str) and isinstance(reason, str) and isinstance(until, date)):
        raise Refused(
            "an entry lacks rule, path, reason or expires (a date such as 2027-01-31).",
            where=f"{path}:{line}", fix="write all four; expires without quotes.",
        )  # fmt: skip
    if rule[:1] in _BY_LINE_ONLY:
        raise Refused(
            f"{rule} cannot be waived by file: the families {', '.join(sorted(_BY_LINE_ONLY))} only line by line.",
            where=f"{path}:{line}", fix="write `# factory: allow … -- reason` on the line.",
        )  # fmt: skip
    relative = f"{member.member.relative}/{FILE}"
    return Waiver(relative, line, frozenset({rule}), reason.strip(), pattern, until)


def about(waivers: Iterable[Waiver], asked: set[str], today: date) -> Iterator[tuple[Rule, Hit, str]]:
    """What is wrong with the waivers themselves: the rule, the place, the file."""
    for waiver in waivers:
        unused = sorted((waiver.ids & asked) - waiver.used)
        if not waiver.reason:
            yield T05, Hit(waiver.line, 1, "the waiver gives no reason"), waiver.path
        elif unused:
            yield T05, Hit(waiver.line, 1, f"nothing to waive: {', '.join(unused)}"), waiver.path
        elif waiver.expires is not None and waiver.expires < today:
            yield T06, Hit(waiver.line, 1, f"the waiver ended on {waiver.expires.isoformat()}"), waiver.path


T05 = Rule(
    "T05",
    "A waiver that is unused or gives no reason",
    "An exception that is not needed hides the next violation.",
    "delete it, or write the reason: `# factory: allow Z07 -- the standard fixes this port`.",
    "LIMIT = 3  # factory: allow Z01 -- not needed\n",
    "LIMIT = 3\n",
)

T06 = Rule(
    "T06",
    "A waiver that has ended",
    "An exception was granted for a time; what was to be mended until then was not.",
    "mend what it allows and delete the entry, or agree on a new date.",
    '[[waiver]]\nrule = "L01"\npath = "README.md"\nreason = "it is being written"\nexpires = 2020-01-31\n',
    '[[waiver]]\nrule = "L01"\npath = "README.md"\nreason = "it is being written"\nexpires = 2120-01-31\n',
    place=FILE,
)

RULES = (T05, T06)
