"""``undo --merge``: take back only what a command did, and keep what its owner did since."""

from __future__ import annotations

from pathlib import Path

from au_sys_python_factory.blueprint.merging.files import merged
from au_sys_python_factory.errors import CONFLICT, FactoryError
from au_sys_python_factory.plan.journal import Entry, Journal
from au_sys_python_factory.plan.model import Operation, Plan, digest, read, write


class Tangled(FactoryError):
    """The owner changed the very lines that would be taken back."""

    exit_code = CONFLICT


def plan_untangle(root: Path, entry: Entry) -> Plan:
    """The present files without the entry's part, by three-way merge.

    Raises:
        Tangled: both changed the same lines; nothing is written.
        Refused: the entry is damaged.
    """
    journal = Journal(root)
    operations: list[Operation] = []
    tangled: list[str] = []
    for number, touched in enumerate(entry.files):
        before, after = journal.content(entry, number, "before"), journal.content(entry, number, "after")
        present = read(root, touched.path)
        if digest(present) == touched.after:
            operations.append(write(root, touched.path, before, "taken back"))
        elif present is None or before is None or after is None:
            if digest(present) != touched.before:
                tangled.append(f"{touched.path} (yours now)")
        else:
            base, ours, theirs = (
                content.decode("utf-8", errors="surrogateescape") for content in (after, present, before)
            )
            found = merged(touched.path, base, ours, theirs)
            if found.kind == "conflict" or found.text is None:
                tangled.append(f"{touched.path} ({found.why or 'the same lines'})")
            else:
                operations.append(write(root, touched.path, found.text, "taken back, your edits kept"))
    if tangled:
        raise Tangled(
            f"cannot be told apart: {', '.join(tangled)}.",
            fix="take these edits back by hand, then undo again; nothing was written.",
        )
    return Plan(f"undo --merge {entry.id} ({entry.command})", tuple(operations))
