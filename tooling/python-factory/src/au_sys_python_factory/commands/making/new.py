"""``new``: a whole package that is green at once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from au_sys_python_factory.blueprint.capability import STANDARD_FIELDS, Blueprint, dependencies
from au_sys_python_factory.blueprint.fields import read_fields
from au_sys_python_factory.blueprint.naming import check_word, checked_name, noun_of
from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.commands.making.answers import Answers, read_answers
from au_sys_python_factory.commands.making.proving import proof_of
from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.pipelines.new_capability import plan_new_capability
from au_sys_python_factory.pipelines.new_platform import next_name, plan_new_platform
from au_sys_python_factory.pipelines.registration import chosen_platform, find_capability
from au_sys_python_factory.workspace.members import find_workspace

_VERIFY = click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Prove it green afterwards: lint, layers, types, tests, wheels in a clean environment, the shell's answers.",
)


@click.group()
def new() -> None:
    """Make a whole package: domain, database, API, pages, tests."""


Command = TypeVar("Command", bound=Callable[..., object])
_OPTIONS = (
    click.argument("name", default=""),
    click.option("--field", "fields", multiple=True, metavar="NAME:TYPE", help="A field of the noun; may be repeated."),
    click.option("--noun", default="", help="What it keeps; default: its name."),
    click.option("--summary", default="", help="One sentence for people."),
    click.option(
        "--wire", "shell", default=None, metavar="SHELL", help="The platform to wire it into; default: the only one."
    ),
    click.option("--no-wire", is_flag=True, help="Leave the platforms alone."),
    click.option(
        "--answers",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        metavar="FILE",
        help="TOML with name, noun, summary, fields, wire; options win over it.",
    ),
    _VERIFY,
    manner_options,
)


def _asked(command: Command) -> Command:
    """What may be asked for a package with a noun."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What was asked for."""

    name: str
    fields: tuple[str, ...]
    noun: str
    summary: str
    shell: str | None
    no_wire: bool
    file: Path | None
    verify: bool
    manner: Manner


@new.command()
@_asked
def capability(**asked: Any) -> None:  # Any: the options above, with the types of the class that takes them
    """Make the capability NAME.

    Types of fields: str text int decimal bool date datetime uuid email enum(a|b) list(type), with bounds such as
    title:str(1..200) and a ? for what may be empty.
    """
    _make(_Asked(**asked), service=False)


@new.command()
@_asked
def service(**asked: Any) -> None:  # Any: as above
    """Make the service NAME: a capability in services/ with roles, a worker and an archive in the platform's blobs.

    It stands on identity and the storage SDK. Types of fields are those of a capability.
    """
    _make(_Asked(**asked), service=True)


def _make(asked: _Asked, *, service: bool) -> None:
    manner, said = asked.manner, Answers(asked.name, asked.noun, asked.summary, asked.shell or "", asked.fields)
    if asked.no_wire and asked.shell:
        raise UsageError("--wire and --no-wire exclude each other.", fix="give one of them.")
    said = said if asked.file is None else read_answers(asked.file, named=bool(asked.name)).under(said)
    if not said.name:
        what = "service" if service else "capability"
        raise UsageError(f"the {what} has no name.", fix='give NAME, or --answers FILE with name = "customer-notes".')
    workspace = find_workspace(manner.start)
    names = checked_name(said.name, workspace, service=service)
    check_word(said.noun or said.name, "noun")
    word = noun_of(said.noun or said.name)
    if service and word.many == "roles":
        raise UsageError("roles are a part of every service.", fix="another --noun, for example duties.")
    text = (said.summary or f"Keeps {word.label_many}.").replace('"', "'")
    stands_on = dependencies(workspace, service=service)
    blueprint = Blueprint(names, word, read_fields(said.fields or STANDARD_FIELDS), text, stands_on)
    platform = None if asked.no_wire else chosen_platform(workspace, said.wire or None)
    shown = platform.path.name if platform else None
    prove = proof_of(workspace.root, names.dist, shown, manner) if asked.verify else None
    next_steps = [
        f"uv run pytest {names.folder}/tests",
        "uv run just shell-up" if platform else f"python-factory wire {names.kebab} --shell NAME",
        f"python-factory undo   (takes {names.folder} back)",
    ]
    carry_out(workspace, manner, lambda: plan_new_capability(blueprint, workspace, platform), next_steps, prove=prove)


@new.command()
@click.argument("name", required=False)
@click.option(
    "--with", "wished", multiple=True, metavar="CAPABILITY", help="Wire it in from the start; may be repeated."
)
@manner_options
def platform(name: str | None, wished: tuple[str, ...], manner: Manner) -> None:
    """Make the platform NAME (default: the next fsp_shell_NNN): bill of materials, configuration, gauntlet."""
    workspace = find_workspace(manner.start)
    chosen = name or next_name(workspace)
    wired = [find_capability(workspace, item) for item in wished]
    next_steps = [
        f"python-factory wire NAME --shell {chosen}",
        f"python-factory shell up --platform {chosen}",
        f"python-factory undo   (takes platforms/{chosen} back)",
    ]
    carry_out(workspace, manner, lambda: plan_new_platform(workspace, chosen, wired), next_steps)
