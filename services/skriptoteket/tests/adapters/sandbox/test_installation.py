"""The sandbox works wherever the platform is installed, and reads nothing of the place but what a script needs."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox import bubblewrap, view, zygote, zygote_process
from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.models import OutcomeCode

pytestmark = pytest.mark.needs_bwrap


@pytest.fixture
def below_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation in a folder below /tmp that only its owner may enter."""
    folder = tmp_path / "venv"
    shutil.copytree(view.runner_folder(), folder / "runner")
    inside = folder / "skriptoteket" / "adapters" / "sandbox" / "inside"
    shutil.copytree(zygote_process.INSIDE, inside)
    folder.chmod(0o700)
    real = view.interpreter_view()
    moved = tuple(
        dataclasses.replace(bind, source=str(folder / "runner")) if bind.target == view.RUNNER_AT else bind
        for bind in real.binds
    )
    for module in (bubblewrap, zygote, zygote_process):
        monkeypatch.setattr(module, "interpreter_view", lambda _=None: dataclasses.replace(real, binds=moved))
    for module in (zygote, zygote_process):
        monkeypatch.setattr(module, "INSIDE", inside)
    return folder


@pytest.mark.parametrize("runner", ["bubblewrap", "zygote"])
async def test_an_installation_below_tmp_works(below_tmp: Path, tmp_path: Path, runner: str) -> None:
    """Though the sandbox covers /tmp and has another user, code that lies below /tmp in a private folder is found."""
    sandbox = BubblewrapSandbox(tmp_path) if runner == "bubblewrap" else ZygoteSandbox(tmp_path)
    try:
        played = await play(sandbox, script_of("return '<p>found</p>'"))
    finally:
        await sandbox.close()

    assert played.code is OutcomeCode.OK, played


@pytest.mark.parametrize("runner", ["bubblewrap", "zygote"])
async def test_packages_of_an_environment_can_be_imported(tmp_path: Path, runner: str) -> None:
    """A package in the environment's folder is importable and read-only; the worker's own packages are not there."""
    packages = tmp_path / "environment"
    packages.mkdir()
    (packages / "greeting.py").write_text("text = 'hello'\n")
    tmp_path.chmod(0o755)
    script = script_of(
        "import greeting, importlib.util\n"
        "assert importlib.util.find_spec('sqlalchemy') is None\n"
        "try: open(greeting.__file__, 'a')\n"
        "except OSError: return greeting.text"
    )
    if runner == "bubblewrap":
        sandbox: BubblewrapSandbox | ZygoteSandbox = BubblewrapSandbox(tmp_path, packages=packages)
    else:
        sandbox = ZygoteSandbox(tmp_path, packages=packages)
    try:
        played = await play(sandbox, script)
    finally:
        await sandbox.close()

    assert played.code is OutcomeCode.OK, played
    assert played.answer is not None
    assert played.answer.outputs[0]["html"] == "hello"
