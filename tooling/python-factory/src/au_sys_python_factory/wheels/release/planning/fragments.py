"""Change log fragments: ``changes/<slug>.<kind>.md``, one for each change, first line one sentence for users."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.wheels.release.planning.bumps import Level

KINDS: dict[str, Level] = {
    "breaking": "major",
    "added": "minor",
    "changed": "minor",
    "deprecated": "minor",
    "fixed": "patch",
    "security": "patch",
    "internal": "patch",
}
UNPRINTED = "internal"
_NAME = re.compile(r"^(?P<slug>[a-z0-9][a-z0-9-]*)\.(?P<kind>[a-z]+)\.md$")
FORM = f"changes/<slug>.<kind>.md, kind one of {', '.join(KINDS)}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One change as its author describes it."""

    path: Path
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stops a plan: where, what, and how to put it right."""

    where: str
    what: str
    fix: str = ""

    @property
    def sentence(self) -> str:
        """The whole, on up to two lines."""
        return f"{self.where}: {self.what}" + (f"\n  fix: {self.fix}" if self.fix else "")


def read_fragments(root: Path, folder: Path) -> tuple[tuple[Fragment, ...], tuple[Problem, ...]]:
    """The fragments of a member in the order of their names, and what is wrong among them."""
    fragments: list[Fragment] = []
    problems: list[Problem] = []
    for path in sorted((folder / "changes").glob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        where = path.relative_to(root).as_posix()
        match = _NAME.match(path.name)
        lines = path.read_text("utf-8", "replace").strip().splitlines()
        if match is None:
            problems.append(Problem(where, "not the name of a fragment", FORM))
        elif match["kind"] not in KINDS:
            problems.append(Problem(where, f"no kind of change is called {match['kind']}", FORM))
        elif not lines:
            problems.append(Problem(f"{where}:1", "is empty", "write one sentence for users into the first line"))
        else:
            fragments.append(Fragment(path, match["kind"], " ".join(line.strip() for line in lines)))
    return tuple(fragments), tuple(problems)
