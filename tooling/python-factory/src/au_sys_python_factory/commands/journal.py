"""``undo``, ``redo`` and ``destroy``: what was made can be taken back."""

import click

from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import DONE, Refused
from au_sys_python_factory.pipelines.destroying import plan_destroy
from au_sys_python_factory.pipelines.locked import synced
from au_sys_python_factory.pipelines.registration import find_capability
from au_sys_python_factory.pipelines.untangling import plan_untangle
from au_sys_python_factory.plan.apply import Side, turn, writing
from au_sys_python_factory.plan.journal import Entry, Journal
from au_sys_python_factory.wheels.release.applying.applying import last_release, take_back
from au_sys_python_factory.workspace.members import find_workspace


@click.command()
@click.argument("entry_id", required=False)
@click.option("--list", "listing", is_flag=True, help="Show the journal.")
@click.option("--merge", is_flag=True, help="Take back only the factory's part of files that changed since.")
@manner_options
def undo(entry_id: str | None, listing: bool, merge: bool, manner: Manner) -> None:
    """Take back a journal entry (default: the release on top, else the last entry that is done), byte for byte."""
    if listing:
        _list(manner)
        return
    if merge:
        _untangle(entry_id, manner)
        return
    root = find_workspace(manner.start).root
    if entry_id is None and last_release(root):
        click.echo(f"taken back: {', '.join(take_back(root).tags)}")
        return
    _turn(entry_id, manner, "before")


@click.command()
@click.argument("entry_id", required=False)
@manner_options
def redo(entry_id: str | None, manner: Manner) -> None:
    """Do again what was taken back (default: the first entry that is undone)."""
    _turn(entry_id, manner, "after")


@click.command()
@click.argument("name")
@manner_options
def destroy(name: str, manner: Manner) -> None:
    """Remove the capability NAME with its wiring; refused while another package imports it."""
    workspace = find_workspace(manner.start)
    member = find_capability(workspace, name)
    carry_out(workspace, manner, lambda: plan_destroy(workspace, member), ["python-factory undo"], destroys=True)


def _list(manner: Manner) -> None:
    entries = Journal(find_workspace(manner.start).root).entries()
    if manner.as_json:
        answer("undo", DONE, [{"id": item.id, "command": item.command, "state": item.state} for item in entries])
        return
    for item in entries:
        click.echo(f"{item.id}  {item.state:<7} {item.command}  ({len(item.files)} files)")
    if not entries:
        click.echo("the journal is empty")


def _turn(entry_id: str | None, manner: Manner, side: Side) -> None:
    root = find_workspace(manner.start).root
    with writing(root) as restored:
        for message in restored:
            click.echo(message, err=True)
        entry = _chosen(Journal(root), entry_id, side)
        turn(root, entry, side)
    if not manner.no_sync and any(item.path == "uv.lock" for item in entry.files):
        synced(root)
    word = "taken back" if side == "before" else "done again"
    if manner.as_json:
        answer(
            "undo" if side == "before" else "redo",
            DONE,
            {"journal": entry.id, "files": [item.path for item in entry.files]},
        )
    else:
        click.echo(f"{word}: {entry.command} ({len(entry.files)} files)")


def _untangle(entry_id: str | None, manner: Manner) -> None:
    workspace = find_workspace(manner.start)
    entry = _chosen(Journal(workspace.root), entry_id, "before")
    carry_out(workspace, manner, lambda: plan_untangle(workspace.root, entry), ["python-factory undo"])
    if not manner.dry_run:
        with writing(workspace.root):
            Journal(workspace.root).mark(entry, "undone")


def _chosen(journal: Journal, entry_id: str | None, side: Side) -> Entry:
    wanted = "done" if side == "before" else "undone"
    if entry_id is not None:
        found = journal.entry(entry_id)
        if found.state != wanted:
            raise Refused(f"entry {entry_id} is {found.state}.", fix="python-factory undo --list")
        return found
    entries = [item for item in journal.entries() if item.state == wanted]
    if not entries:
        raise Refused("there is nothing to take back." if side == "before" else "there is nothing to do again.", fix="")
    return entries[-1] if side == "before" else entries[0]
