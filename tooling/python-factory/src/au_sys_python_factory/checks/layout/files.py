"""Which files and folders must be there, and which may not."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_FORBIDDEN = {"util", "utils", "helper", "helpers", "common", "misc", "base", "manager", "managers", "shared"}
_EVERY_MEMBER = ("README.md", "pyproject.toml")
_WITH_CODE = ("changes",)
_TRI_LAYER = (
    "__init__.py", "core/__init__.py", "core/errors.py", "adapters/__init__.py", "manifest/__init__.py",
    "manifest/config.py", "manifest/container.py", "manifest/plugin.py",
)  # fmt: skip
_MOST_ENTRIES = 15


def required(member: MemberFiles) -> Iterator[Hit]:
    """Files that a member of this role has to have."""
    here = member.member
    project = here.path / "pyproject.toml"
    wanted = [here.path / name for name in (*_EVERY_MEMBER, *(_WITH_CODE if here.source else ()))]
    if here.tri_layer and here.source:
        wanted += [here.source / name for name in _TRI_LAYER] + [here.path / "tests"]
    if here.source:
        folders = {file.path.parent for file in member.source}
        wanted += [folder / "__init__.py" for folder in sorted(folders) if folder.name != "versions"]
    for path in dict.fromkeys(wanted):
        if not path.exists():
            yield Hit(1, 1, f"{path.relative_to(here.path).as_posix()} is missing", project)


def forbidden_name(file: SourceFile) -> Iterator[Hit]:
    """Files and folders whose name says nothing."""
    for part in file.inner:
        stem = part.removesuffix(".py")
        if stem in _FORBIDDEN or ((words := re.split("_", stem))[-1] in _FORBIDDEN - {"base"} and len(words) > 1):
            yield Hit(1, 1, f"{part} says nothing about its subject", file.path)


def typed_marker(member: MemberFiles) -> Iterator[Hit]:
    """The marker that makes type checkers read the package."""
    if member.member.source and not (member.member.source / "py.typed").is_file():
        yield Hit(1, 1, f"{member.member.import_name}/py.typed is missing", member.member.path / "pyproject.toml")


def crowded(member: MemberFiles) -> Iterator[Hit]:
    """Folders with too many Python entries."""
    entries: dict[Path, set[str]] = defaultdict(set)
    for file in member.source:
        top = member.member.source
        for folder in file.path.parents:
            if top is None or not folder.is_relative_to(top):
                break
            entries[folder].add(file.path.relative_to(folder).parts[0])
    for folder, names in sorted(entries.items()):
        if len(names - {"__init__.py"}) > _MOST_ENTRIES and folder.name != "versions":
            yield Hit(
                1, 1, f"{folder.name}/ has {len(names)} entries (at most {_MOST_ENTRIES})", folder / "__init__.py"
            )


L01 = Rule(
    "L01",
    "A required file is missing",
    "Every package has the same rooms, so that nobody has to search.",
    "create the file (`python-factory new` shows what belongs into it).",
    "a package without core/errors.py\n",
    "a package with it\n",
    member_check=required,
)
L02 = Rule(
    "L02",
    "A name that says nothing",
    "What has no subject collects everything: such files grow and are imported by all.",
    "name it for its subject: the noun it holds or the verb it does.",
    '"""Planted."""\n',
    '"""Planted."""\n',
    place="src/{package}/core/helpers.py",
    areas=("source", "tests"),
    file_check=forbidden_name,
)
L06 = Rule(
    "L06",
    "A folder is too full",
    "More than fifteen entries cannot be taken in at a glance.",
    "split it by subject into two folders.",
    "sixteen modules in one folder\n",
    "two folders of eight\n",
    member_check=crowded,
)
L10 = Rule(
    "L10",
    "py.typed is missing",
    "Without the marker a type checker treats every name of the package as Any.",
    "create an empty py.typed beside the package's __init__.py.",
    "a package without py.typed\n",
    "a package with it\n",
    member_check=typed_marker,
)

RULES = (L01, L02, L06, L10)
