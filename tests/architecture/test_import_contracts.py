"""The contracts of .importlinter hold, and each of them breaks when its rule is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = {
    "packages-downward": (
        "packages/fsp-runtime/src/fastapi_services_platform/planted.py",
        "import skriptoteket\n",
        "Packages depend downward",
    ),
    "factory-unused": (
        "packages/au-sys-identity/src/au_sys_identity/adapters/planted.py",
        "import au_sys_python_factory\n",
        "No product imports the factory",
    ),
    "factory-apart": (
        "tooling/python-factory/src/au_sys_python_factory/planted.py",
        "import skriptoteket\n",
        "imports no product",
    ),
    "capability-layers": (
        "services/skriptoteket/src/skriptoteket/adapters/planted.py",
        "import skriptoteket.manifest.plugin\n",
        "Inside a capability",
    ),
    "capability-layers-exhaustive": (
        "services/skriptoteket/src/skriptoteket/planted/__init__.py",
        "",
        "Inside a capability",
    ),
    "pure-cores": (
        "services/skriptoteket/src/skriptoteket/core/planted.py",
        "import sqlalchemy\n",
        "A core is pure",
    ),
    "pure-cores-runtime": (
        "packages/au-sys-identity/src/au_sys_identity/core/planted.py",
        "import fastapi_services_platform\n",
        "A core is pure",
    ),
    "identity-door": (
        "services/skriptoteket/src/skriptoteket/adapters/planted.py",
        "import au_sys_identity.core.errors\n",
        "Identity is entered",
    ),
    "storage-door": (
        "services/skriptoteket/src/skriptoteket/adapters/planted.py",
        "import au_sys_storage_sdk.core.errors\n",
        "Storage is entered",
    ),
    "runtime-door": (
        "packages/au-sys-identity/src/au_sys_identity/adapters/planted.py",
        "import fastapi_services_platform.engine.app_factory\n",
        "The runtime is entered",
    ),
    "runtime-layers": (
        "packages/fsp-runtime/src/fastapi_services_platform/security/planted.py",
        "import fastapi_services_platform.engine.app_factory\n",
        "Inside the runtime",
    ),
    "acyclic-siblings": (
        "services/skriptoteket/src/skriptoteket/core/catalog/planted.py",
        "import skriptoteket.core.runs.planted\n",
        "No cycles among siblings",
    ),
}


def verdict(sources: list[Path], workspace: Path) -> subprocess.CompletedProcess[str]:
    """What lint-imports says about copies of the packages."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--config", str(workspace / ".importlinter"), "--no-cache"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources)), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        cwd=sources[0],
    )


@pytest.fixture
def copies(workspace: Path, tmp_path: Path) -> Path:
    """The sources of every package, copied to where a violation may be planted."""
    for source in sorted(workspace.glob("*/*/src")):
        shutil.copytree(
            source, tmp_path / source.relative_to(workspace), ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    return tmp_path


def test_all_contracts_are_kept(workspace: Path) -> None:
    """The tree as it stands breaks no contract."""
    found = verdict(sorted(workspace.glob("*/*/src")), workspace)
    assert (found.returncode, "0 broken" in found.stdout) == (0, True), found.stdout


@pytest.mark.parametrize("contract", sorted(PLANTED))
def test_a_planted_violation_breaks_its_contract(contract: str, copies: Path, workspace: Path) -> None:
    """One forbidden import (or folder) is enough for the contract that forbids it, by name."""
    place, line, name = PLANTED[contract]
    planted = copies / place
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f'"""Planted."""\n{line}')
    if contract == "acyclic-siblings":
        back = copies / "services/skriptoteket/src/skriptoteket/core/runs/planted.py"
        back.write_text('"""Planted."""\nimport skriptoteket.core.catalog.planted\n')
    found = verdict(sorted(copies.glob("*/*/src")), workspace)
    broken = [row for row in found.stdout.splitlines() if row.rstrip().endswith("BROKEN")]
    assert found.returncode == 1, found.stdout
    assert any(name in row for row in broken), found.stdout
