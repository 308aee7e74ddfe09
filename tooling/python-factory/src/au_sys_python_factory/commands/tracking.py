"""``diff`` and ``eject``: what the owner changed, and the end of being tracked."""

import difflib

import click

from au_sys_python_factory.blueprint.package import package_files
from au_sys_python_factory.blueprint.state import STATE
from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.commands.upgrade import tracked_of
from au_sys_python_factory.errors import DIFFERENT, DONE
from au_sys_python_factory.pipelines.registration import find_capability
from au_sys_python_factory.plan.model import Plan, read, write
from au_sys_python_factory.workspace.members import Member, find_workspace


@click.command()
@click.argument("name")
@click.option("--stat", is_flag=True, help="Only the files, with lines added and taken away.")
@manner_options
def diff(name: str, stat: bool, manner: Manner) -> None:
    """Show what the owner of NAME changed against what the template gave."""
    member = find_capability(find_workspace(manner.start), name)
    changes = changed_files(member)
    code = DIFFERENT if manner.exit_code and changes else DONE
    counts = {path: _counts(lines) for path, lines in changes.items()}
    if manner.as_json:
        files = [
            {"path": path, "added": added, "removed": removed, "diff": [] if stat else changes[path]}
            for path, (added, removed) in counts.items()
        ]
        answer("diff", code, {"files": files})
    elif stat:
        for path, (added, removed) in counts.items():
            click.echo(f"{path}  +{added} -{removed}")
    else:
        for lines in changes.values():
            click.echo("\n".join(lines))
    click.get_current_context().exit(code)


def changed_files(member: Member) -> dict[str, list[str]]:
    """Unified differences by path inside the package, for every file of the template that is not as it gave it.

    Raises:
        Refused: the package is not tracked, or its template version is not in this factory.
    """
    tracked = tracked_of(member)
    found: dict[str, list[str]] = {}
    for path, given in package_files(tracked.kind, tracked.version, tracked.blueprint).items():
        content = read(member.path, path)
        lines = [] if content is None else content.decode("utf-8", errors="replace").splitlines()
        to_name = "/dev/null" if content is None else f"b/{path}"
        different = list(difflib.unified_diff(given.splitlines(), lines, f"a/{path}", to_name, lineterm=""))
        if different:
            found[path] = different
    return found


def _counts(lines: list[str]) -> tuple[int, int]:
    body = [line for line in lines if not line.startswith(("+++", "---"))]
    return sum(line.startswith("+") for line in body), sum(line.startswith("-") for line in body)


@click.command()
@click.argument("name")
@manner_options
def eject(name: str, manner: Manner) -> None:
    """Stop tracking NAME: the package stays as it is and is its owner's alone."""
    workspace = find_workspace(manner.start)
    member = find_capability(workspace, name)
    tracked_of(member)
    path = f"{member.relative}/{STATE}"

    def plan() -> Plan:
        return Plan(f"eject {member.dist}", (write(workspace.root, path, None, "the factory forgets the package"),))

    carry_out(workspace, manner, plan, ["python-factory undo   (tracks it again)"])
