"""A package's sources: formatted, within the layers, typed, tested; each by the tool that the workspace uses."""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from au_sys_python_factory.checks.catalog import RULES
from au_sys_python_factory.checks.engine import run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.errors import FINDINGS, FactoryError
from au_sys_python_factory.wheels.uv import clean_environment
from au_sys_python_factory.workspace.members import Member, Workspace

_KEPT_TYPES = ".mypy_cache"
_SHOWN = 40
_UNUSED_PLUGINS = (
    "schemathesis",
    "hypothesispytest",
    "xdist",
    "xdist.looponfail",
    "anyio",
    "playwright",
    "cacheprovider",
)
"""Plugins that take longer to import than the tests of a new package to run, and that none of them uses."""
_RULES = tuple(rule for rule in RULES if rule.id != "D06")
"""Siblings are not read, which D06 would need; `uv sync --locked` is a part of its own and says the same."""


class PartFailed(FactoryError):
    """A tool was not content; the end of what it wrote follows."""

    exit_code = FINDINGS


def lint(member: Member) -> str:
    """Format and lint as ruff sees them.

    Raises:
        PartFailed: what ruff asks for.
    """
    _python(member.root, "ruff", "check", "--quiet", "--output-format", "concise", member.relative)
    _python(member.root, "ruff", "format", "--check", member.relative)
    return "formatted, nothing to lint"


def layers(member: Member) -> str:
    """The house rules over the package alone, and the workspace's contracts where it has some.

    Raises:
        PartFailed: the findings.
    """
    gc.disable()  # as `check` does: syntax trees hold no circles
    try:
        report = run(read_project(Workspace(member.root, (member,))), _RULES)
    finally:
        gc.enable()
    own = f"{member.relative}/"
    found = [item for item in report.findings if item.severity == "error" and item.path.startswith(own)]
    if found:
        lines = "\n".join(f"{item.path}:{item.line}: {item.rule} {item.message}" for item in found[:_SHOWN])
        raise PartFailed(lines, fix=f"python-factory explain {found[0].rule}")
    if not (member.root / ".importlinter").is_file():
        return "within the rules"
    said = _tool(member.root, [str(_beside_python("lint-imports"))])
    kept = re.search(r"Contracts: (\d+) kept", said)
    return "within the rules" + (f", {kept[1]} contracts kept" if kept else "")


def types(member: Member) -> str:
    """mypy, strict as the workspace asks, with what it remembers of the libraries.

    Raises:
        PartFailed: what mypy says.
    """
    places = [str(member.path / name) for name in ("src", "tests") if (member.path / name).is_dir()]
    options = ["--config-file", str(member.root / "pyproject.toml"), "--cache-dir", str(member.root / _KEPT_TYPES)]
    said = _python(
        member.path, "mypy", *options, *places, extra={"MYPYPATH": os.pathsep.join([*places, str(member.root)])}
    )
    number = re.search(r"(\d+) source files", said)
    return f"strict, {number[1]} files" if number else "strict"


def tests(member: Member) -> str:
    """The package's own tests: units, HTTP, contracts.

    Raises:
        PartFailed: the end of what pytest wrote.
    """
    without = [word for name in _UNUSED_PLUGINS for word in ("-p", f"no:{name}")]
    said = _python(member.root, "pytest", "--quiet", "--no-header", *without, f"{member.relative}/tests")
    passed = re.search(r"(\d+) passed", said)
    return f"{passed[1]} passed" if passed else "no test"


def _python(folder: Path, module: str, *arguments: str, extra: Mapping[str, str] | None = None) -> str:
    return _tool(folder, [sys.executable, "-m", module, *arguments], extra)


def _tool(folder: Path, command: Sequence[str], extra: Mapping[str, str] | None = None) -> str:
    environment = {**clean_environment(), **(extra or {})}
    done = subprocess.run(  # noqa: S603 - tools of the workspace, with words of our own
        list(command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        shown = " ".join(Path(command[0]).name if at == 0 else word for at, word in enumerate(command))
        raise PartFailed("\n".join(said[-_SHOWN:]) or f"exit {done.returncode}", fix=f"run it again alone: {shown}")
    return done.stdout


def _beside_python(script: str) -> Path | str:
    beside = Path(sys.executable).with_name(script)
    return beside if beside.is_file() else shutil.which(script) or script
