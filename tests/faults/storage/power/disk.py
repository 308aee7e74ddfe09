"""A disk that remembers: an SQLite VFS that notes every change and sync, so that a power cut can be played anywhere.

What is not synced may be lost, kept, torn at a sector or reordered; what is synced stays. A planted liar notes no sync.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_LOGS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
_NAME, _REAL = "power-cut", "unix"

Effect = tuple[str, int, bytes]
"""``write`` at an offset, ``truncate`` to a size, ``create`` or ``delete``."""


@dataclass(frozen=True, slots=True)
class Event:
    """One call. ``effect`` is ``None`` for a sync (of the folder when ``file`` is empty); ``mark``: the progress."""

    file: str
    effect: Effect | None
    mark: int


class Disk(apsw.VFS):
    """Passes everything on to the real file system and notes it. ``mark`` is set by the workload."""

    def __init__(self, *, lying: bool = False) -> None:
        super().__init__(_NAME, _REAL)
        self.events: list[Event] = []
        self.mark = 0
        self._lying = lying
        self._known: set[str] = set()

    def note(self, path: str, effect: Effect | None) -> None:
        """Remember a change or a sync (of the folder: an empty path)."""
        if effect is None and self._lying:
            return
        name = Path(path).name
        if name and name not in self._known:
            self._known.add(name)
            self.events.append(Event(name, ("create", 0, b""), self.mark))
        if effect is not None and effect[0] == "delete":
            self._known.discard(name)
        self.events.append(Event(name, effect, self.mark))

    def fresh(self, path: str) -> bool:
        """Whether a file is not there yet, as far as the disk has seen."""
        return Path(path).name not in self._known

    def synced(self, descriptor: int) -> None:
        """A descriptor was synced by Python code."""
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self.note("", None)

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        """Open a file that notes what is done to it."""
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """The name goes now; after a power cut it may be back unless the folder was synced."""
        super().xDelete(filename, syncdir)
        self.note(filename, ("delete", 0, b""))
        if syncdir:
            self.note("", None)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:  # Any: see Disk.xOpen
        self._disk = disk
        self._path = name if isinstance(name, str) else name.filename()
        # SQLite syncs the folder together with the first sync of a new log or journal.
        self._with_folder = bool(flags[0] & _LOGS) and disk.fresh(self._path)
        super().__init__(_REAL, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._disk.note(self._path, ("write", offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._disk.note(self._path, ("truncate", size, b""))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        if self._with_folder:
            self._with_folder = False
            self._disk.note("", None)
        self._disk.note(self._path, None)


@contextmanager
def recording(*, lying: bool = False) -> Iterator[Disk]:
    """While the block runs, every file that SQLite opens lies on a disk that remembers."""
    disk, fsync = Disk(lying=lying), os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        disk.synced(descriptor)

    apsw.set_default_vfs(_NAME)
    os.fsync = noted  # type: ignore[assignment]  # the border to the operating system
    try:
        yield disk
    finally:
        os.fsync = fsync
        apsw.set_default_vfs(_REAL)
        disk.unregister()


Image = dict[str, bytes]
Pick = Callable[[int, Effect], Sequence[Effect]]
"""Which parts of the effect at a place of the queue arrive."""


@dataclass(slots=True)
class Platter:
    """What has surely reached the disk, and what is on its way there."""

    names: set[str] = field(default_factory=set)
    sure: dict[str, bytearray] = field(default_factory=dict)
    waiting: list[tuple[str, Effect]] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Go on by one event."""
        if event.effect is not None:
            self.waiting.append((event.file, event.effect))
            return
        kept: list[tuple[str, Effect]] = []
        for file, effect in self.waiting:
            if effect[0] in {"create", "delete"}:
                if event.file:
                    kept.append((file, effect))
                elif effect[0] == "create":
                    self.names.add(file)
                else:
                    self.names.discard(file)
                    self.sure.pop(file, None)
                    kept = [entry for entry in kept if entry[0] != file]
            elif file == event.file:
                apply(self.sure.setdefault(file, bytearray()), effect)
            else:
                kept.append((file, effect))
        self.waiting = kept

    def image(self, pick: Pick) -> Image:
        """What a start after the cut finds when just the picked parts of what waits arrived."""
        names, changed, stays = set(self.names), dict[str, bytearray](), set[str]()
        for place, (file, effect) in enumerate(self.waiting):
            parts = pick(place, effect)
            if file in stays:  # it was deleted and the deletion is lost: what came later went into another file
                continue
            if effect[0] == "delete":
                if not parts:
                    stays.add(file)
                    continue
                names.discard(file)
                changed[file] = bytearray()
            elif effect[0] == "create":
                names |= {file} if parts else set()
            else:
                if file not in changed:
                    changed[file] = bytearray(self.sure.get(file, b""))
                for part in parts:
                    apply(changed[file], part)
        return {file: bytes(changed.get(file, self.sure.get(file, b""))) for file in names}

    def images(self, chance: random.Random, most: int) -> Iterator[Image]:
        """Some of the possible images: nothing of what waits, all of it, prefixes, gaps, torn sectors."""
        yield self.image(lambda _place, _effect: ())
        if not self.waiting:
            return
        yield self.image(lambda _place, effect: (effect,))
        for _ in range(most - 2):
            yield self.image(chance.choice((_prefix, _gaps, _torn, _late))(len(self.waiting), chance))


def apply(content: bytearray, effect: Effect) -> None:
    """Change the content of a file."""
    kind, number, data = effect
    content.extend(bytes(max(number - len(content), 0)))
    if kind == "truncate":
        del content[number:]
    elif kind == "write":
        content[number : number + len(data)] = data


def _prefix(length: int, chance: random.Random) -> Pick:
    end = chance.randrange(length + 1)
    return lambda place, effect: (effect,) if place < end else ()


def _late(length: int, chance: random.Random) -> Pick:
    """What came late arrived early."""
    start = chance.randrange(length)
    return lambda place, effect: (effect,) if place >= start else ()


def _gaps(length: int, chance: random.Random) -> Pick:
    share = chance.random()
    return lambda _place, effect: (effect,) if chance.random() < share else ()


def _torn(length: int, chance: random.Random) -> Pick:
    share = chance.random()
    return lambda _place, effect: [part for part in _sectors(effect) if chance.random() < share]


def _sectors(effect: Effect) -> Iterator[Effect]:
    kind, offset, data = effect
    if kind != "write":
        yield effect
        return
    start = 0
    while start < len(data):
        end = min(start + SECTOR - (offset + start) % SECTOR, len(data))
        yield kind, offset + start, data[start:end]
        start = end
