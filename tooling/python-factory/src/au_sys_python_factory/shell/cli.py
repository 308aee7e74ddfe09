"""``python-factory shell``: up, down, status, verify, logs, admin."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from au_sys_python_factory.errors import DONE, FINDINGS, FactoryError, UsageError
from au_sys_python_factory.shell.admin import new_admin
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder, find_platform
from au_sys_python_factory.shell.containers.up import Containers, ContainerWish, down_in_containers, up_in_containers
from au_sys_python_factory.shell.down import down
from au_sys_python_factory.shell.logs import follow, log_file
from au_sys_python_factory.shell.overview import Overview
from au_sys_python_factory.shell.services.chosen import KNOWN
from au_sys_python_factory.shell.status import status
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.up import ADMIN_EMAIL, AlreadyRunning, Wish, up
from au_sys_python_factory.shell.verifying import verify
from au_sys_python_factory.wheels.members import find_workspace


@click.group()
def shell() -> None:
    """Run a platform from wheels on this machine."""


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)


def _place(command: Callable[..., None]) -> Callable[..., None]:
    """Options that say which platform, and where its state is."""

    @click.option("--workspace", "start", default=".", type=_FOLDER, help="Where to look for the workspace.")
    @click.option("--platform", "platform_name", default=None, help="Which platform, when there are several.")
    @click.option("--state", "state_root", default=None, type=_PATH, help="State folder [default: .shell].")
    @wraps(command)
    def with_place(
        start: Path,
        platform_name: str | None,
        state_root: Path | None,
        **rest: Any,  # Any: whatever options the command has
    ) -> None:
        platform = find_platform(find_workspace(start), platform_name)
        command(platform, StateFolder((state_root or platform.workspace.root / ".shell").resolve()), **rest)

    return with_place


_as_json = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output; prose goes to stderr."
)


@shell.command("up")
@_place
@click.option("--host", default=None, help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option("--detach", is_flag=True, help="Return when it is ready.")
@click.option("--fresh", is_flag=True, help="Start with new data; the old ones are kept aside.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-build", is_flag=True, help="Take the wheels that are there.")
@click.option("--from", "index", default=None, help="Released wheels out of this index (a name or URL).")
@click.option("--with", "services", default="", help=f"Servers to bring along, comma separated: {', '.join(KNOWN)}.")
@click.option("--timeout", default=60.0, show_default=True, type=click.FloatRange(1, 3600), help="Seconds until ready.")
@click.option("--admin-email", default=ADMIN_EMAIL, show_default=True, help="Address of the first administrator.")
@click.option("--docker", is_flag=True, help="As containers: an image of these wheels, and servers beside it.")
@click.option("--engine", default="docker", type=click.Choice(["docker", "podman"]), help="Which container engine.")
@click.option("--base-image", default="python:3.13-slim", show_default=True, help="fsp-base:local stands in for it.")
@_as_json
def up_command(
    platform: PlatformFolder,
    state: StateFolder,
    *,
    host: str | None,
    port: int,
    detach: bool,
    fresh: bool,
    yes: bool,
    no_build: bool,
    index: str | None,
    services: str,
    timeout: float,
    admin_email: str,
    docker: bool,
    engine: str,
    base_image: str,
    as_json: bool,
) -> None:
    """Build what changed, install exactly that, start it, and show what is loaded."""
    if fresh and not yes:
        _confirm("Start with new data? The old ones are kept aside.")
    if docker:
        asked = ContainerWish(engine, base_image, port, fresh, not no_build, max(timeout, 120.0), admin_email)
        with _json_errors("shell up", as_json):
            _show_containers(up_in_containers(platform, state, asked, Progress()), as_json)
        return
    wish = Wish(
        host=host or "127.0.0.1",
        port=port,
        host_was_named=host is not None,
        detach=detach,
        fresh=fresh,
        rebuild=not no_build,
        ready_seconds=timeout,
        admin_email=admin_email,
        services=_services(services),
        index=index,
    )

    def show(overview: Overview) -> None:
        if as_json:
            _print_json("shell up", DONE, overview.as_data())
        else:
            click.echo(f"\n{overview.as_text()}\n\nready after {overview.seconds:.1f} s; {_commands(detach)}")

    try:
        with _json_errors("shell up", as_json):
            up(platform, state, wish, Progress(), show)
    except AlreadyRunning:
        found = status(state)
        click.echo("a shell runs here already; nothing was started or changed", err=True)
        if as_json:
            _print_json("shell up", DONE, found.as_data())
        else:
            click.echo(found.as_text())


@shell.command("down")
@_place
@click.option("--docker", is_flag=True, help="The containers.")
@click.option("--engine", default="docker", type=click.Choice(["docker", "podman"]), help="Which container engine.")
@click.option("--base-image", default="python:3.13-slim", help="As it was started.")
@click.option("--volumes", is_flag=True, help="With --docker: remove the data too.")
@_as_json
def down_command(
    platform: PlatformFolder,
    state: StateFolder,
    *,
    docker: bool,
    engine: str,
    base_image: str,
    volumes: bool,
    as_json: bool,
) -> None:
    """Stop it: requests drain, workers give back what they hold, nothing is left over."""
    if docker:
        down_in_containers(platform, state, ContainerWish(engine, base_image), volumes=volumes)
        return
    with _json_errors("shell down", as_json):
        found = down(state)
    for note in found.notes:
        click.echo(note, err=True)
    if as_json:
        _print_json("shell down", DONE, {"was_running": found.was_running, "seconds": round(found.seconds, 2)})
    elif found.was_running:
        click.echo(f"stopped in {found.seconds:.1f} s" + ("" if found.gracefully else "; parts had to be killed"))
    else:
        click.echo("nothing is running")


@shell.command("status")
@_place
@_as_json
def status_command(platform: PlatformFolder, state: StateFolder, *, as_json: bool) -> None:
    """What runs, and is it well: exit 0 ready, 1 degraded, 4 not running."""
    with _json_errors("shell status", as_json):
        found = status(state)
    if as_json:
        _print_json("shell status", found.exit_code, found.as_data())
    else:
        click.echo(found.as_text())
    sys.exit(found.exit_code)


@shell.command("verify")
@_place
@_as_json
def verify_command(platform: PlatformFolder, state: StateFolder, *, as_json: bool) -> None:
    """Whether what runs is what was built, locked and declared: exit 0 it is, 1 something differs."""
    with _json_errors("shell verify", as_json):
        found = verify(platform, state)
    code = FINDINGS if found.differences else DONE
    if as_json:
        _print_json("shell verify", code, {"compared": dict(found.compared), "differences": list(found.differences)})
    else:
        click.echo("\n".join([*found.differences, found.sentence]))
    sys.exit(code)


@shell.command("logs")
@_place
@click.argument("name", default="web")
@click.option("-f", "--follow", "stay", is_flag=True, help="Show new lines as they come.")
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(0, 100_000))
def logs_command(platform: PlatformFolder, state: StateFolder, *, name: str, stay: bool, lines: int) -> None:
    """What web, a worker or the supervisor wrote."""
    for line in follow(log_file(state, name), lines=lines, stay=stay):
        click.echo(line)


@shell.command("admin")
@_place
@click.option("--email", default=ADMIN_EMAIL, show_default=True, help="Whose credential.")
@_as_json
def admin_command(platform: PlatformFolder, state: StateFolder, *, email: str, as_json: bool) -> None:
    """Make a new one-time credential of an administrator; it is shown this once."""
    with _json_errors("shell admin", as_json):
        made = new_admin(platform, state, email)
    if as_json:
        _print_json("shell admin", DONE, {"admin": {"email": made.email, "password": made.password}})
    else:
        click.echo(f"  e-mail    {made.email}\n  password  {made.password}")


def _show_containers(found: Containers, as_json: bool) -> None:
    admin = {"email": found.admin.email, "password": found.admin.password} if found.admin else None
    if as_json:
        _print_json("shell up", DONE, {"url": found.url, "image": found.image, "admin": admin})
        return
    click.echo(f"\n{found.url} ({', '.join(found.services)}), image {found.image}")
    if admin:
        click.echo(
            f"first administrator, shown this once\n  e-mail    {admin['email']}\n  password  {admin['password']}"
        )


class _json_errors:
    """With ``--json`` a failure is an object on standard output too; its message goes to standard error as always."""

    def __init__(self, command: str, as_json: bool) -> None:
        self._command = command
        self._as_json = as_json

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._as_json and isinstance(error, FactoryError):
            _print_json(self._command, error.exit_code, None, [error.sentence])


def _print_json(command: str, code: int, data: object, messages: list[str] | None = None) -> None:
    document = {
        "schema": "https://fsp.example/schemas/command/1",
        "command": command,
        "ok": code == DONE,
        "exit": code,
        "data": data,
        "findings": [],
        "messages": messages or [],
    }
    click.echo(json.dumps(document, indent=2))


def _services(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in KNOWN:
            raise UsageError(f"--with does not know {name!r}", fix=f"known are {', '.join(KNOWN)}")
    return names


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("--fresh asks first, and there is no terminal to ask", fix="add --yes")
    if not click.confirm(question):
        raise click.exceptions.Exit(FINDINGS)


def _commands(detached: bool) -> str:
    stop = "python-factory shell down" if detached else "Ctrl-C"
    return f"logs: python-factory shell logs -f, status: python-factory shell status, stop: {stop}"
