"""Write one release into the files of its member."""

from __future__ import annotations

import re
from pathlib import Path

import tomlkit

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.wheels.release.applying.changelog import with_section
from au_sys_python_factory.wheels.release.planning.members import FLOOR
from au_sys_python_factory.wheels.release.planning.plan import Release, Rewrite

_VERSION = re.compile(r'(?m)^version = "[^"]*"$')


def write_release(root: Path, release: Release, day: str) -> None:
    """Version, bounds and change log; the fragments are used up."""
    folder = root / release.folder
    pyproject = folder / "pyproject.toml"
    text = _VERSION.sub(f'version = "{release.version}"', pyproject.read_text("utf-8"), count=1)
    for rewrite in release.rewrites:
        text = _rewritten(text, rewrite)
    if tomlkit.parse(text).unwrap()["project"]["version"] != release.version:
        raise Refused('no line of the form version = "…" below [project]', where=str(pyproject), fix="write one")
    pyproject.write_text(text, "utf-8")
    log = folder / "CHANGELOG.md"
    log.write_text(with_section(log.read_text("utf-8") if log.is_file() else "", release, day), "utf-8")
    for fragment in release.fragments:
        (folder / "changes" / fragment.path.name).unlink()


def _rewritten(text: str, rewrite: Rewrite) -> str:
    line = re.compile(rf'"{re.escape(rewrite.before)}"(,?)(?:[ \t]*#[ \t]*{FLOOR})?')
    return line.sub(f'"{rewrite.after}"\\1', text)
