"""Bounds of siblings, hosts in the lock, private addresses in committed files, and the build."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from au_sys_python_factory.checks.dependencies.imports import line_of
from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.workspace.members import Member
from au_sys_python_factory.workspace.requirements import canonical
from au_sys_python_factory.workspace.tables import strings, table

PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}
_COMMITTED = (".toml", ".lock", ".yaml", ".yml", ".json", ".cfg", ".ini", ".env.example", ".service")
_KEPT_OUT = {".venv", "node_modules", "dist", "__pycache__", ".factory", ".shell"}
_PATH = re.compile(r"(?<![\w.:/-])(/root/|/home/[a-z][\w-]*/|/Users/[A-Za-z][\w-]*/|[A-Z]:\\Users\\)")
_CREDENTIAL = re.compile(r"https?://[^\s/:@\"']+:[^\s/@\"']+@")
_INDEX = re.compile(r"(?i)(?:extra[-_])?index[-_]url[\"']?\s*[=:]\s*[\"']?(https?://[^\s\"']+)")


def siblings(member: Member, project: Project) -> Iterator[tuple[str, Requirement, Member]]:
    """Requirement lines that name another member."""
    by_name = {canonical(other.dist): other for other in project.workspace.members}
    for line in (*member.dependencies, *member.optional_dependencies):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        other = by_name.get(canonical(requirement.name))
        if other is not None and other is not member:
            yield line, requirement, other


def unbounded(member: MemberFiles) -> Iterator[Hit]:
    """Siblings without a lower and an upper bound."""
    path = member.member.path / "pyproject.toml"
    for line, requirement, _ in siblings(member.member, member.project):
        operators = {item.operator for item in requirement.specifier}
        exact = "==" in operators
        if not exact and not (operators & {">=", ">"} and operators & {"<", "<="}) and "~=" not in operators:
            yield Hit(line_of(path, f'"{line}"'), 1, f"{line} lacks a bound", path)


def excluding(member: MemberFiles) -> Iterator[Hit]:
    """Bounds that the sibling in this workspace does not meet."""
    path = member.member.path / "pyproject.toml"
    for line, requirement, other in siblings(member.member, member.project):
        try:
            fits = requirement.specifier.contains(Version(other.version), prereleases=True)
        except InvalidVersion:
            fits = False
        if not fits:
            yield Hit(line_of(path, f'"{line}"'), 1, f"{line} excludes the present {other.dist} {other.version}", path)


def foreign_host(project: Project) -> Iterator[Hit]:
    """Hosts in the lock other than the public index."""
    lock = project.workspace.root / "uv.lock"
    if not lock.is_file():
        return
    seen: set[str] = set()
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), 1):
        for host in re.findall(r"https?://(?:[^@/\"]*@)?([^/:\"]+)", line):
            if host not in PUBLIC_HOSTS and host not in seen:
                seen.add(host)
                yield Hit(number, 1, f"{host} is no public index", lock)


def private_address(project: Project) -> Iterator[Hit]:
    """Index addresses, credentials and paths of one machine in committed configuration."""
    root = project.workspace.root
    for path in _configuration(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if found := _CREDENTIAL.search(line):
                yield Hit(number, found.start() + 1, "an address with a credential", path)
            if found := _PATH.search(line):
                yield Hit(number, found.start() + 1, f"an absolute path of one machine ({found[0]}…)", path)
            if (found := _INDEX.search(line)) and not any(host in found[1] for host in PUBLIC_HOSTS):
                yield Hit(number, found.start() + 1, "the address of a private index", path)


def _configuration(root: Path) -> Iterator[Path]:
    """Committed files of configuration: those of the root, and those below its folders."""
    for folder, folders, names in os.walk(root):
        top = folder == str(root)
        in_platform = os.path.dirname(os.path.dirname(folder)) == str(root) and folder.startswith(
            str(root / "platforms")
        )
        out = _KEPT_OUT | {"packages"} if in_platform else _KEPT_OUT
        folders[:] = sorted(name for name in folders if name not in out and (not top or _committed(name)))
        for name in sorted(names):
            if name.endswith(_COMMITTED) or name == "Dockerfile":
                path = Path(folder, name)
                if not path.is_symlink():
                    yield path


def _committed(name: str) -> bool:
    return not name.startswith(".") or name == ".github"


def build_backend(member: MemberFiles) -> Iterator[Hit]:
    """Members that another tool builds, or any version of it."""
    path = member.member.path / "pyproject.toml"
    build = table(member.member.pyproject, "build-system")
    if build.get("build-backend") != "hatchling.build":
        yield Hit(1, 1, f"build backend {build.get('build-backend', 'missing')}", path)
        return
    asked = [line for line in strings(build.get("requires")) if canonical(line).startswith("hatchling")]
    if not asked or not re.search(r"==|>=.*<|~=", asked[0]):
        yield Hit(line_of(path, "requires"), 1, "hatchling without bounds", path)


def python_bound(member: MemberFiles) -> Iterator[Hit]:
    """Members for other Pythons than the workspace."""
    wanted = member.member.project.get("requires-python")
    if wanted != ">=3.11":
        path = member.member.path / "pyproject.toml"
        yield Hit(line_of(path, "requires-python"), 1, f"requires-python is {wanted or 'missing'}", path)


D03 = Rule(
    "D03",
    "A sibling dependency lacks a bound",
    "uv takes any sibling of the workspace; only the bounds protect who installs the wheel.",
    "state both: the present minor as lower, the next major as upper bound.",
    '"au-sys-identity>=0.1"\n',
    '"au-sys-identity>=0.1,<1"\n',
    place="pyproject.toml",
    member_check=unbounded,
)
D04 = Rule(
    "D04",
    "A bound excludes the present sibling",
    "The workspace works, and the wheels cannot be installed together.",
    "raise the upper bound after looking at what changed, or lower the lower one.",
    '"au-sys-identity>=5,<6"\n',
    '"au-sys-identity>=0.1,<1"\n',
    place="pyproject.toml",
    member_check=excluding,
)
D05 = Rule(
    "D05",
    "A foreign host in uv.lock",
    "An index of the environment leaked: the lock works on one network only.",
    "`just lock-repair`, or lock again with UV_DEFAULT_INDEX set to the public index.",
    "a URL of another host in uv.lock\n",
    "pypi.org and files.pythonhosted.org only\n",
    project_check=foreign_host,
)
D07 = Rule(
    "D07",
    "A private address in a committed file",
    "It works on one machine and tells strangers about it.",
    "take it out; read it from the environment where it is needed.",
    'index-url = "https://packages.example.net/simple"\n',
    'index-url = "https://pypi.org/simple"\n',
    project_check=private_address,
)
D08 = Rule(
    "D08",
    "Another build backend, or one without bounds",
    "The builder's version is part of every wheel: unbounded is not reproducible.",
    'requires = ["hatchling>=1.27,<2"], build-backend = "hatchling.build".',
    'requires = ["setuptools"]\n',
    'requires = ["hatchling>=1.27,<2"]\n',
    place="pyproject.toml",
    member_check=build_backend,
)
D09 = Rule(
    "D09",
    "Another Python than the workspace's",
    "A member that asks for another Python cannot be installed beside the others.",
    'requires-python = ">=3.11".',
    'requires-python = ">=3.9"\n',
    'requires-python = ">=3.11"\n',
    place="pyproject.toml",
    member_check=python_bound,
)

RULES = (D03, D04, D05, D07, D08, D09)
