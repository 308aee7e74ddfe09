"""Decide what a commit does: operations and the state they meet in, records and events to write out.

Every backend that can look before it writes uses this one decision, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Check, Delete, Emit, Increment, Operation, Outcome, Put
from au_sys_storage_sdk.core.errors import InvalidInput, StorageError
from au_sys_storage_sdk.core.preconditions import require

Address: TypeAlias = tuple[Space, str]

Lookup: TypeAlias = Callable[[Space, str], Stored | None]
"""The state before the commit; expired documents are already absent. Only increments read the value."""

SHORT = 24
"""Bytes of a value that are looked at before a commit: a counter has less."""

_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: the record of each touched address (``None``: remove), events, answers, the last sequence."""

    records: dict[Address, Stored | None]
    changes: list[Change]
    outcomes: list[Outcome]
    sequence: int


def plan(operations: Sequence[Operation], lookup: Lookup, sequence: int, now: int) -> Plan:
    """Decide about one atomic commit. Later operations see the effect of earlier ones.

    Raises:
        Conflict: a condition does not hold; nothing may be written.
        InvalidInput: an increment meets something other than a whole number, or leaves 64 bits.
    """
    made = Plan({}, [], [], sequence)
    for operation in operations:
        address = (operation.space, operation.key)
        found = made.records[address] if address in made.records else lookup(operation.space, operation.key)
        sequence = _step(operation, found, made, sequence, now)
    return Plan(made.records, made.changes, made.outcomes, sequence)


def _step(operation: Operation, found: Stored | None, made: Plan, sequence: int, now: int) -> int:
    actual = found.version if found else None
    if not isinstance(operation, Increment | Emit):
        require(operation.condition, actual, operation.space.namespace, operation.key)
    if isinstance(operation, Check):
        made.outcomes.append(Outcome(actual))
        return sequence
    if isinstance(operation, Delete) and found is None:
        made.outcomes.append(Outcome(None))
        return sequence
    sequence += 1
    address = (operation.space, operation.key)
    total: int | None = None
    if isinstance(operation, Put):
        made.records[address] = record(operation, found, sequence, now)
    elif isinstance(operation, Increment):
        made.records[address], total = _incremented(operation, found, sequence, now)
    elif isinstance(operation, Delete):
        made.records[address] = None
    made.outcomes.append(Outcome(sequence, total, found is None))
    made.changes.append(_change(operation, sequence, now))
    return sequence


def record(operation: Put, found: Stored | None, version: int, now: int) -> Stored:
    """What a put leaves behind at this version."""
    return Stored(
        operation.key,
        operation.value if isinstance(operation.value, bytes) else operation.value(version),
        version,
        found.created if found else now,
        now,
        operation.expires if operation.ttl is None else now + operation.ttl,
        operation.schema,
        operation.codec,
        operation.key_generation,
    )


def _incremented(operation: Increment, found: Stored | None, version: int, now: int) -> tuple[Stored, int]:
    try:
        before = int(found.value) if found else 0
    except ValueError:
        raise InvalidInput(
            "increment", f"key {operation.key!r} holds no whole number", "increment counters only"
        ) from None
    total = before + operation.by
    if total not in _INT64:
        raise InvalidInput("increment", f"key {operation.key!r} would leave 64 bits", "start a new counter")
    created, expires = (found.created, found.expires) if found else (now, None)
    return Stored(operation.key, str(total).encode(), version, created, now, expires), total


def _change(operation: Operation, sequence: int, now: int) -> Change:
    if isinstance(operation, Emit):
        return Change(sequence, operation.space, operation.key, "emit", now, operation.data)
    return Change(sequence, operation.space, operation.key, "delete" if isinstance(operation, Delete) else "put", now)


class Batch:
    """Commits decided one after the other, and what has to be written for all of them.

    Each sees what those before it do; one that is refused changes nothing and leaves the others alone. ``seen``: the
    documents at the addresses of :func:`touched`, whose values only increments read; what has expired is not there.
    """

    __slots__ = ("before", "changes", "now", "records", "seen", "sequence")

    def __init__(self, sequence: int, now: int, seen: Mapping[Address, Stored | None]) -> None:
        self.before = sequence
        self.sequence = sequence
        self.now = now
        self.seen = seen
        self.records: dict[Address, Stored | None] = {}
        self.changes: list[Change] = []

    def decide_all(self, commits: Iterable[Sequence[Operation]]) -> list[Sequence[Outcome] | Exception]:
        """What each of them answers."""
        return [self.decide(operations) for operations in commits]

    def decide(self, operations: Sequence[Operation]) -> Sequence[Outcome] | StorageError:
        """What a commit answers."""
        try:
            if len(operations) == 1 and type(operations[0]) is Put:
                return (self._put(operations[0]),)
            made = plan(operations, self._found, self.sequence, self.now)
        except StorageError as error:
            return error
        self.records.update(made.records)
        self.changes += made.changes
        self.sequence = made.sequence
        return made.outcomes

    def _put(self, operation: Put) -> Outcome:
        """The most frequent commit without the general plan; the same decision."""
        space, key = operation.space, operation.key
        found = self._found(space, key)
        if operation.condition is not None:
            require(operation.condition, found.version if found else None, space.namespace, key)
        version = self.sequence + 1
        self.records[space, key] = record(operation, found, version, self.now)
        self.changes.append(Change(version, space, key, "put", self.now))
        self.sequence = version
        return Outcome(version, None, found is None)

    def _found(self, space: Space, key: str) -> Stored | None:
        address = (space, key)
        if address in self.records:
            return self.records[address]
        found = self.seen.get(address)
        return None if found is None or (found.expires is not None and found.expires <= self.now) else found

    def expire(self, space: Space, key: str) -> None:
        """Remove a document whose time has come."""
        self.sequence += 1
        self.records[space, key] = None
        self.changes.append(Change(self.sequence, space, key, "expire", self.now))

    @property
    def last(self) -> dict[Space, int]:
        """The last sequence of each namespace that was written to."""
        return {change.space: change.seq for change in self.changes}


def touched(commits: Iterable[Sequence[Operation]]) -> list[Address]:
    """Where commits look or write, each address once."""
    addresses = {
        (operation.space, operation.key): None
        for operations in commits
        for operation in operations
        if type(operation) is not Emit
    }
    return list(addresses)
