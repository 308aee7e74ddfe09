"""``add``: one more thing inside a package that the factory made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from au_sys_python_factory.blueprint.state import read_state
from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.errors import Refused, UsageError
from au_sys_python_factory.pipelines.registration import find_capability
from au_sys_python_factory.workspace.members import Workspace, find_workspace

if TYPE_CHECKING:
    from au_sys_python_factory.blueprint.additions.additions import Addition, Package

_IN = click.option("--in", "name", default="", metavar="NAME", help="The capability; default: the only tracked one.")


@click.group()
def add() -> None:
    """Add a model, an endpoint, a page, a port, an adapter or a migration to a package."""


def _package(workspace: Workspace, name: str) -> Package:
    """The package to add to.

    Raises:
        UsageError: it is not clear which.
        Refused: the factory does not track it.
    """
    from au_sys_python_factory.blueprint.additions.additions import Package

    known = [(member, found) for member in workspace.members if (found := read_state(member)) is not None]
    if name:
        member = find_capability(workspace, name)
        known = [(item, found) for item, found in known if item is member]
        if not known:
            raise Refused(
                "the factory does not track this package.", where=member.relative,
                fix="only packages made by `new` can be added to; add it by hand as its siblings are.",
            )  # fmt: skip
    if len(known) != 1:
        names = ", ".join(member.dist for member, _ in known) or "none"
        raise UsageError("which package is meant is not clear.", fix=f"name it with --in; tracked here: {names}.")
    return Package(known[0][0], known[0][1].blueprint)


def _package_of(workspace: Workspace, noun: str) -> Package:
    """The package whose noun it is, else the one of that name."""
    for member in workspace.members:
        found = read_state(member) if noun else None
        if found is not None and noun in (found.blueprint.noun.one, found.blueprint.noun.many):
            return _package(workspace, member.dist)
    return _package(workspace, noun)


def _carry_out(workspace: Workspace, manner: Manner, command: str, package: Package, addition: Addition) -> None:
    from au_sys_python_factory.blueprint.additions.additions import plan_addition

    folder = package.member.relative
    steps = [f"uv run pytest {folder}/tests", f"python-factory check {folder}", "python-factory undo"]
    carry_out(workspace, manner, lambda: plan_addition(command, package, addition), steps)


@add.command()
@click.argument("method")
@click.argument("path")
@click.option("--verb", required=True, help="What is done, one word: archive.")
@click.option("--permission", default="", metavar="P", help="Who may: holders of this permission.")
@click.option("--authenticated", is_flag=True, help="Who may: everybody who is signed in.")
@click.option("--public", is_flag=True, help="Who may: everybody.")
@_IN
@manner_options
def endpoint(
    method: str, path: str, verb: str, permission: str, authenticated: bool, public: bool, name: str, manner: Manner
) -> None:
    """Add a verb with its route: METHOD and PATH below the capability's API, for example POST /{note_id}/archive."""
    from au_sys_python_factory.blueprint.additions.endpoint import Endpoint, add_endpoint, checked

    if bool(permission) + authenticated + public != 1:
        raise UsageError("who may call it is not said.", fix="give one of --permission, --authenticated, --public.")
    if permission and "." not in permission:
        raise UsageError(
            f"{permission!r} is no permission.", fix="capability.noun.verb, for example notes.notes.archive."
        )
    workspace = find_workspace(manner.start)
    package = _package(workspace, name)
    access = permission or ("authenticated" if authenticated else "public")
    asked = checked(Endpoint(method.upper(), path, verb, access), package)
    _carry_out(workspace, manner, f"add endpoint {asked.method} {path}", package, add_endpoint(package, asked))


@add.command()
@click.argument("noun")
@click.argument("fields", nargs=-1, required=True)
@click.option("--public", is_flag=True, help="Other packages may know it: its names stand at the pure door.")
@_IN
@manner_options
def model(noun: str, fields: tuple[str, ...], public: bool, name: str, manner: Manner) -> None:
    """Add the NOUN with its FIELDS (title:str(1..200) due:date? …) to the domain."""
    from au_sys_python_factory.blueprint.additions.model import add_model
    from au_sys_python_factory.blueprint.fields import read_fields
    from au_sys_python_factory.blueprint.naming import check_word, noun_of

    check_word(noun, "noun")
    workspace = find_workspace(manner.start)
    package = _package(workspace, name)
    made = add_model(package, noun_of(noun), read_fields(fields), public=public)
    _carry_out(workspace, manner, f"add model {noun}", package, made)


@add.command()
@click.argument("path")
@click.option("--for", "verb", type=click.Choice(("list",)), default="list", show_default=True, help="What it shows.")
@_IN
@manner_options
def page(path: str, verb: str, name: str, manner: Manner) -> None:
    """Add a page at PATH below the capability's pages, with a menu entry, for example /overview."""
    from au_sys_python_factory.blueprint.additions.page import add_page

    workspace = find_workspace(manner.start)
    package = _package(workspace, name)
    _carry_out(workspace, manner, f"add page {path} --for {verb}", package, add_page(package, path))


@add.command()
@click.argument("name")
@click.option("--in", "noun", default="", metavar="NOUN", help="The noun, or the capability; default: the only one.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="SIGNATURE",
    help="get(key) -> str, put(key, value), remove(key), keys()",
)
@click.option(
    "--adapter", "kind", default="", metavar="KIND", help="What stands behind it beside memory: filesystem, db."
)
@manner_options
def port(name: str, noun: str, methods: tuple[str, ...], kind: str, manner: Manner) -> None:
    """Add the port NAME: values under keys, behind which memory and one outside thing stand from the first day.

    The methods are those that an adapter can be written for; another port is written by hand.
    """
    from au_sys_python_factory.blueprint.additions.adapters import add_port
    from au_sys_python_factory.blueprint.additions.ports import read_port

    if not kind:
        raise UsageError("a port exists only when two adapters do: memory is one.", fix="--adapter filesystem or db.")
    workspace = find_workspace(manner.start)
    package = _package_of(workspace, noun)
    asked = read_port(name, methods, package.blueprint.noun.One)
    _carry_out(workspace, manner, f"add port {asked.word} --adapter {kind}", package, add_port(package, asked, kind))


@add.command()
@click.argument("port")
@click.argument("kind")
@_IN
@manner_options
def adapter(port: str, kind: str, name: str, manner: Manner) -> None:
    """Add one more adapter behind PORT: filesystem or db; a setting chooses, and the port's suite is run on it."""
    from au_sys_python_factory.blueprint.additions.adapters import add_adapter

    workspace = find_workspace(manner.start)
    package = _package(workspace, name)
    _carry_out(workspace, manner, f"add adapter {port} {kind}", package, add_adapter(package, port, kind))


@add.command()
@click.argument("message")
@_IN
@manner_options
def migration(message: str, name: str, manner: Manner) -> None:
    """Add a revision that brings the database from the newest revision to the tables; MESSAGE says what changes.

    It imports the package's tables and runs its history on a throw-away database.
    """
    from au_sys_python_factory.blueprint.additions.revision import add_migration

    workspace = find_workspace(manner.start)
    package = _package(workspace, name)
    _carry_out(workspace, manner, f"add migration {message}", package, add_migration(package, message))
