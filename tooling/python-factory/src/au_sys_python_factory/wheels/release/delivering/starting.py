"""Start each platform of the workspace from exactly the built wheels, verify it, and stop it: part of the gate."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from au_sys_python_factory.errors import FINDINGS, FactoryError
from au_sys_python_factory.wheels.building import BuiltFile
from au_sys_python_factory.wheels.members import Workspace

_START_SECONDS = 300.0


class DoesNotRun(FactoryError):
    """The wheels can be installed together, and are not the platform that they promise."""

    exit_code = FINDINGS


def start_and_verify(workspace: Workspace, files: Sequence[BuiltFile]) -> tuple[str, ...]:
    """Names of the platforms that ran. The shell is called as operators call it: it builds upon this package.

    Raises:
        DoesNotRun: one does not start, runs other wheels, or differs from what is declared.
    """
    names = tuple(member.folder.name for member in workspace.members if member.folder.parent.name == "platforms")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="fsp-gate-") as folder:
            place = ("--workspace", str(workspace.root), "--platform", name, "--state", folder)
            try:
                _called("up", "--detach", "--port", str(_free_port()), *place)
                _same_wheels(Path(folder), files)
                _called("verify", *place)
            finally:
                subprocess.run(  # noqa: S603 (our own command line)
                    _command("down", *place), capture_output=True, check=False
                )
    return names


def _same_wheels(state: Path, files: Sequence[BuiltFile]) -> None:
    built = {file.path.name: file.sha256 for file in files}
    wheels = json.loads((state / "manifest.json").read_text("utf-8"))["wheels"].values()
    others = sorted(wheel["file"] for wheel in wheels if built.get(wheel["file"]) != wheel["sha256"])
    if others:
        raise DoesNotRun(f"the shell runs other wheels than were built: {', '.join(others)}")


def _called(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 (our own command line)
        _command(*arguments), capture_output=True, text=True, timeout=_START_SECONDS, check=False
    )
    if done.returncode:
        raise DoesNotRun(f"shell {arguments[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}".rstrip())


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "au_sys_python_factory", "shell", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
