"""What is in the wheels: everything that is needed, nothing that is not, and bounds that fit each other."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from au_sys_python_factory.shell.assembly.platform_folder import find_platform
from au_sys_python_factory.wheels.building import build
from au_sys_python_factory.wheels.members import find_workspace

pytestmark = pytest.mark.needs_uv
LEFTOVER = re.compile(r"/tests/.*\.py$|\.(pyc|db|gitkeep)$")
SIX = {
    "au_sys_identity",
    "au_sys_python_factory",
    "au_sys_storage_sdk",
    "fastapi_services_platform",
    "fsp_shell_001",
    "skriptoteket",
}


@pytest.fixture(scope="module")
def wheels(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One wheel of each member, by import name; those of the shell are the ones that it runs from, built once."""
    platform = find_platform(find_workspace(workspace), None)
    shipped = platform.bill_of_materials()
    others = [member for member in platform.workspace.members if member not in shipped]
    built = [
        *build(platform.workspace, shipped, platform.packages, sdists=False).wheels,
        *build(platform.workspace, others, tmp_path_factory.mktemp("others"), sdists=False).wheels,
    ]
    return {wheel.path.name.split("-")[0]: wheel.path for wheel in built}


def names(wheel: Path) -> list[str]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def test_there_is_one_wheel_for_each_member(wheels: dict[str, Path]) -> None:
    """Six members, six wheels (and one more for each capability that the workspace gained)."""
    assert set(wheels) >= SIX


def test_no_wheel_holds_tests_or_leftovers(wheels: dict[str, Path]) -> None:
    """Tests, caches and databases stay at home."""
    for name, wheel in wheels.items():
        wrong = [file for file in names(wheel) if LEFTOVER.search(f"/{file}")]
        assert (name, wrong) == (name, [])


def test_pages_scripts_and_gauntlet_rows_travel_with_their_capability(wheels: dict[str, Path]) -> None:
    """Templates, static files, the runner, the script bank and the gauntlet rows are package data."""
    found = {name: names(wheel) for name, wheel in wheels.items()}
    assert any(file.endswith("frame.html") for file in found["fastapi_services_platform"])
    assert any("/gauntlet/" in file and file.endswith(".toml") for file in found["au_sys_identity"])
    assert any("/gauntlet/" in file and file.endswith(".toml") for file in found["au_sys_storage_sdk"])
    assert "skriptoteket/runner/entrypoint.py" in found["skriptoteket"]
    assert "skriptoteket/script_bank/guardian_emails/script.py" in found["skriptoteket"]
    assert [file for file in found["fsp_shell_001"] if ".dist-info/" not in file] == []


def test_the_wheels_resolve_against_each_other(wheels: dict[str, Path], tmp_path: Path) -> None:
    """Only resolving the built wheels shows a bound that excludes a sibling."""
    wanted = tmp_path / "wanted.in"
    wanted.write_text(
        "".join(f"{wheel.name.split('-')[0].replace('_', '-')} @ {wheel.as_uri()}\n" for wheel in wheels.values())
    )
    command = ["uv", "pip", "compile", "--quiet", "--python-version", "3.11", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
