"""From changed files to everything that imports them, directly or through others.

It errs on the side of too much: what cannot be seen in imports (data, configuration, discovery by entry points) takes
whole packages along.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.workspace.requirements import canonical, requirement_name

ROOT_TESTS = "tests"


@dataclass(frozen=True, slots=True)
class Reach:
    """What is affected; ``chains`` leads from each affected module back to a changed one."""

    packages: tuple[str, ...]
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    chains: dict[str, tuple[str, ...]]


def reach(project: Project, changed: set[str], locked: Collection[str] = ()) -> Reach:
    """Everything that the changed files reach, and the members in ``locked``, whose dependencies changed."""
    files = {file.relative: file for member in project.members for file in member.files}
    everything = any(_touches_all(path, project) for path in changed)
    taken = set(files) if everything else set(_taken(project, files, changed))
    taken |= {path for path, file in files.items() if canonical(file.member.dist) in locked}
    before = _closure(project, files, taken)
    named = {member.dist for member in project.workspace.members if canonical(member.dist) in locked}
    packages = _packages(project, {files[path].member.dist for path in before} | _members_of(project, changed) | named)
    tests = sorted(path for path in before if _is_test(files[path]))
    for member in project.members:
        if member.member.role == "platform" and member.member.dist in packages:
            tests += [file.relative for file in member.tests if _is_test(file)]
    root_tests = [ROOT_TESTS] if packages or any(path.startswith(f"{ROOT_TESTS}/") for path in changed) else []
    return Reach(
        tuple(sorted(packages)),
        tuple(sorted(path for path in before if files[path].area == "source")),
        tuple(sorted({*tests, *root_tests})),
        {path: tuple(_chain(before, path)) for path in sorted(before)},
    )


def _touches_all(path: str, project: Project) -> bool:
    """Whether a file belongs to the root: its project file, lock, contracts and recipes concern everybody."""
    inside = any(path.startswith(f"{member.relative}/") for member in project.workspace.members)
    return not inside and not path.startswith((f"{ROOT_TESTS}/", "docs/")) and not path.endswith(".md")


def _taken(project: Project, files: dict[str, SourceFile], changed: set[str]) -> Iterator[str]:
    for path in changed:
        if path in files:
            yield path
            continue
        for member in project.members:
            if path.startswith(f"{member.member.relative}/") and not path.endswith(".md"):
                yield from (file.relative for file in member.files)


def _members_of(project: Project, changed: set[str]) -> set[str]:
    found = set()
    for member in project.workspace.members:
        if any(path.startswith(f"{member.relative}/") and not path.endswith(".md") for path in changed):
            found.add(member.dist)
    return found


def _closure(project: Project, files: dict[str, SourceFile], taken: set[str]) -> dict[str, str]:
    """Affected files, each with the file that it was reached from (itself for changed ones)."""
    importers = _importers(project)
    before = {path: path for path in sorted(taken)}
    waiting = sorted(taken)
    while waiting:
        path = waiting.pop(0)
        for importer in sorted(importers.get(path, ())):
            if importer not in before:
                before[importer] = path
                waiting.append(importer)
    return before


def _importers(project: Project) -> dict[str, set[str]]:
    modules = {name: file.relative for name, file in project.modules.items()}
    importers: dict[str, set[str]] = defaultdict(set)
    for member in project.members:
        known = modules | {file.module: file.relative for file in member.files if file.area != "source"}
        run: dict[str, tuple[str, ...]] = {}
        for file in member.files:
            for item in file.imports:
                for name in (item.module, item.target):
                    if name not in run:
                        run[name] = tuple(_run_by(name, known))
                    for path in run[name]:
                        importers[path].add(file.relative)
        for fixture, users in _fixtures(member):
            importers[fixture] |= users
    for path, found in importers.items():
        found.discard(path)
    return importers


def _run_by(name: str, modules: Mapping[str, str]) -> Iterator[str]:
    """Files that importing a name runs: the module, and every package above it."""
    while name:
        found = modules.get(name)
        if found:
            yield found
        name = name.rpartition(".")[0]


def _fixtures(member: MemberFiles) -> Iterator[tuple[str, set[str]]]:
    """Each conftest with the tests that it serves, and each helper of the tests with all of them."""
    for file in member.tests:
        folder = file.path.parent
        below = {other.relative for other in member.tests if other.path.is_relative_to(folder) and other is not file}
        if file.path.name == "conftest.py" or not _is_test(file):
            yield file.relative, below


def _is_test(file: SourceFile) -> bool:
    return file.area == "tests" and file.path.name.startswith("test_")


def _packages(project: Project, dists: Iterable[str]) -> set[str]:
    """The packages themselves, and platforms whose bill of materials names one of them."""
    found = set(dists)
    for member in project.workspace.platforms:
        if {requirement_name(line) for line in member.dependencies} & {canonical(dist) for dist in found}:
            found.add(member.dist)
    return found


def _chain(before: dict[str, str], path: str) -> Iterator[str]:
    yield path
    while before[path] != path:
        path = before[path]
        yield path
