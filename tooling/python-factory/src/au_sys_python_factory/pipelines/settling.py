"""The end of an upgrade whose conflicts were written into the files: settled by the owner, or taken back."""

from au_sys_python_factory.blueprint.merging.lines import OURS, THEIRS
from au_sys_python_factory.blueprint.package import package_files
from au_sys_python_factory.blueprint.state import STATE, Tracked, written
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.journal import Entry, Journal
from au_sys_python_factory.plan.model import Plan, read, write
from au_sys_python_factory.workspace.members import Member, Workspace


def marked_files(member: Member, tracked: Tracked) -> list[str]:
    """Files of the package in which a conflict still stands, as ``path:line``."""
    found: list[str] = []
    for path in sorted(tracked.digests):
        content = (read(member.path, path) or b"").decode("utf-8", errors="replace")
        for number, line in enumerate(content.splitlines(), start=1):
            if line.startswith((OURS, THEIRS)):
                found.append(f"{member.relative}/{path}:{number}")
                break
    return found


def plan_continue(workspace: Workspace, member: Member, tracked: Tracked) -> Plan:
    """The state of the new version, once no mark is left.

    Raises:
        Refused: no upgrade is open, or marks stand in files.
    """
    _check_open(member, tracked)
    marked = marked_files(member, tracked)
    if marked:
        raise Refused(f"conflict marks stand in {', '.join(marked)}.", fix="settle them, then run it again.")
    files = package_files(tracked.kind, tracked.open_to, tracked.blueprint)
    state = written(tracked.kind, tracked.open_to, tracked.blueprint, files)
    path = f"{member.relative}/{STATE}"
    return Plan(f"upgrade {member.dist} --continue", (write(workspace.root, path, state, "the upgrade is settled"),))


def opening_entry(workspace: Workspace, member: Member, tracked: Tracked) -> Entry:
    """The journal entry that wrote the marks.

    Raises:
        Refused: no upgrade is open, or the journal has lost it.
    """
    _check_open(member, tracked)
    state = f"{member.relative}/{STATE}"
    for entry in reversed(Journal(workspace.root).entries()):
        if entry.state == "done" and entry.command.startswith("upgrade") and any(f.path == state for f in entry.files):
            return entry
    raise Refused(
        "the journal no longer holds this upgrade.", where=member.relative, fix="restore the package from git."
    )


def _check_open(member: Member, tracked: Tracked) -> None:
    if not tracked.open_to:
        raise Refused("no upgrade is open.", where=member.relative, fix=f"python-factory upgrade {member.dist}")
