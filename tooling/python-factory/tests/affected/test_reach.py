"""What a change reaches is never less than what imports it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from au_sys_python_factory.affected.reach import reach
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.workspace.members import find_workspace

Factory = Callable[..., Result]
NOTES = "packages/au-sys-notes"
SOURCE = f"{NOTES}/src/au_sys_notes"


def reached(root: Path, *changed: str) -> set[str]:
    """Test files below the package that a change reaches."""
    found = reach(read_project(find_workspace(root)), set(changed))
    return {path.removeprefix(f"{NOTES}/tests/") for path in found.tests if path.startswith(NOTES)}


def test_a_verb_reaches_its_tests_and_those_of_its_users_only(furnished: Path) -> None:
    """Removing is used by routes and pages; the tests of other verbs are not concerned."""
    found = reached(furnished, f"{SOURCE}/core/notes/removing.py")
    assert {"core/notes/test_removing.py", "adapters/api/test_router.py", "manifest/test_plugin.py"} <= found
    assert "core/notes/test_listing.py" not in found


def test_a_model_reaches_everything_that_knows_it(furnished: Path) -> None:
    """Values are imported by every layer."""
    everything = {str(path.relative_to(furnished / NOTES / "tests")) for path in (furnished / NOTES).rglob("test_*.py")}
    found = reached(furnished, f"{SOURCE}/core/notes/models.py")
    assert everything - found <= {"adapters/api/test_problems.py", "adapters/api/test_preconditions.py"}


@pytest.mark.parametrize(
    "path", ["pyproject.toml", "src/au_sys_notes/adapters/web/templates/list.html", ".env.example"]
)
def test_what_imports_cannot_show_takes_the_whole_package(path: str, furnished: Path) -> None:
    """Every test of the package is listed."""
    everything = {
        str(found.relative_to(furnished / NOTES / "tests")) for found in (furnished / NOTES).rglob("test_*.py")
    }
    assert everything == reached(furnished, f"{NOTES}/{path}")


def test_a_conftest_reaches_the_tests_below_it(furnished: Path) -> None:
    """And no others."""
    found = reached(furnished, f"{NOTES}/tests/conformance/conftest.py")
    assert found == {"conformance/test_note_store.py"}


def test_a_root_file_takes_everything_and_prose_nothing(furnished: Path) -> None:
    """The lock concerns everybody, a README nobody."""
    assert reached(furnished, "uv.lock")
    assert reached(furnished, f"{NOTES}/README.md", "README.md") == set()


def test_the_platform_is_affected_by_what_it_wires(furnished: Path) -> None:
    """Its bill of materials names the package."""
    found = reach(read_project(find_workspace(furnished)), {f"{SOURCE}/core/errors.py"})
    assert found.packages == ("au-sys-notes", "fsp-shell-001")


def test_git_says_what_changed(factory: Factory, bare: Path) -> None:
    """Committed, unstaged and untracked files count; an unknown commit is exit 2."""
    git = ["git", "-C", str(bare), "-c", "user.email=a@example.net", "-c", "user.name=a"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    engine = bare / "packages/fsp-runtime/src/fastapi_services_platform/engine"
    (engine / "fresh.py").write_text('"""Fresh."""\n')
    shown = factory("affected", "--since", "HEAD", "--modules")
    assert (shown.exit_code, "engine/fresh.py" in shown.output) == (0, True)
    assert factory("affected", "--since", "nowhere").exit_code == 2


def test_without_a_repository_nothing_is_claimed(factory: Factory) -> None:
    """Exit 5, never a silent list of nothing."""
    assert factory("affected", "--since", "HEAD").exit_code == 5
