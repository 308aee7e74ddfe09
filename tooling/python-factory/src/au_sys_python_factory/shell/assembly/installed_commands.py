"""Call what the installed wheels bring: ``fsp`` and ``au-sys-identity``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import FINDINGS, FactoryError
from au_sys_python_factory.shell.supervision.readiness import Json
from au_sys_python_factory.shell.supervision.state import StateFolder, write_private
from au_sys_python_factory.shell.supervision.supervisor import Program

CAPABILITY_TIMEOUT = 120.0


class CommandFailed(FactoryError):
    """A command of an installed wheel ended with an error; its own words follow."""

    exit_code = FINDINGS

    def __init__(self, doing: str, output: str, exit_code: int) -> None:
        self.output = output
        self.command_exit_code = exit_code
        super().__init__(f"{doing} failed (exit {exit_code})\n" + "\n".join(output.strip().splitlines()[-30:]))


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """A one-time credential. It is shown once and never written anywhere."""

    email: str
    password: str
    details: Mapping[str, Json]

    def __repr__(self) -> str:
        """Without the password."""
        return f"FirstAdmin({self.email!r})"


def inventory(state: StateFolder, environment: Mapping[str, str], key: str) -> dict[str, Json]:
    """What ``fsp list --json`` says; kept beside the state as long as wheels and configuration (``key``) are the same.

    Raises:
        CommandFailed: a capability cannot be loaded, the configuration is wrong …
    """
    try:
        kept = json.loads(state.inventory.read_text("utf-8"))
        if kept["key"] == key:
            content: dict[str, Json] = kept["inventory"]
            return content
    except (OSError, ValueError, KeyError, TypeError):
        state.inventory.unlink(missing_ok=True)
    text = call(state, environment, "fsp", "list", "--json", doing="reading what the wheels contain")
    found: dict[str, Json] = json.loads(text)
    write_private(state.inventory, json.dumps({"key": key, "inventory": found}, indent=2))
    return found


def migrate(state: StateFolder, environment: Mapping[str, str]) -> list[dict[str, Json]]:
    """Bring each capability's database to its head; a row for each, as ``fsp migrate upgrade --json`` gives it.

    Raises:
        CommandFailed: the databases are as they were, and the shell is not to be started.
    """
    text = call(state, environment, "fsp", "migrate", "upgrade", "--json", doing="migrating the databases")
    rows: list[dict[str, Json]] = json.loads(text)
    return rows


def create_admin(state: StateFolder, environment: Mapping[str, str], email: str, *options: str) -> FirstAdmin:
    """Make an administrator with a generated one-time password.

    Raises:
        CommandFailed: identity refused, for example because the address is taken.
    """
    text = call(
        state,
        environment,
        *("au-sys-identity", "create-admin", "--email", email, "--generate", "--json", *options),
        doing="making an administrator",
    )
    answer: dict[str, Json] = json.loads(text)
    return FirstAdmin(str(answer.get("email", email)), str(answer["password"]), answer)


def programs(state: StateFolder, found: Mapping[str, Json], host: str, port: int) -> tuple[Program, ...]:
    """The web process, and one for each process that a capability declares."""
    web = Program("web", (str(state.venv / "bin" / "fsp"), "run", "--host", host, "--port", str(port)))
    others = []
    for capability in found["capabilities"]:
        for item in capability["processes"]:
            script, *arguments = item["command"]
            others.append(Program(item["name"], (str(state.venv / "bin" / script), *arguments)))
    return (web, *others)


def call(state: StateFolder, environment: Mapping[str, str], *command: str, doing: str) -> str:
    """Run a console script of the shell's environment to its end; its standard output.

    Standard error goes into the message of a failure only. An interruption ends the script too.

    Raises:
        CommandFailed: see the message.
    """
    script = state.venv / "bin" / command[0]
    if not script.is_file():
        raise FactoryError(f"no installed wheel brings the command {command[0]}", where=str(script.parent))
    process = subprocess.Popen(  # noqa: S603 (a script of the environment that we installed)
        [str(script), *command[1:]],
        env=dict(environment),
        cwd=_working_folder(state),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=CAPABILITY_TIMEOUT)
    except BaseException:
        _kill(process)
        raise
    if process.returncode != 0:
        raise CommandFailed(doing, _without_json_logs(err) or out, process.returncode)
    return out


def _working_folder(state: StateFolder) -> Path:
    return state.run if state.run.is_dir() else state.root


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        process.wait()


def _without_json_logs(text: str) -> str:
    """The lines that are for people; all of them when there are none such."""
    plain = [line for line in text.splitlines() if line.strip() and not line.startswith("{")]
    return "\n".join(plain) or text
