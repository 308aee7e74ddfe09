"""The plan of ``upgrade``: a package moved from its template version to another, with the owner's edits kept."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.blueprint.merging.files import Outcome, decide
from au_sys_python_factory.blueprint.package import Wanted, files_of_all, first_party, newest
from au_sys_python_factory.blueprint.rendering import TEMPLATES, with_sorted_imports
from au_sys_python_factory.blueprint.state import STATE, Tracked, written
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.plan.model import Operation, Plan, read, write
from au_sys_python_factory.workspace.members import Member, Workspace

_BOM = "\ufeff"
_QUIET = ("same", "untouched")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What becomes of one package: its versions, and every file that is not simply as it was."""

    member: Member
    before: str
    after: str
    outcomes: tuple[Outcome, ...]
    contents: Mapping[str, str | None]
    """What is written, by path inside the package; nothing while there are conflicts and no marks were asked for."""

    @property
    def conflicts(self) -> tuple[Outcome, ...]:
        """Files that only the owner can settle."""
        return tuple(item for item in self.outcomes if item.kind == "conflict")

    @property
    def edits_kept(self) -> int:
        """Files in which the owner's changes stand beside, or instead of, the template's."""
        return sum(item.kind in ("untouched", "merged", "kept", "stays deleted") for item in self.outcomes)

    @property
    def told(self) -> tuple[Outcome, ...]:
        """The outcomes worth a line."""
        return tuple(item for item in self.outcomes if item.kind not in _QUIET)

    @property
    def verdict(self) -> str:
        """One word for a table."""
        if self.before == self.after:
            return "up to date"
        return "conflict" if self.conflicts else "merged"


def rendered(tracked: Sequence[Tracked], to: str | None, templates: Path = TEMPLATES) -> dict[Wanted, dict[str, str]]:
    """The files of many packages at their own and at the target version, for :func:`upgrade`."""
    wanted = [
        (item.kind, version, item.blueprint)
        for item in tracked
        for version in {item.version, to or newest(item.kind, templates)}
        if not item.open_to
    ]
    return files_of_all(wanted, templates)


def upgrade(
    member: Member,
    tracked: Tracked,
    to: str | None,
    *,
    marks: bool = False,
    templates: Path = TEMPLATES,
    known: Mapping[Wanted, dict[str, str]] | None = None,
) -> Upgrade:
    """What an upgrade of one package would do; ``known`` are files that were rendered already.

    Raises:
        Refused: an upgrade is open, a file is not UTF-8, or the template version is not in this factory or older than
            the package's.
    """
    target = to or newest(tracked.kind, templates)
    if tracked.open_to:
        raise Refused(
            f"an upgrade to {tracked.open_to} is open.",
            where=member.relative,
            fix="settle the marked regions and run upgrade --continue, or take it back with upgrade --abort.",
        )
    files = known or rendered([tracked], to, templates)
    old = files[tracked.kind, tracked.version, tracked.blueprint]
    if target == tracked.version:
        return Upgrade(member, target, target, (), {})
    new = files[tracked.kind, target, tracked.blueprint]
    if int(target) < int(tracked.version):
        raise Refused(
            f"the package is at version {tracked.version} already.",
            where=member.relative,
            fix="an upgrade goes forward; python-factory undo takes the last one back.",
        )
    outcomes = tuple(_outcome(member, tracked, path, old, new) for path in sorted({*old, *new}))
    found = Upgrade(member, tracked.version, target, outcomes, {})
    if found.conflicts and not marks:
        return found
    contents: dict[str, str | None] = {item.path: item.text for item in outcomes}
    merged = {item.path: item.text or "" for item in outcomes if _unsorted(member, item)}
    contents |= with_sorted_imports(merged, first_party(tracked.blueprint))
    if found.conflicts:
        contents[STATE] = written(tracked.kind, tracked.version, tracked.blueprint, old, open_to=target)
    else:
        contents[STATE] = written(tracked.kind, target, tracked.blueprint, new)
    return Upgrade(member, tracked.version, target, outcomes, contents)


def _unsorted(member: Member, item: Outcome) -> bool:
    """Whether a merge brought imports or names of a door together that its owner has not put in order."""
    if item.kind != "merged" or not item.path.endswith(".py"):
        return False
    return _ordered_lines(item.text or "") != _ordered_lines(_text(member, item.path) or "")


def _ordered_lines(text: str) -> list[str]:
    """Imports, and the list of a door, as they stand; nothing of a file that does not parse."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return [text]
    return [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom | ast.Assign)]


def _outcome(member: Member, tracked: Tracked, path: str, old: dict[str, str], new: dict[str, str]) -> Outcome:
    disk = _text(member, path)
    if tracked.classes.get(path) == "owned":
        return Outcome(path, "untouched", disk)
    return decide(path, disk, tracked.digests.get(path), old.get(path), new.get(path))


def _text(member: Member, path: str) -> str | None:
    """A file with line feeds only and without a mark at its begin, as templates are; ``None`` where there is none."""
    content = read(member.path, path)
    try:
        return None if content is None else content.decode("utf-8").removeprefix(_BOM).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        where = f"{member.relative}/{path}"
        raise Refused(f"not UTF-8 at byte {error.start}.", where=where, fix="save it as UTF-8.") from None


def plan_upgrade(workspace: Workspace, upgrades: tuple[Upgrade, ...], command: str) -> Plan:
    """All packages that can go on, in one plan with the lock.

    Raises:
        FactoryError: no lock can be resolved.
    """
    operations: list[Operation] = []
    projects: dict[str, str] = {}
    for item in upgrades:
        for path, text in sorted(item.contents.items()):
            whole = f"{item.member.relative}/{path}"
            content = None if text is None else _as_it_was(read(workspace.root, whole), text)
            operation = write(workspace.root, whole, content, f"template {item.before} → {item.after}")
            operations.append(operation)
            if path == "pyproject.toml" and text is not None:
                projects[whole] = text
    plan = Plan(command, tuple(operations))
    if not any(change.path in projects for change in plan.changes):
        return plan
    lock = resolved_lock(workspace, projects)
    locked = () if lock is None else (write(workspace.root, "uv.lock", lock, "a project file changed"),)
    return Plan(command, (*plan.operations, *locked))


def _as_it_was(before: bytes | None, text: str) -> bytes:
    """The text with the line ends and the mark that the file had."""
    if before is None:
        return text.encode()
    ends = text.replace("\n", "\r\n") if b"\r\n" in before else text
    return (_BOM + ends if before.startswith(_BOM.encode()) else ends).encode()
