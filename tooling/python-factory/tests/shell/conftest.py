"""A tiny workspace of its own, and a state folder in which nothing is left running."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder, find_platform
from au_sys_python_factory.shell.down import down
from au_sys_python_factory.shell.overview import Overview
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.up import Wish, up
from au_sys_python_factory.wheels.members import find_workspace

SOURCE = Path(__file__).resolve().parents[1] / "tiny_workspace"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> PlatformFolder:
    """The platform of the tiny workspace."""
    root = tmp_path_factory.mktemp("tiny") / "workspace"
    shutil.copytree(SOURCE, root)
    return find_platform(find_workspace(root), None)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateFolder]:
    """A state folder; what runs in it at the end is stopped."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    folder = StateFolder(tmp_path / "shell")
    yield folder
    down(folder)


@pytest.fixture
def start(tiny: PlatformFolder, state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Overview]:
    """Start the tiny shell detached, misbehaving as ``mode`` says; gives back what it shows."""

    def start_tiny(mode: str = "", **wishes: object) -> Overview:
        monkeypatch.setenv("TINY_MODE", mode)
        shown: list[Overview] = []
        wish = Wish(**{"port": free_port(), "detach": True, "ready_seconds": 15.0, **wishes})  # type: ignore[arg-type]  # as given
        up(tiny, state, wish, Progress(quiet=True), shown.append)
        return shown[0]

    return start_tiny
