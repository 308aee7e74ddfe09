"""``migrate``: an older FastAPI application becomes a capability, and answers as it did."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from au_sys_python_factory.blueprint.naming import Names, check_word, checked_name
from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE, FINDINGS, Refused, UsageError
from au_sys_python_factory.workspace.members import find_workspace

_VALUES = "A setting of the application, as JSON or text; may be repeated."
_SHOWN = 30


@click.group()
def migrate() -> None:
    """Plan, record, apply, verify: bring an older FastAPI application home."""


@migrate.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--as", "name", required=True, metavar="NAME", help="What the capability is called.")
@click.option("--scope", default="", metavar="PKG.SUB", help="Move only this package; the rest stays a dependency.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=None, help="Where the plan goes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def plan(path: Path, name: str, scope: str, into: Path | None, as_json: bool) -> None:
    """Write migration.toml: where each module of the application in PATH would go, with the evidence."""
    from au_sys_python_factory.migration.model import FILE, written
    from au_sys_python_factory.migration.planning import plan_migration

    check_word(name, "name")
    found = plan_migration(path, name, scope, date.today())
    folder = into or Path(f"migrations/{name}")
    if (folder / FILE).exists():
        raise Refused("there is a plan already.", where=str(folder / FILE), fix="remove it, or name --into.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(found), encoding="utf-8", newline="\n")
    waiting = found.to_decide()
    if as_json:
        data = {"plan": folder / FILE, "entries": found.entries, "decide": waiting}
        answer("migrate plan", DONE, data)
        return
    click.echo(f"{folder / FILE}: {len(found.moved)} of {len(found.entries)} modules move, {len(waiting)} to decide")
    for line in waiting:
        click.echo(f"  {line}")
    click.echo(f"next:\n  edit {folder / FILE}\n  python-factory migrate record {folder} --from {path}")


@migrate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "where", type=click.Path(path_type=Path, exists=True), required=True, help="The application.")
@click.option("--python", default="", metavar="PATH", help="An interpreter that has what the application needs.")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help=_VALUES)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def record(folder: Path, where: Path, python: str, given: tuple[str, ...], as_json: bool) -> None:
    """Run the old application and keep what it answers: plain paths, and what requests.toml asks."""
    from au_sys_python_factory.inventory.taking import take
    from au_sys_python_factory.migration.exchanges import RECORDING, asked, played, stored
    from au_sys_python_factory.migration.model import read_migration
    from au_sys_python_factory.migration.running import interpreter, old_application

    migration = read_migration(folder)
    plain = {route.path for route in take(where).routes if "{" not in route.path and "GET" in route.methods}
    requests = asked(folder, sorted(plain))
    with old_application(where.resolve(), migration, interpreter(python), _values(given)) as base:
        found = played(base, requests)
    (folder / RECORDING).write_text(stored(found), encoding="utf-8", newline="\n")
    if as_json:
        answer("migrate record", DONE, {"recording": folder / RECORDING, "exchanges": len(found)})
        return
    click.echo(f"{folder / RECORDING}: {len(found)} exchanges")


@migrate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "where", type=click.Path(path_type=Path, exists=True), required=True, help="The application.")
@click.option("--wire", "shell", default=None, metavar="SHELL", help="The platform; default: the only one.")
@click.option("--no-wire", is_flag=True, help="Leave the platforms alone.")
@manner_options
def apply(folder: Path, where: Path, shell: str | None, no_wire: bool, manner: Manner) -> None:
    """Move the code, whole or not at all; what no codemod can do is listed before anything is written."""
    from au_sys_python_factory.migration.codemods.debts import REASON
    from au_sys_python_factory.migration.model import read_migration
    from au_sys_python_factory.pipelines.migrating import plan_migrate_apply
    from au_sys_python_factory.pipelines.registration import chosen_platform

    migration = read_migration(folder)
    workspace = find_workspace(manner.start)
    names = checked_name(migration.name, workspace)
    platform = None if no_wire else chosen_platform(workspace, shell)
    moved = plan_migrate_apply(workspace, migration, names, where, folder, platform)
    if moved.left:
        lines = [f"{item.path}:{item.line}: {item.rule} {item.message}" for item in moved.left]
        more = [f"… {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise Refused(
            "what no codemod can do:\n  " + "\n  ".join([*lines[:_SHOWN], *more]),
            where=names.folder, fix=f"put patches beside the plan: {folder / 'patches'}/*.diff",
        )  # fmt: skip
    if not manner.as_json:
        for route in moved.made.opened:
            click.echo(f"warning: everybody may call {route}, as before", err=True)
        share = moved.made.patched_lines / max(moved.made.moved_lines, 1)
        click.echo(f"{moved.made.moved_lines} lines move, {moved.made.patched_lines} by hand ({share:.1%})", err=True)
        click.echo(f"{moved.made.inherited} reasons for loose types say “{REASON}”, {moved.waived} waivers", err=True)
    steps = [f"uv run pytest {names.folder}/tests", f"python-factory migrate verify {folder}", "python-factory undo"]
    carry_out(workspace, manner, lambda: moved.plan, steps)


@migrate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--python", default="", metavar="PATH", help="An interpreter that has the runtime and what is needed.")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help=_VALUES)
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Matches in bodies that do not count: times, ids.")
@click.option(
    "--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="A folder of the workspace."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def verify(
    folder: Path, python: str, given: tuple[str, ...], ignore: tuple[str, ...], start: Path, as_json: bool
) -> None:
    """Ask the new capability what the old application was asked; exit 1 when an answer is another."""
    from au_sys_python_factory.migration.exchanges import differences, played, recorded
    from au_sys_python_factory.migration.model import read_migration
    from au_sys_python_factory.migration.running import interpreter, new_capability
    from au_sys_python_factory.migration.serving import served_paths

    migration, workspace = read_migration(folder), find_workspace(start)
    names = Names(migration.name)
    before = recorded(folder)
    package = workspace.root / names.folder
    if not before or not package.is_dir():
        raise Refused(
            "there is nothing to compare.", where=str(folder), fix="run `migrate record` and `migrate apply` first."
        )
    with new_capability(package, names, migration, interpreter(python), _values(given)) as base:
        now = played(base, before)
    found = list(differences(before, now, ignore, served_paths(package, migration.application)))
    failed = [item for item in found if not item.announced]
    code = FINDINGS if failed else DONE
    if as_json:
        answer("migrate verify", code, {"exchanges": len(before), "differences": found})
    else:
        for item in found:
            mark = "announced" if item.announced else "DIFFERENT"
            click.echo(f"{mark}  {item.request}  {item.what}: {item.before!r} → {item.now!r}")
        click.echo(f"{len(before)} exchanges, {len(failed)} differences, {len(found) - len(failed)} announced")
    click.get_current_context().exit(code)


def _values(given: tuple[str, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"{item!r} is no setting.", fix="write NAME=VALUE.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
