"""Where rows come from: the wheels installed in a shell, or the sources of a workspace, and the platform's own."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from au_sys_python_factory.gauntlet.rows import STAGES, Row, read_folder
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder

GROUP = "au_sys_plugins"
PLATFORM = "platform"


def rows_of_environment(venv: Path) -> list[Row]:
    """Rows shipped by the installed capabilities.

    Raises:
        UsageError: a row is not in the form.
    """
    rows: list[Row] = []
    for site in sorted(venv.glob("lib/python*/site-packages")):
        for name, package in sorted(_installed(site)):
            rows += read_folder(site / package / "gauntlet", name)
    return rows


def rows_of_sources(platform: PlatformFolder) -> list[Row]:
    """Rows in the sources of the platform's members; for a remote system, and to check them while they are written.

    Raises:
        UsageError: a row is not in the form.
    """
    rows: list[Row] = []
    for member in platform.bill_of_materials():
        document = tomllib.loads((member.folder / "pyproject.toml").read_text("utf-8"))
        for name, target in document["project"].get("entry-points", {}).get(GROUP, {}).items():
            rows += read_folder(member.folder / "src" / _package(target) / "gauntlet", name)
    return rows


def rows_of_platform(platform: PlatformFolder) -> list[Row]:
    """Rows that cross capabilities.

    Raises:
        UsageError: a row is not in the form.
    """
    return read_folder(platform.gauntlet, PLATFORM)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Stage by stage; within a stage the platform's own rows come last."""
    return sorted(rows, key=lambda row: (STAGES.index(row.stage), row.owner == PLATFORM))


def _installed(site: Path) -> set[tuple[str, str]]:
    found = set()
    for path in site.glob("*.dist-info/entry_points.txt"):
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        parser.read_string(path.read_text("utf-8"))
        if parser.has_section(GROUP):
            found |= {(name, _package(target)) for name, target in parser.items(GROUP)}
    return found


def _package(target: str) -> str:
    return target.partition(":")[0].partition(".")[0]


def without(rows: Sequence[Row], unwanted: Callable[[Row], bool]) -> list[Row]:
    """The rows that are wanted, and need none that is not; in the same order."""
    gone = {(row.owner, row.folder, row.name) for row in rows if unwanted(row)}
    before = 0
    while before != len(gone):
        before = len(gone)
        gone |= {
            (row.owner, row.folder, row.name)
            for row in rows
            if any((row.owner, row.folder, name) in gone for name in row.needs)
        }
    return [row for row in rows if (row.owner, row.folder, row.name) not in gone]
