"""Build what changed, keep what did not, prove the wheels together."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from au_sys_python_factory.cli import main
from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.wheels.building import build, read_built, write_sums
from au_sys_python_factory.wheels.cli import prove
from au_sys_python_factory.wheels.environment import make_environment
from au_sys_python_factory.wheels.members import Workspace, find_workspace
from au_sys_python_factory.wheels.resolving import clashes
from au_sys_python_factory.wheels.twice import prove_reproducible

pytestmark = pytest.mark.needs_uv
SOURCE = Path(__file__).resolve().parents[1] / "tiny_workspace"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A tiny workspace that a test may change."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    shutil.copytree(SOURCE, tmp_path / "workspace")
    return find_workspace(tmp_path / "workspace" / "packages" / "tiny-runtime" / "src")


def test_a_second_build_reuses_and_a_change_rebuilds_one(workspace: Workspace) -> None:
    """Only the member whose content changed is built again."""
    out = workspace.root / "dist"
    first = build(workspace, workspace.members, out, sdists=True)
    second = build(workspace, workspace.members, out, sdists=True)
    assert [second.rebuilt, first.rebuilt] == [(), ("tiny-runtime", "tiny-shell")]
    assert second.files == first.files
    (workspace.member("tiny-runtime").folder / "src/tiny_runtime/more.py").write_text('"""More."""\n')
    third = build(workspace, workspace.members, out, sdists=True)
    assert third.rebuilt == ("tiny-runtime",)


def test_a_test_does_not_change_a_wheel(workspace: Workspace) -> None:
    """Without sdists, what a wheel never holds does not matter."""
    out = workspace.root / "packages-out"
    build(workspace, workspace.members, out, sdists=False)
    tests = workspace.member("tiny-runtime").folder / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text("")
    assert build(workspace, workspace.members, out, sdists=False).rebuilt == ()


def test_a_file_that_was_tampered_with_is_built_again_or_refused(workspace: Workspace) -> None:
    """A build repairs it; reading without building names it."""
    out = workspace.root / "dist"
    wheel = build(workspace, workspace.members, out, sdists=False).wheels[0]
    wheel.path.write_bytes(b"something else")
    with pytest.raises(FactoryError, match=r"not the file that was built for tiny-runtime 1\.0\.0"):
        read_built(out)
    assert build(workspace, workspace.members, out, sdists=False).rebuilt == ("tiny-runtime",)


def test_an_old_version_does_not_stay(workspace: Workspace) -> None:
    """After a new version the old wheel is gone; a stranger's file is left alone."""
    out = workspace.root / "dist"
    build(workspace, workspace.members, out, sdists=False)
    (out / "notes.txt").write_text("mine")
    pyproject = workspace.member("tiny-runtime").folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('version = "1.0.0"', 'version = "1.1.0"'))
    fresh = find_workspace(workspace.root)
    build(fresh, fresh.members, out, sdists=False)
    assert [path.name for path in out.glob("tiny_runtime*")] == ["tiny_runtime-1.1.0-py3-none-any.whl"]
    assert (out / "notes.txt").is_file()


def test_the_sums_are_those_of_the_files(workspace: Workspace) -> None:
    """``sha256sum --check`` accepts them."""
    built = build(workspace, workspace.members, workspace.root / "dist", sdists=True)
    sums = write_sums(workspace.root / "dist", built)
    expected = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sums.parent.glob("tiny*")}
    assert expected == {line.split()[1]: line.split()[0] for line in sums.read_text().splitlines()}
    assert len(expected) == 4


def test_two_builds_on_two_paths_are_equal(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder, umask, time and time zone give the same bytes."""
    other = tmp_path / "elsewhere"
    subprocess.run(["bash", "-c", f"umask 077; cp -r {SOURCE} {other}"], check=True)
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    twin = find_workspace(other)
    monkeypatch.setenv("TZ", "America/St_Johns")
    first = build(workspace, workspace.members, tmp_path / "one", sdists=True)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    second = build(twin, twin.members, tmp_path / "two", sdists=True)
    assert [file.sha256 for file in first.files] == [file.sha256 for file in second.files]


def test_a_build_that_takes_its_path_in_is_caught(workspace: Workspace) -> None:
    """The second build, elsewhere, is compared with the first; a difference is named."""
    good = build(workspace, workspace.members, workspace.root / "dist", sdists=True)
    assert prove_reproducible(workspace, good) == 4
    assert prove_reproducible(workspace, build(workspace, workspace.members, workspace.root / "dist", sdists=True)) == 0
    hook = workspace.member("tiny-runtime").folder / "hatch_build.py"
    hook.write_text(
        "from pathlib import Path\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        Path(self.root, 'src/tiny_runtime/where.py').write_text(f'# {self.root}')\n"
    )
    pyproject = workspace.member("tiny-runtime").folder / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text() + '[tool.hatch.build.targets.wheel.hooks.custom]\npath = "hatch_build.py"\n'
    )
    bad = build(workspace, workspace.members, workspace.root / "dist", sdists=True)
    with pytest.raises(FactoryError, match=r"these files differ: tiny_runtime-1\.0\.0-py3-none-any\.whl"):
        prove_reproducible(workspace, bad)


def test_a_bound_that_excludes_a_sibling_is_found_three_times(workspace: Workspace, tmp_path: Path) -> None:
    """uv installs members whatever their bounds say; the rules, the wheels and a clean environment tell, each alone."""
    pyproject = workspace.member("tiny-shell").folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("tiny-runtime>=1,<2", "tiny-runtime>=2,<3"))
    with contextlib.chdir(workspace.root):
        checked = CliRunner().invoke(main, ["check", "--only", "D04", "--quiet"])
    assert (checked.exit_code, "platforms/tiny_shell/pyproject.toml" in checked.output) == (1, True)
    built = build(workspace, workspace.members, workspace.root / "dist", sdists=False)
    (clash,) = clashes(built.wheels)
    assert clash.sentence == "tiny_shell-1.0.0-py3-none-any.whl needs tiny-runtime<3,>=2, but 1.0.0 is built"
    with pytest.raises(FactoryError, match="the wheels do not fit each other"):
        prove(workspace, built)
    with pytest.raises(FactoryError, match=r"(?s)uv pip check.*tiny-shell.*tiny-runtime"):
        make_environment(tmp_path / "venv", root=workspace.root, requirements="", wheels=built.wheels)
    assert not (tmp_path / "venv").exists()


def test_the_proof_starts_every_console_script(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """A clean environment from the wheels, and an answer of each script."""
    prove(workspace, build(workspace, workspace.members, workspace.root / "dist", sdists=False))
    out = capsys.readouterr().out
    assert "the wheels resolve against each other" in out
    assert "  fsp: fsp 1.0.0" in out
    assert "  tiny-worker: tiny-worker 1.0.0" in out


def test_a_silent_console_script_fails_the_proof(workspace: Workspace) -> None:
    """A script that cannot even be imported is named."""
    (workspace.member("tiny-runtime").folder / "src/tiny_runtime/cli.py").write_text("import nothing_such\n")
    built = build(workspace, workspace.members, workspace.root / "dist", sdists=False)
    with pytest.raises(FactoryError, match="au-sys-identity, fsp, tiny-worker"):
        prove(workspace, built)


def test_a_foreign_index_in_the_environment_is_not_asked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that name another index, or another environment, have no effect on what is built and installed."""
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    before = (workspace.root / "uv.lock").read_bytes()
    prove(workspace, build(workspace, workspace.members, workspace.root / "dist", sdists=False))
    assert (workspace.root / "uv.lock").read_bytes() == before
