"""``upgrade``: packages to a newer template version, with every edit of their owners."""

import click

from au_sys_python_factory.blueprint.state import Tracked, read_state
from au_sys_python_factory.commands.carrying_out import Manner, carry_out, manner_options
from au_sys_python_factory.commands.output import answer
from au_sys_python_factory.errors import CONFLICT, DONE, FactoryError, Refused, UsageError
from au_sys_python_factory.pipelines.locked import synced
from au_sys_python_factory.pipelines.registration import find_capability
from au_sys_python_factory.pipelines.settling import opening_entry, plan_continue
from au_sys_python_factory.pipelines.upgrading import Upgrade, plan_upgrade, rendered
from au_sys_python_factory.pipelines.upgrading import upgrade as upgraded
from au_sys_python_factory.plan.apply import apply, restore, writing
from au_sys_python_factory.plan.journal import Journal
from au_sys_python_factory.plan.model import difference
from au_sys_python_factory.workspace.members import Member, Workspace, find_workspace


@click.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Every package that the factory made.")
@click.option("--to", "to", default=None, metavar="V", help="The template version; default: the newest.")
@click.option("--keep-markers", "marks", is_flag=True, help="Write conflicts into the files and settle them there.")
@click.option("--continue", "go_on", is_flag=True, help="The marked regions are settled.")
@click.option("--abort", is_flag=True, help="Take an open upgrade back, with what was settled since.")
@manner_options
def upgrade(
    name: str | None, everything: bool, to: str | None, marks: bool, go_on: bool, abort: bool, manner: Manner
) -> None:
    """Bring NAME to a newer template version by a three-way merge.

    Where both sides changed the same lines, nothing of that package is written and the exit code is 3.
    """
    if (name is None) == (not everything) or (everything and (go_on or abort)) or (go_on and abort):
        raise UsageError(
            "what to upgrade is not clear.", fix="give one NAME, or --all; --continue and --abort take a NAME."
        )
    workspace = find_workspace(manner.start)
    if name is not None and (go_on or abort):
        member = find_capability(workspace, name)
        (_continue if go_on else _abort)(workspace, member, tracked_of(member), manner)
        return
    members = workspace.members if name is None else (find_capability(workspace, name),)
    known = [(member, state) for member in members if (state := read_state(member)) is not None]
    if name is not None and not known:
        tracked_of(members[0])
    _run(workspace, known, to, marks, manner)


def tracked_of(member: Member) -> Tracked:
    """What is remembered of a package.

    Raises:
        Refused: nothing is: it was made by hand, or ejected.
    """
    found = read_state(member)
    if found is None:
        raise Refused(
            "the factory does not track this package.",
            where=member.relative,
            fix="it is its owner's alone; only packages made by `new` can be compared and upgraded.",
        )
    return found


def _run(
    workspace: Workspace, known: list[tuple[Member, Tracked]], to: str | None, marks: bool, manner: Manner
) -> None:
    with writing(workspace.root) as restored:
        for message in restored:
            click.echo(message, err=True)
        files = rendered([state for _, state in known], to)
        found = tuple(upgraded(member, state, to, marks=marks, known=files) for member, state in known)
        what = known[0][0].dist if len(known) == 1 else "--all"
        plan = plan_upgrade(workspace, found, f"upgrade {what}")
        lines = list(difference(workspace.root, plan)) if manner.dry_run else []
        entry = None if manner.dry_run else apply(workspace.root, plan)
    if entry is not None and not manner.no_sync and any(item.path == "uv.lock" for item in entry.files):
        synced(workspace.root)
    code = CONFLICT if any(item.conflicts for item in found) else DONE
    if manner.as_json:
        data = {"packages": [_told(item) for item in found], "journal": entry.id if entry else None, "diff": lines}
        answer("upgrade", code, data)
    else:
        click.echo("\n".join(lines) if manner.dry_run else "\n".join(line for item in found for line in _lines(item)))
    click.get_current_context().exit(code)


def _told(item: Upgrade) -> dict[str, object]:
    return {
        "package": item.member.dist,
        "from": item.before,
        "to": item.after,
        "verdict": item.verdict,
        "edits_kept": item.edits_kept,
        "files": [{"path": told.path, "kind": told.kind, "why": told.why} for told in item.told],
    }


def _lines(item: Upgrade) -> list[str]:
    first = f"{item.member.dist}: {item.verdict}"
    if item.before != item.after:
        first += f" ({item.before} → {item.after}), files with your edits kept: {item.edits_kept}"
    told = [f"  {told.kind:<13} {told.path}{f'  ({told.why})' if told.why else ''}" for told in item.told]
    if item.conflicts and not item.contents:
        told.append(
            f"  nothing was written; python-factory upgrade {item.member.dist} --keep-markers writes the conflicts"
        )
    elif item.conflicts:
        told.append(
            f"  settle the marked regions, then: python-factory upgrade {item.member.dist} --continue (or --abort)"
        )
    return [first, *told]


def _continue(workspace: Workspace, member: Member, tracked: Tracked, manner: Manner) -> None:
    carry_out(workspace, manner, lambda: plan_continue(workspace, member, tracked), [])


def _abort(workspace: Workspace, member: Member, tracked: Tracked, manner: Manner) -> None:
    with writing(workspace.root):
        entry = opening_entry(workspace, member, tracked)
        journal = Journal(workspace.root)
        try:
            restore(workspace.root, journal, entry, "before")
        except OSError as error:
            raise FactoryError(
                f"cannot be written: {error.strerror}", where=str(error.filename), fix="free it."
            ) from None
        journal.mark(entry, "undone")
    if manner.as_json:
        answer("upgrade", DONE, {"journal": entry.id, "files": [item.path for item in entry.files]})
    else:
        click.echo(f"taken back: {entry.command} ({len(entry.files)} files)")
