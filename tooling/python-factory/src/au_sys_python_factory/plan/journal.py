"""The journal: what was there before each apply, so that it can be taken back, byte for byte.

An entry is a folder ``.factory/journal/0007/`` with ``entry.json`` and the compressed bytes before and after.
Its state goes from ``intent`` to ``done``, and from there over ``undoing`` to ``undone``, and back over ``redoing``.
An entry that is found later in one of the states between was interrupted.
"""

import json
import os
import shutil
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.model import Plan, digest, read

FOLDER = ".factory"
_KEPT = 50
State = Literal["intent", "done", "undoing", "undone", "redoing"]


@dataclass(frozen=True, slots=True)
class Touched:
    """One file of an entry: digests and modes before and after (mode 0: not there)."""

    path: str
    before: str
    after: str
    mode_before: int
    mode_after: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One applied command."""

    id: str
    command: str
    state: State
    files: tuple[Touched, ...]
    folders: tuple[str, ...]


class Journal:
    """The entries of a workspace, oldest first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER / "journal"

    def entries(self) -> list[Entry]:
        """Every entry that can be read."""
        found = [self._read(path) for path in sorted(self.folder.glob("[0-9]*"))]
        return [entry for entry in found if entry is not None]

    def _read(self, path: Path) -> Entry | None:
        try:
            raw = json.loads((path / "entry.json").read_text(encoding="utf-8"))
            files = tuple(Touched(**item) for item in raw["files"])
            return Entry(raw["id"], raw["command"], raw["state"], files, tuple(raw["folders"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def entry(self, name: str) -> Entry:
        """One entry.

        Raises:
            Refused: there is none, or it is damaged.
        """
        found = self._read(self.folder / name)
        if found is None:
            known = ", ".join(entry.id for entry in self.entries()) or "none"
            raise Refused(f"there is no readable journal entry {name}.", fix=f"one of: {known}.")
        return found

    def begin(self, plan: Plan) -> Entry:
        """Write down what is there, before anything changes."""
        numbers = [int(path.name) for path in self.folder.glob("[0-9]*")]
        name = f"{max(numbers, default=0) + 1:04d}"
        place = self.folder / name
        place.mkdir(parents=True)
        files: list[Touched] = []
        folders: set[str] = set()
        for number, item in enumerate(plan.changes):
            before = read(self.root, item.path)
            mode = (self.root / item.path).stat().st_mode & 0o777 if before is not None else 0
            _keep(place / f"{number}.before", before)
            _keep(place / f"{number}.after", item.after)
            files.append(
                Touched(item.path, digest(before), digest(item.after), mode, item.mode if item.after is not None else 0)
            )
            folders |= {folder for folder in _above(item.path) if not (self.root / folder).exists()}
        entry = Entry(name, plan.command, "intent", tuple(files), tuple(sorted(folders)))
        self._write(entry)
        return entry

    def mark(self, entry: Entry, state: State) -> Entry:
        """Write the entry's state down."""
        marked = replace(entry, state=state)
        self._write(marked)
        return marked

    def _write(self, entry: Entry) -> None:
        target = self.folder / entry.id / "entry.json"
        staged = target.with_suffix(".new")
        with open(staged, "w", encoding="utf-8") as file:
            json.dump(asdict(entry), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, target)

    def content(self, entry: Entry, number: int, side: Literal["before", "after"]) -> bytes | None:
        """The bytes of one file on one side of an entry.

        Raises:
            Refused: the entry is damaged.
        """
        touched = entry.files[number]
        wanted = touched.before if side == "before" else touched.after
        path = self.folder / entry.id / f"{number}.{side}"
        try:
            found = zlib.decompress(path.read_bytes()) if path.is_file() else None
        except zlib.error:
            found = None
        if digest(found) != wanted:
            raise Refused(f"journal entry {entry.id} is damaged ({touched.path}).", fix="restore that file from git.")
        return found

    def forget_old(self) -> None:
        """Keep the last fifty entries."""
        for path in sorted(self.folder.glob("[0-9]*"))[:-_KEPT]:
            shutil.rmtree(path)


def _keep(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(zlib.compress(content))


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
