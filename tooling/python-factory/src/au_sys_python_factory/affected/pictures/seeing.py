"""From parsed files to a graph, and the shortest way from one thing to another."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from au_sys_python_factory.affected.pictures.model import Arrow, Box, Graph, with_cycles_named
from au_sys_python_factory.checks.architecture.directions import RANK
from au_sys_python_factory.checks.architecture.layers import HEIGHT, run_imports
from au_sys_python_factory.checks.reading.project import Project
from au_sys_python_factory.checks.reading.source import Imported, SourceFile
from au_sys_python_factory.errors import Refused, UsageError
from au_sys_python_factory.workspace.members import Member
from au_sys_python_factory.workspace.requirements import requirement_name

Named = Callable[[SourceFile], str]
TOOL_FLOOR = 4


def packages(project: Project) -> Graph:
    """Every member with code; an arrow upward, or to the factory, is wrong."""
    members = {member.member.dist: member.member for member in project.members if member.source or _bill(member.member)}
    boxes = tuple(Box(dist, dist, _rank(member)) for dist, member in sorted(members.items()))
    counted = Counter(_pairs(project, lambda file: file.member.dist))
    for member in members.values():
        for other in _bill(member):
            if other in members:
                counted[member.dist, other] += 1
    arrows = [Arrow(one, two, count, _upward(members[one], members[two])) for (one, two), count in counted.items()]
    return Graph("Packages of the workspace", boxes, tuple(with_cycles_named(arrows)))


def layers(project: Project, member: Member) -> Graph:
    """The layers of a capability (of another package: its top folders); an arrow to a higher one is wrong."""
    files = _files(project, member)
    names = sorted({file.layer for file in files if file.layer != "__init__"})
    boxes = tuple(Box(name, name, HEIGHT.get(name, 1) if member.tri_layer else 0) for name in names)
    inside = _pairs(project, lambda file: file.layer if file.member is member and file.layer != "__init__" else "")
    arrows = [
        Arrow(one, two, count, "A02" if member.tri_layer and HEIGHT.get(one, 1) < HEIGHT.get(two, 1) else "")
        for (one, two), count in Counter(inside).items()
    ]
    return Graph(f"Layers of {member.dist}", boxes, tuple(with_cycles_named(arrows)))


def modules(project: Project, member: Member) -> Graph:
    """Every module of a package."""
    files = {file.module: file for file in _files(project, member) if not file.is_package}
    boxes = tuple(
        Box(name, name.removeprefix(f"{member.import_name}."), HEIGHT.get(file.layer, 1) if member.tri_layer else 0)
        for name, file in sorted(files.items())
    )
    inside = _pairs(project, lambda file: file.module if file.module in files else "")
    arrows = [
        Arrow(one, two, count, "A02" if member.tri_layer and _below(files[one], files[two]) else "")
        for (one, two), count in Counter(inside).items()
    ]
    return Graph(f"Modules of {member.dist}", boxes, tuple(with_cycles_named(arrows)))


def reason(project: Project, start: str, goal: str) -> list[str]:
    """The shortest chain of imports from one module or package to another, as ``module (file:line)``.

    Raises:
        UsageError: a name is no module or package of the workspace.
        Refused: nothing leads from one to the other.
    """
    starts, goals = _meant(project, start), _meant(project, goal)
    before: dict[str, tuple[str, int]] = {name: ("", 0) for name in starts}
    waiting = list(starts)
    while waiting:
        name = waiting.pop(0)
        if name in goals:
            return list(_way(project, before, name))
        file = project.modules[name]
        for item in run_imports(file):
            target = _target(item, project)
            if target and target not in before:
                before[target] = (name, item.node.lineno)
                waiting.append(target)
    raise Refused(f"{start} does not depend on {goal}.", fix="ask the other way round, or for other names.")


def _way(project: Project, before: dict[str, tuple[str, int]], name: str) -> Iterator[str]:
    chain = [name]
    while before[chain[0]][0]:
        chain.insert(0, before[chain[0]][0])
    for one, two in pairwise(chain):
        yield f"{one} ({project.modules[one].relative}:{before[two][1]})"
    yield chain[-1]


def _meant(project: Project, name: str) -> list[str]:
    member = project.workspace.by_dist.get(name)
    top = member.import_name if member else name
    found = sorted(module for module in project.modules if module == top or module.startswith(f"{top}."))
    if not found:
        raise UsageError(f"{name} is no package or module of this workspace.", fix="a distribution or a dotted module.")
    return found


def _files(project: Project, member: Member) -> list[SourceFile]:
    return [file for file in project.modules.values() if file.member is member]


def _pairs(project: Project, named: Named) -> Iterator[tuple[str, str]]:
    """Names of importer and imported for every import that is carried out; empty names are left out."""
    for file in project.modules.values():
        ours = named(file)
        for item in run_imports(file) if ours else ():
            target = _target(item, project)
            theirs = named(project.modules[target]) if target else ""
            if theirs and theirs != ours:
                yield ours, theirs


def _target(item: Imported, project: Project) -> str:
    return next((name for name in (item.target, item.module) if name in project.modules), "")


def _bill(member: Member) -> list[str]:
    """What a platform without code is made of."""
    return [requirement_name(line) for line in member.dependencies] if member.role == "platform" else []


def _rank(member: Member) -> int:
    return TOOL_FLOOR if member.role == "tool" else RANK[member.role]


def _upward(one: Member, two: Member) -> str:
    return "A01" if "tool" in (one.role, two.role) or RANK[two.role] > RANK[one.role] else ""


def _below(one: SourceFile, two: SourceFile) -> bool:
    return HEIGHT.get(one.layer, 1) < HEIGHT.get(two.layer, 1)
