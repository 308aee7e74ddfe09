"""Was a history linearizable? Two checkers over what clients called and were answered.

:func:`violations` checks the versions: fast enough for the end of every load test. :func:`linearizable` searches an
order for one key by the algorithm of Wing and Gong (with the memory of Lowe); it goes by the values, each of
which has to be written only once.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from au_sys_storage_sdk.core.errors import Conflict, StorageError

UNKNOWN = math.inf
"""The end of a call whose answer never came: it may have had its effect, at any time."""

Kind = Literal["read", "write", "remove", "swap"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call on a key. ``version`` is what it answered: of a read the version found (``None``: nothing there), of a
    write or removal its own. ``expected`` is the version that a ``swap`` demands (0: nothing there); it succeeded
    unless ``refused``.
    """

    kind: Kind
    key: str
    begun: float
    ended: float
    value: object = None
    version: int | None = None
    expected: int | None = None
    refused: bool = False


class History:
    """Notes calls as they happen."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._ticks = itertools.count(1)

    async def read(self, key: str, call: Callable[[], Awaitable[tuple[object, int] | None]]) -> None:
        """A look at a key: value and version, or ``None``."""
        begun = next(self._ticks)
        try:
            found = await call()
        except StorageError:
            return  # nobody learned anything
        value, version = found if found is not None else (None, None)
        self.calls.append(Call("read", key, begun, next(self._ticks), value, version))

    async def write(
        self, key: str, value: object, call: Callable[[], Awaitable[int]], expected: int | None = None
    ) -> None:
        """A put (a swap when a version is ``expected``); an error other than a conflict leaves its effect unknown."""
        begun = next(self._ticks)
        kind: Kind = "write" if expected is None else "swap"
        try:
            version: int | None = await call()
        except Conflict:
            self._note(Call("swap", key, begun, next(self._ticks), value, None, expected, refused=True))
            return
        except StorageError:
            self._note(Call(kind, key, begun, UNKNOWN, value, None, expected))
            return
        self._note(Call(kind, key, begun, next(self._ticks), value, version, expected))

    async def remove(self, key: str, call: Callable[[], Awaitable[int | None]]) -> None:
        """A removal that answers its sequence, ``None`` when nothing was there."""
        begun = next(self._ticks)
        try:
            version = await call()
        except StorageError:
            self._note(Call("remove", key, begun, UNKNOWN))
            return
        if version is None:
            self._note(Call("read", key, begun, next(self._ticks)))
        else:
            self._note(Call("remove", key, begun, next(self._ticks), None, version))

    def _note(self, call: Call) -> None:
        self.calls.append(call)

    def problems(self) -> list[str]:
        """Both checkers; empty when all is well."""
        found = violations(self.calls)
        return found or [key for key, calls in by_key(self.calls).items() if not linearizable(calls)]


def by_key(calls: Iterable[Call]) -> dict[str, list[Call]]:
    """The calls of each key."""
    found: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        found[call.key].append(call)
    return found


def violations(calls: Sequence[Call]) -> list[str]:
    """What contradicts the order of versions, as sentences.

    Versions are unique; a write that began after another ended has the greater one, whatever the keys; a read finds a
    version that was written, its value, nothing older than what was over before it began, nothing that began after it
    ended.
    """
    writes = [call for call in calls if call.kind != "read" and call.version is not None]
    return [*_unique(writes), *_ordered(writes), *(text for known in by_key(calls).values() for text in _read(known))]


def _unique(writes: list[Call]) -> list[str]:
    seen: dict[int | None, Call] = {}
    found = []
    for write in writes:
        if write.version in seen:
            found.append(f"version {write.version} was given to {seen[write.version].key!r} and {write.key!r}")
        seen[write.version] = write
    return found


def _ordered(writes: list[Call]) -> list[str]:
    """Writes in the order of their beginnings against the greatest version that was acknowledged by then."""
    ends = sorted(writes, key=lambda call: call.ended)
    greatest, place, found = 0, 0, []
    for write in sorted(writes, key=lambda call: call.begun):
        while place < len(ends) and ends[place].ended < write.begun:
            greatest = max(greatest, ends[place].version or 0)
            place += 1
        if (write.version or 0) < greatest:
            found.append(f"{write.key!r}: version {write.version} was written after {greatest} was acknowledged")
    return found


def _read(calls: list[Call]) -> list[str]:
    """The reads of one key."""
    known: dict[int | None, Call] = {
        call.version: call for call in calls if call.kind != "read" and call.version is not None
    }
    unknown = [call for call in calls if call.kind != "read" and call.ended == UNKNOWN]
    acknowledged = sorted((call for call in calls if call.version is not None), key=lambda call: call.ended)
    ends = [call.ended for call in acknowledged]
    newest = list(itertools.accumulate((call.version or 0 for call in acknowledged), max, initial=0))
    found = []
    for read in calls:
        if read.kind == "read":
            floor = newest[bisect_left(ends, read.begun)]
            found += _judged(read, floor, known, unknown)
    return found


def _judged(read: Call, floor: int, known: dict[int | None, Call], unknown: list[Call]) -> list[str]:
    where = f"{read.key!r}: a read"
    if read.version is None:
        ok = floor == 0 or any(
            call.kind == "remove" and call.begun < read.ended and (call.version or UNKNOWN) >= floor
            for call in itertools.chain(known.values(), unknown)
        )
        return [] if ok else [f"{where} found nothing after version {floor} was acknowledged"]
    if read.version < floor:
        return [f"{where} found version {read.version} after {floor} was acknowledged"]
    write = known.get(read.version)
    if write is None:
        if any(call.value == read.value and call.begun < read.ended for call in unknown):
            return []
        return [f"{where} found version {read.version}, which nobody wrote"]
    if write.begun > read.ended:
        return [f"{where} found version {read.version} before it was written"]
    if write.kind == "remove" or write.value != read.value:
        return [f"{where} found another value than was written as version {read.version}"]
    return []


def linearizable(calls: Sequence[Call]) -> bool:
    """Whether the calls of one key have an order that explains every answer and keeps to real time."""
    ordered = sorted(calls, key=lambda call: call.begun)
    required = sum(1 << place for place, call in enumerate(ordered) if call.ended != UNKNOWN)
    values: dict[int | None, object] = {call.version: call.value for call in calls if call.version is not None}
    seen: set[tuple[int, object]] = set()
    waiting: list[tuple[int, object]] = [(0, None)]
    while waiting:
        done, state = waiting.pop()
        if done & required == required:
            return True
        for place in _next(ordered, done):
            for after in _stepped(ordered[place], state, values):
                reached = (done | 1 << place, after)
                if reached not in seen:
                    seen.add(reached)
                    waiting.append(reached)
    return False


def _next(ordered: list[Call], done: int) -> list[int]:
    """The calls that may come next: begun before any other open call has ended."""
    earliest, found = UNKNOWN, list[int]()
    place = _first_open(done)
    while place < len(ordered) and ordered[place].begun <= earliest:
        if not done >> place & 1:
            found.append(place)
            earliest = min(earliest, ordered[place].ended)
        place += 1
    return found


def _first_open(done: int) -> int:
    return (~done & (done + 1)).bit_length() - 1


def _stepped(call: Call, state: object, values: dict[int | None, object]) -> list[object]:
    """The value after a call (``None``: nothing there); empty when its answer does not fit."""
    if call.kind == "read":
        return [state] if call.value == state else []
    if call.kind == "remove":
        return [None] if state is not None or call.ended == UNKNOWN else []
    if call.kind == "swap":
        fits = state == (None if not call.expected else values.get(call.expected, call))
        if call.refused:
            return [] if fits else [state]
        if not fits:
            return [state] if call.ended == UNKNOWN else []
    return [call.value]
