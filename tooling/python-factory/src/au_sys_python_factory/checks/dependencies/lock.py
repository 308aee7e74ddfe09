"""The lock says what the project files say."""

import re
import tomllib
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from au_sys_python_factory.checks.reading.project import Project
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.workspace.members import Member
from au_sys_python_factory.workspace.requirements import canonical
from au_sys_python_factory.workspace.tables import Table, strings, table

_OURS = re.compile(r'^source = \{ (?:editable|virtual) = "', re.MULTILINE)
Wanted = dict[str, set[SpecifierSet]]


def stale(project: Project) -> Iterator[Hit]:
    """Members that the lock does not know, or knows with another version or other dependencies."""
    lock = project.workspace.root / "uv.lock"
    if not lock.is_file():
        return
    text = lock.read_text(encoding="utf-8")
    blocks = [f"[[package]]\n{block}" for block in text.split("[[package]]\n")[1:] if _OURS.search(block)]
    if not blocks:
        return
    locked = {name: entry for block in blocks for name, entry in _packages(block)}
    siblings = {canonical(member.dist) for member in project.workspace.members}
    for member in project.workspace.members:
        entry = locked.get(canonical(member.dist))
        why = _difference(member, entry, siblings) if entry is not None else "is not in it"
        if why:
            line = text.count("\n", 0, max(text.find(f'name = "{member.dist}"\nversion'), 0)) + 1
            yield Hit(line, 1, f"{member.dist} {why}", lock)


def _packages(block: str) -> Iterator[tuple[str, Table]]:
    try:
        found = tomllib.loads(block).get("package", [])
    except tomllib.TOMLDecodeError:
        found = []
    for entry in found:
        yield canonical(str(entry.get("name", ""))), entry


def _difference(member: Member, entry: Table, siblings: set[str]) -> str:
    """What the lock says otherwise than the project file; empty when nothing."""
    if "version" in entry and entry["version"] != member.version:
        return f"is {entry['version']} in it, and {member.version}"
    listed = table(entry, "metadata").get("requires-dist", [])
    known: Wanted = {}
    for item in listed if isinstance(listed, list) else []:
        known.setdefault(canonical(item["name"]), set()).add(SpecifierSet(item.get("specifier", "")))
    wanted = _asked(member)
    names = sorted(wanted.keys() ^ known.keys())
    if names:
        return f"asks for {names[0]} in only one of the two"
    others = [name for name in sorted(wanted) if name not in siblings and wanted[name] != known[name]]
    return f"asks for {others[0]} within other bounds" if others else ""


def _asked(member: Member) -> Wanted:
    found: Wanted = {}
    for line in (*strings(member.project.get("dependencies")), *member.optional_dependencies):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        found.setdefault(canonical(requirement.name), set()).add(requirement.specifier)
    return found


D06 = Rule(
    "D06",
    "The lock is stale",
    "What is tested is not what is installed: the next lock changes both at once.",
    "uv lock, and commit uv.lock with the change of pyproject.toml.",
    "a dependency in pyproject.toml that uv.lock does not know\n",
    "both changed together\n",
    project_check=stale,
)

RULES = (D06,)
