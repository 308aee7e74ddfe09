"""A shell for one run: free port, state in a temporary folder, nothing left afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from au_sys_python_factory.gauntlet.provider import ALLOW, HOST
from au_sys_python_factory.shell.assembly.configuration import EXAMPLE, OVERRIDES, read_variables
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.down import down
from au_sys_python_factory.shell.overview import Overview
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.addresses import free_port
from au_sys_python_factory.shell.supervision.state import StateFolder, write_private
from au_sys_python_factory.shell.up import Wish, up


@contextmanager
def throwaway_shell(platform: PlatformFolder, progress: Progress) -> Iterator[tuple[StateFolder, Overview]]:
    """Start, lend, stop, remove.

    Raises:
        FactoryError: it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="fsp-gauntlet-"))
    state = StateFolder(folder.resolve())
    shown: list[Overview] = []
    try:
        _allow_lent_provider(platform, state)
        up(platform, state, Wish(port=free_port(), detach=True), progress, shown.append)
        yield state, shown[0]
    finally:
        down(state)
        shutil.rmtree(folder, ignore_errors=True)


def _allow_lent_provider(platform: PlatformFolder, state: StateFolder) -> None:
    """Let a platform with identity call the login provider that the run lends."""
    if any(variable.name == ALLOW for variable in read_variables(platform.config / EXAMPLE)):
        write_private(state.root / OVERRIDES, f"{ALLOW}={HOST}\n")
