"""The plan of ``check --fix``: what the linter and the formatter would change, and files that only have to be there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from au_sys_python_factory.checks.rule import Finding
from au_sys_python_factory.errors import Missing
from au_sys_python_factory.plan.model import Operation, Plan, write
from au_sys_python_factory.workspace.members import Workspace
from au_sys_python_factory.workspace.trees import files_of

TYPED = "L10"
"""The rule that asks for ``py.typed``."""
FIXABLE = frozenset({TYPED})
"""Rules whose findings ``--fix`` mends itself; what is left of ruff's own it mends as ruff does."""
_CONFIGURATIONS = ("pyproject.toml", "ruff.toml", ".ruff.toml")


def plan_fix(workspace: Workspace, wanted: Iterable[str], findings: Sequence[Finding]) -> Plan:
    """Python files below ``wanted`` (paths from the root; all members when empty) as ruff would have them.

    Raises:
        Missing: ruff does not answer.
    """
    paths = _python_files(workspace, list(wanted))
    operations: list[Operation] = []
    with TemporaryDirectory(prefix="python-factory-fix-") as folder:
        copy = Path(folder)
        for name in (*_CONFIGURATIONS, *paths):
            if (workspace.root / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(workspace.root / name, copy / name)
        _ruff(copy, workspace)
        operations += [write(workspace.root, path, (copy / path).read_bytes(), "as ruff has it") for path in paths]
    typed = {item.path for item in findings if item.rule == TYPED}
    for path in sorted(_markers(workspace, typed)):
        operations.append(write(workspace.root, path, b"", "says that the package is typed"))
    return Plan("check --fix", tuple(operations))


def _python_files(workspace: Workspace, wanted: Sequence[str]) -> list[str]:
    found: list[str] = []
    for place in wanted or [member.relative for member in workspace.members]:
        whole = workspace.root / place
        found += [place] if whole.is_file() else files_of(whole, workspace.root)
    return sorted({path for path in found if path.endswith(".py") and "/templates/" not in path})


def _markers(workspace: Workspace, paths: set[str]) -> set[str]:
    """Where ``py.typed`` is missing, by the members that findings name."""
    members = [member for member in workspace.members if member.source is not None]
    named = [item for item in members if any(f"{path}/".startswith(f"{item.relative}/") for path in paths)]
    return {(member.source / "py.typed").relative_to(workspace.root).as_posix() for member in named if member.source}


def _ruff(folder: Path, workspace: Workspace) -> None:
    own = f"lint.isort.known-first-party={json.dumps(sorted(workspace.by_import_name))}"
    for words in (["check", "--fix", "--exit-zero", "--config", own], ["format"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "--quiet", "--force-exclude", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        if done.returncode:
            raise Missing(f"ruff failed: {done.stderr.strip() or done.stdout.strip()}", fix="uv sync")
