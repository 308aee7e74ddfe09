"""Between packages: downward only, through doors, without cycles."""

from collections import defaultdict
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import Project
from au_sys_python_factory.checks.reading.source import Imported, SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.workspace.members import Member

RANK = {"runtime": 0, "library": 1, "capability": 1, "service": 2, "platform": 3}
_DOORS = {"", "fastapi"}
_EXTRA_DOORS = {
    "runtime": {"testing"},
    "capability": {"conformance"},
    "service": set[str](),
    "library": {"conformance"},
}
_STRANGERS = ({"au_sys_identity", "au_sys_storage_sdk"},)


def foreign(file: SourceFile, members: dict[str, Member]) -> Iterator[tuple[Imported, Member]]:
    """Imports of other workspace members that are carried out (not those for type checkers only)."""
    for item in file.imports:
        other = members.get(item.module.split(".")[0])
        if other is not None and other is not file.member and not item.typing_only:
            yield item, other


def upward(project: Project) -> Iterator[Hit]:
    """Imports that point from a lower package to a higher one, or touch the factory."""
    for file in project.modules.values():
        for item, other in foreign(file, project.workspace.by_import_name):
            tool = "tool" in (file.member.role, other.role)
            if tool or RANK[other.role] > RANK[file.member.role]:
                how = (
                    "the factory and the product know nothing of each other" if tool else "dependencies point downward"
                )
                message = f"{file.member.dist} ({file.member.role}) imports {item.module} ({other.role}): {how}"
                yield Hit(item.node.lineno, item.node.col_offset + 1, message, file.path)


def inside(item: Imported, other: Member, modules: dict[str, SourceFile]) -> bool:
    """Whether the import goes past the doors of the other package."""
    reached = item.target if item.name and item.target in modules else item.module
    below = reached.removeprefix(other.import_name or "").lstrip(".").split(".")[0]
    return below not in _DOORS | _EXTRA_DOORS.get(other.role, set())


def past_the_door(project: Project) -> Iterator[Hit]:
    """Imports of another package's inside."""
    for file in project.modules.values():
        for item, other in foreign(file, project.workspace.by_import_name):
            if inside(item, other, project.modules) and not _stranger(file.member, other):
                doors = f"{other.import_name} or {other.import_name}.fastapi"
                message = f"{item.target} is inside {other.dist}; its doors are {doors}"
                yield Hit(item.node.lineno, item.node.col_offset + 1, message, file.path)


def _stranger(member: Member, other: Member) -> bool:
    return any({member.import_name, other.import_name} <= pair for pair in _STRANGERS)


def strangers(project: Project) -> Iterator[Hit]:
    """Identity and storage, looking into each other."""
    for file in project.modules.values():
        for item, other in foreign(file, project.workspace.by_import_name):
            if _stranger(file.member, other) and inside(item, other, project.modules):
                message = f"{file.member.dist} and {other.dist} may not know each other's inside ({item.target})"
                yield Hit(item.node.lineno, item.node.col_offset + 1, message, file.path)


def cycles(project: Project) -> Iterator[Hit]:
    """Sibling folders or modules of one package that import each other (the runtime has layers of its own)."""
    edges: dict[str, dict[str, tuple[SourceFile, Imported]]] = defaultdict(dict)
    for file in (found for found in project.modules.values() if found.member.role != "runtime"):
        for item in file.imports:
            if item.typing_only or item.module.split(".")[0] != file.module.split(".")[0]:
                continue
            pair = _siblings(file.module, item.target if item.target in project.modules else item.module)
            if pair:
                edges[pair[0]].setdefault(pair[1], (file, item))
    for start in sorted(edges):
        for next_, (file, item) in sorted(edges[start].items()):
            way = _way(edges, next_, start)
            if way and start == min([start, *way]):
                message = f"cycle among siblings: {' → '.join([start, *way])}"
                yield Hit(item.node.lineno, item.node.col_offset + 1, message, file.path)


def _siblings(importer: str, imported: str) -> tuple[str, str] | None:
    ours, theirs = importer.split("."), imported.split(".")
    same = 0
    while same < min(len(ours), len(theirs)) and ours[same] == theirs[same]:
        same += 1
    if same in (0, len(ours), len(theirs)):
        return None
    return ".".join(ours[: same + 1]), ".".join(theirs[: same + 1])


def _way(edges: dict[str, dict[str, tuple[SourceFile, Imported]]], start: str, goal: str) -> list[str]:
    before: dict[str, str] = {start: ""}
    waiting = [start]
    while waiting:
        node = waiting.pop(0)
        if node == goal:
            way = [node]
            while before[way[0]]:
                way.insert(0, before[way[0]])
            return way
        for next_ in sorted(edges.get(node, {})):
            if next_ not in before:
                before[next_] = node
                waiting.append(next_)
    return []


def source_prefix(file: SourceFile) -> Iterator[Hit]:
    """Imports that name the source folder."""
    for item in file.imports:
        if item.module.split(".")[0] == "src":
            yield file.hit(item.node, f"{item.module}: the folder src is no package")


A01 = Rule(
    "A01",
    "A package points upward",
    "A library that knows its users cannot be used by anybody else, nor released alone.",
    "move the code to the higher package, or let the higher one hand it in through a port.",
    "import {platform_service}\n",
    "import fastapi_services_platform\n",
    project_check=upward,
)
A06 = Rule(
    "A06",
    "Another package's inside is used instead of its door",
    "Only what a door exports is promised; everything behind it moves without notice.",
    "import the name from the package's door; if the door lacks it, ask for it there.",
    "from fastapi_services_platform.engine.inventory import Inventory\n",
    "from fastapi_services_platform import Platform\n",
    project_check=past_the_door,
)
A07 = Rule(
    "A07",
    "Identity and storage know each other's inside",
    "The two foundations must be exchangeable one by one.",
    "use the other's pure door, or a port of the runtime.",
    "from au_sys_storage_sdk.core.errors import NotFound\n",
    "from au_sys_storage_sdk import NotFound\n",
    project_check=strangers,
)
A08 = Rule(
    "A08",
    "Siblings import each other in a circle",
    "A circle is one module that pretends to be several: neither can be read, tested or moved alone.",
    "move what both need into a third sibling, or hand it in as an argument.",
    "two siblings, each importing the other\n",
    "both importing a third one\n",
    project_check=cycles,
)
A12 = Rule(
    "A12",
    "An import names the source folder",
    "`src.` works only from one working directory and makes a second copy of every class.",
    "drop the prefix: import the package by its own name.",
    "from src.notes import Note\n\nNOTE = Note\n",
    "from datetime import date\n\nDAY = date\n",
    areas=("source", "tests", "other"),
    file_check=source_prefix,
)

RULES = (A01, A06, A07, A08, A12)
