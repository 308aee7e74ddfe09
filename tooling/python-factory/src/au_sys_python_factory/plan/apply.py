"""All files or none: stage, write the journal, rename into place; the next command takes an interrupted apply back."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.journal import FOLDER, Entry, Journal, State
from au_sys_python_factory.plan.locking import single_writer
from au_sys_python_factory.plan.model import MISSING, Plan, digest, read
from au_sys_python_factory.workspace.trees import LEFT_BEHIND

Side = Literal["before", "after"]
_AT: dict[Side, State] = {"before": "undone", "after": "done"}
_BACK_TO: dict[State, Side] = {"intent": "before", "undoing": "after", "redoing": "before"}


@contextlib.contextmanager
def writing(root: Path) -> Iterator[list[str]]:
    """The only writer in the workspace; gives messages about what an interrupted apply left and was restored."""
    with single_writer(root / FOLDER):
        yield _recover(root)


def apply(root: Path, plan: Plan) -> Entry | None:
    """Carry a plan out; ``None`` when nothing is to be done. Call it inside :func:`writing`.

    Raises:
        Refused: a file is not as the plan saw it, or cannot be written; the tree is as before.
    """
    changes = plan.changes
    if not changes:
        return None
    for item in changes:
        _check_place(root, item.path)
        if digest(read(root, item.path)) != item.before or (item.before == MISSING and (root / item.path).exists()):
            raise Refused(
                "the file changed since the plan was made, or is in the way.", where=item.path, fix="run it again."
            )
    journal = Journal(root)
    try:
        entry = journal.begin(plan)
    except OSError as error:
        raise Refused(
            f"the journal cannot be written: {error.strerror}.", where=str(error.filename), fix="free it."
        ) from None
    done = _put(root, journal, entry, "after")
    journal.forget_old()
    return done


def _put(root: Path, journal: Journal, entry: Entry, side: Side) -> Entry:
    """Bring every file of an entry to one of its sides and say so in the journal; a fault brings all back."""
    staging = root / FOLDER / "staging" / entry.id
    other: Side = "before" if side == "after" else "after"
    try:
        staged = _stage(staging, journal, entry, side)
        for number, touched in enumerate(entry.files):
            target = root / touched.path
            if number in staged:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged[number], target)
            else:
                target.unlink(missing_ok=True)
        _remove_folders(root, entry, side)
        return journal.mark(entry, _AT[side])
    except OSError as error:
        where = str(error.filename or root)
        raise Refused(
            f"cannot be written: {error.strerror}; {_taken_back(root, journal, entry, other)}",
            where=where, fix="free it.",
        ) from None  # fmt: skip
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _taken_back(root: Path, journal: Journal, entry: Entry, side: Side) -> str:
    """Bring all back, and say whether that could be done."""
    try:
        restore(root, journal, entry, side)
        journal.mark(entry, _AT[side])
    except OSError:
        return "the next command brings back what was there."
    return "everything is as before."


def _stage(staging: Path, journal: Journal, entry: Entry, side: Side) -> dict[int, Path]:
    staging.mkdir(parents=True, exist_ok=True)
    staged: dict[int, Path] = {}
    for number, touched in enumerate(entry.files):
        content = journal.content(entry, number, side)
        if content is None:
            continue
        path = staging / str(number)
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.chmod(touched.mode_before if side == "before" else touched.mode_after)
        staged[number] = path
    return staged


def restore(root: Path, journal: Journal, entry: Entry, side: Side) -> None:
    """Bring every file of an entry to one side, without looking at what is there now."""
    for number, touched in enumerate(entry.files):
        target = root / touched.path
        content = journal.content(entry, number, side)
        if content is None:
            target.unlink(missing_ok=True)
        elif digest(read(root, touched.path)) != digest(content):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(touched.mode_before if side == "before" else touched.mode_after)
    _remove_folders(root, entry, side)


def _remove_folders(root: Path, entry: Entry, side: Side) -> None:
    """Folders that the apply made go when its files go; folders that its deletions emptied go too."""
    made = set(entry.folders) if side == "before" else set()
    for touched in entry.files:
        gone = touched.before if side == "before" else touched.after
        if gone == MISSING and side == "after":
            made |= {parent.as_posix() for parent in Path(touched.path).parents if len(parent.parts) > 1}
    for folder in sorted(made, key=len, reverse=True):
        with contextlib.suppress(OSError):
            _remove_folder(root / folder)


def _remove_folder(folder: Path) -> None:
    """An empty folder, and one in which only caches of tools are left."""
    left = [item.name for item in folder.iterdir()]
    if set(left) <= LEFT_BEHIND:
        for name in left:
            shutil.rmtree(folder / name)
        folder.rmdir()


def _recover(root: Path) -> list[str]:
    journal = Journal(root)
    messages: list[str] = []
    for entry in journal.entries():
        side = _BACK_TO.get(entry.state)
        if side is not None:
            try:
                restore(root, journal, entry, side)
                journal.mark(entry, _AT[side])
            except OSError as error:
                where = str(error.filename or root)
                raise Refused(
                    f"“{entry.command}” was interrupted and cannot be taken back: {error.strerror}.",
                    where=where, fix="free it; the next command tries again.",
                ) from None  # fmt: skip
            messages.append(f"“{entry.command}” was interrupted; its files are as before.")
    shutil.rmtree(root / FOLDER / "staging", ignore_errors=True)
    return messages


def turn(root: Path, entry: Entry, side: Side) -> Entry:
    """Undo (``before``) or redo (``after``) an entry. Call it inside :func:`writing`.

    Raises:
        Refused: a file changed since; the message lists them all.
    """
    changed = [
        item.path
        for item in entry.files
        if digest(read(root, item.path)) != (item.after if side == "before" else item.before)
    ]
    if changed:
        raise Refused(
            f"changed since: {', '.join(changed)}.",
            fix="take these changes back first, or keep them: python-factory undo --merge; nothing was written.",
        )
    journal = Journal(root)
    try:
        begun = journal.mark(entry, "undoing" if side == "before" else "redoing")
    except OSError as error:
        where = str(error.filename or root)
        raise Refused(f"the journal cannot be written: {error.strerror}.", where=where, fix="free it.") from None
    return _put(root, journal, begun, side)


def _check_place(root: Path, path: str) -> None:
    parts = Path(path).parts
    if Path(path).is_absolute() or ".." in parts:
        raise Refused("the path leads out of the workspace.", where=path, fix="name a place inside.")
    for count in range(1, len(parts) + 1):
        if (root / Path(*parts[:count])).is_symlink():
            raise Refused("a symbolic link is in the way.", where="/".join(parts[:count]), fix="remove the link.")
