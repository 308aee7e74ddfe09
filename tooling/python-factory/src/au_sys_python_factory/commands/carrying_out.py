"""What all writing commands share: show the plan, ask, apply, bring the environment along, say what comes next."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DIFFERENT, DONE, FINDINGS, UsageError
from au_sys_python_factory.pipelines.locked import synced
from au_sys_python_factory.pipelines.verification.parts import Outcome
from au_sys_python_factory.plan.apply import apply, writing
from au_sys_python_factory.plan.model import Plan, difference
from au_sys_python_factory.workspace.members import Workspace

P = ParamSpec("P")
_SHOWN = 12
_FLAGS = ("dry_run", "yes", "no_sync", "as_json", "exit_code")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a writing command is to be carried out."""

    dry_run: bool
    yes: bool
    no_sync: bool
    as_json: bool
    exit_code: bool
    start: Path


def manner_options(command: Callable[P, None]) -> Callable[..., None]:
    """The options that every writing command has; the command takes them as ``manner``."""

    @click.option("--dry-run", is_flag=True, help="Show the difference and stop.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.option("--no-sync", is_flag=True, help="Leave the environment alone.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
    @click.option("--exit-code", is_flag=True, help="With --dry-run: exit 6 when there is something to show.")
    @click.option(
        "--workspace", "start", type=click.Path(path_type=Path), default=Path(), help="A folder of the workspace."
    )
    @wraps(command)
    def with_manner(*args: P.args, **kwargs: P.kwargs) -> None:
        flags = {name: bool(kwargs.pop(name)) for name in _FLAGS}
        start = Path(str(kwargs.pop("start")))
        kwargs["manner"] = Manner(start=start, **flags)
        command(*args, **kwargs)

    return with_manner


def carry_out(
    workspace: Workspace,
    manner: Manner,
    make: Callable[[], Plan],
    next_steps: list[str],
    *,
    destroys: bool = False,
    prove: Callable[[], list[Outcome]] | None = None,
) -> None:
    """Plan, show or apply, and end the command with its exit code.

    ``prove`` takes the place of bringing the environment along; what it finds decides the exit code.
    """
    if manner.dry_run:
        show(workspace, make(), manner)
        return
    with writing(workspace.root) as restored:
        for message in restored:
            click.echo(message, err=True)
        plan = make()
        if destroys:
            confirm(plan, manner)
        entry = apply(workspace.root, plan)
    if not manner.as_json:
        tell(plan) if entry is not None else click.echo("nothing to do")
    proved = _brought_along(workspace, prove) if entry is not None and not manner.no_sync else []
    code = FINDINGS if any(item.verdict == "failed" for item in proved) else DONE
    changes = [{"kind": item.kind, "path": item.path, "reason": item.reason} for item in plan.changes]
    if manner.as_json:
        data = {"journal": entry.id if entry else None, "changes": changes, "next": next_steps, "proved": proved}
        answer(plan.command, code, data)
    elif entry is not None:
        click.echo(f"journal entry {entry.id}")
        if code != DONE:
            click.echo(f"the files stay; python-factory undo {entry.id} takes them back")
        if next_steps:
            click.echo("next:\n" + "\n".join(f"  {step}" for step in next_steps))
    if code != DONE:
        click.get_current_context().exit(code)


def _brought_along(workspace: Workspace, prove: Callable[[], list[Outcome]] | None) -> list[Outcome]:
    if prove is not None:
        return prove()
    synced(workspace.root)
    return []


def show(workspace: Workspace, plan: Plan, manner: Manner) -> None:
    """The difference that an apply would make; exit 6 on request."""
    lines = list(difference(workspace.root, plan))
    code = DIFFERENT if manner.exit_code and lines else DONE
    if manner.as_json:
        answer(plan.command, code, {"diff": lines})
    else:
        click.echo("\n".join(lines))
    click.get_current_context().exit(code)


def confirm(plan: Plan, manner: Manner) -> None:
    """Ask before something is destroyed.

    Raises:
        UsageError: nobody can be asked, and ``--yes`` is missing.
        click.Abort: the answer is no.
    """
    if manner.yes or not plan.changes:
        return
    if not sys.stdin.isatty() or os.environ.get("CI"):
        raise UsageError(
            "this destroys files, and nobody can be asked.", fix="add --yes, or look first with --dry-run."
        )
    tell(plan)
    click.confirm("Go on?", abort=True)


def tell(plan: Plan) -> None:
    """The plan in a few lines: edits by name, created and deleted files by folder."""
    made = [item.path for item in plan.changes if item.kind == "create"]
    gone = [item.path for item in plan.changes if item.kind == "delete"]
    for label, paths in (("created", made), ("deleted", gone)):
        if len(paths) > _SHOWN:
            click.echo(f"{label} {len(paths)} files in {os.path.commonpath(paths)}")
        else:
            for path in paths:
                click.echo(f"{label} {path}")
    for item in plan.changes:
        if item.kind == "edit":
            click.echo(f"edited  {item.path}")
