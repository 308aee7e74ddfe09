"""A new one-time credential of an administrator, for whoever may write into the state folder."""

from __future__ import annotations

import json

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.shell.assembly.configuration import process_environment
from au_sys_python_factory.shell.assembly.installed_commands import FirstAdmin, create_admin
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record


def new_admin(platform: PlatformFolder, state: StateFolder, email: str, *options: str) -> FirstAdmin:
    """Let identity make the credential; it audits the act.

    Raises:
        Refused: nothing was installed here yet.
        CommandFailed: identity refused.
    """
    state.check()
    if not (state.venv / "bin").is_dir():
        raise Refused("nothing is installed here yet", where=str(state.root), fix="start the shell first")
    record = read_record(state)
    host, port = (record.host, record.port) if record else ("127.0.0.1", 8001)
    environment = process_environment(platform.config, state, host=host, port=port)
    if state.addresses.is_file():
        environment |= json.loads(state.addresses.read_text("utf-8"))
    return create_admin(state, environment, email, *options)
