"""Ghosts and dead weight: imports without a declaration, declarations without an import."""

import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.workspace.members import Member
from au_sys_python_factory.workspace.requirements import canonical, requirement_name
from au_sys_python_factory.workspace.tables import strings, table

_LOADED_BY_NAME = {
    "aiosqlite", "asyncpg", "email-validator", "greenlet", "httptools", "psycopg", "python-multipart",
    "ruff", "tzdata", "uvicorn", "uvloop", "websockets",
}  # fmt: skip
"""Drivers and plugins that another library finds by name; nothing imports them."""

_KNOWN_AS = {
    "argon2": "argon2-cffi", "casbin": "pycasbin", "griffe": "griffelib", "key_value": "py-key-value-aio",
    "markdown_it": "markdown-it-py", "openfeature": "openfeature-sdk", "opentelemetry": "opentelemetry-sdk",
    "bson": "pymongo", "gridfs": "pymongo", "PIL": "pillow", "bs4": "beautifulsoup4", "cv2": "opencv-python",
    "dateutil": "python-dateutil", "dotenv": "python-dotenv", "jose": "python-jose", "jwt": "pyjwt",
    "magic": "python-magic", "multipart": "python-multipart", "OpenSSL": "pyopenssl", "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn", "slugify": "python-slugify", "yaml": "pyyaml", "zmq": "pyzmq",
}  # fmt: skip
"""Distributions that are called otherwise than what they give: installed ones need not be asked, others cannot."""

_TEST_TOOLS = {"pytest", "blockbuster", "httpx", "hypothesis", "pycasbin"}
_TESTING_FOLDERS = {"testing", "conformance"}


@cache
def installed() -> dict[str, frozenset[str]]:
    """Which distributions give which import name, read from metadata only."""
    return {name: frozenset(canonical(dist) for dist in dists) for name, dists in packages_distributions().items()}


def declared(member: Member) -> set[str]:
    """Every distribution that a member asks for, extras included."""
    return {requirement_name(line) for line in (*member.dependencies, *member.optional_dependencies)} | {
        canonical(member.dist)
    }


def providers(name: str, member: MemberFiles) -> set[str]:
    """The distributions that could give an import name; the name itself where it is not installed."""
    sibling = member.project.workspace.by_import_name.get(name)
    if sibling:
        return {canonical(sibling.dist)}
    return given_by(name)


def given_by(name: str) -> set[str]:
    """The distributions that give an import name here, else the one that is known for it."""
    return set(installed().get(name, frozenset({_KNOWN_AS.get(name, canonical(name))})))


def ghost(member: MemberFiles) -> Iterator[Hit]:
    """Imports of distributions that the member does not declare."""
    mine, for_developers = declared(member.member), development(member)
    for file in member.source:
        for item in file.imports:
            root = item.module.split(".")[0]
            if (
                root in sys.stdlib_module_names
                or root == member.member.import_name
                or root in ("", "__future__", "src")
            ):
                continue
            in_tests = bool(_TESTING_FOLDERS & set(file.inner))
            if _spelled(root) & (mine | _TEST_TOOLS if in_tests else mine):
                continue
            if "import-not-found" in file.comment_lines.get(item.node.lineno, ""):
                continue
            possible = providers(root, member)
            testing = in_tests and bool(possible & _TEST_TOOLS)
            if not possible & mine and not testing and not possible & for_developers:
                yield Hit(
                    item.node.lineno, item.node.col_offset + 1, f"{root} comes from {_named(possible)}", file.path
                )


def _spelled(root: str) -> set[str]:
    """How the distribution of an import name is usually called; installed ones are asked only where that is not so."""
    return {canonical(root), _KNOWN_AS.get(root, canonical(root))}


def development(member: MemberFiles) -> set[str]:
    """Distributions that only developers have: the dependency groups of the member and of the workspace."""
    found: set[str] = set()
    for document in (member.member.pyproject, member.project.workspace.settings):
        groups = table(document, "dependency-groups")
        found |= {requirement_name(line) for lines in groups.values() for line in strings(lines)}
    siblings = {canonical(other.dist) for other in member.project.workspace.members}
    return found - {""} - siblings - declared(member.member)


def for_development(member: MemberFiles) -> Iterator[Hit]:
    """Imports of what only developers have, in product code."""
    tools = development(member)
    for file in member.source if tools else ():
        if _TESTING_FOLDERS & set(file.inner):
            continue
        for item in file.imports:
            root = item.module.split(".")[0]
            if root in sys.stdlib_module_names or root == member.member.import_name or item.typing_only:
                continue
            if not _spelled(root) & tools:
                continue
            met = providers(root, member)
            if met & tools and not met & declared(member.member):
                yield Hit(
                    item.node.lineno, item.node.col_offset + 1, f"{root} is installed for developers only", file.path
                )


def _named(possible: set[str]) -> str:
    return f"{', '.join(sorted(possible))}, which pyproject.toml does not declare"


def unused(member: MemberFiles) -> Iterator[Hit]:
    """Declared distributions that no module imports."""
    if member.member.role == "platform" or not member.source:
        return
    files = [file for file in member.files if file.area != "tests"]
    roots = {item.module.split(".")[0] for file in files for item in file.imports}
    spelled = {name for root in roots for name in _spelled(root)} | _LOADED_BY_NAME
    doubtful = {line: requirement_name(line) for line in member.member.dependencies}
    doubtful = {line: name for line, name in doubtful.items() if name not in spelled}
    used = {dist for root in roots for dist in providers(root, member)} if doubtful else set()
    for line, name in doubtful.items():
        if name not in used:
            path = member.member.path / "pyproject.toml"
            yield Hit(line_of(path, line), 1, f"{name} is declared and never imported", path)


def line_of(path: Path, text: str) -> int:
    """The line of a file on which a text stands first; 1 where it does not."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text in line:
            return number
    return 1


D01 = Rule(
    "D01",
    "A ghost dependency",
    "It works only as long as somebody else happens to install it.",
    "declare the distribution with bounds in the member's own pyproject.toml.",
    "import click\n",
    "import decimal\n",
    member_check=ghost,
)
D02 = Rule(
    "D02",
    "A declared dependency is not used",
    "It is installed, updated and audited for nothing.",
    "delete the line from pyproject.toml.",
    "a dependency that no module imports\n",
    "one that is imported\n",
    member_check=unused,
)
D10 = Rule(
    "D10",
    "A tool of developers in product code",
    "It is there on every developer's machine and on no server.",
    "move the code into the tests, or declare the distribution with bounds in the member's own pyproject.toml.",
    "import pytest\n",
    "import decimal\n",
    member_check=for_development,
)

RULES = (D01, D02, D10)
