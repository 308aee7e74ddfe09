"""The one decision about a commit that all backends share."""

import pytest

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Check, Delete, Emit, Increment, Operation, Put
from au_sys_storage_sdk.core.documents.planning import plan
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput
from au_sys_storage_sdk.core.preconditions import ABSENT

HERE = Space("default", "things")
KNOWN = {"old": Stored("old", b"41", 7, 100, 200, 9000)}


def lookup(space: Space, key: str) -> Stored | None:
    """The state before."""
    return KNOWN.get(key)


def test_each_writing_step_takes_one_number() -> None:
    """Checks and deletions of nothing take none; the feed has an entry per number."""
    steps: list[Operation] = [
        Check(HERE, "old", 7),
        Delete(HERE, "none"),
        Put(HERE, "new", b"1"),
        Emit(HERE, "e", b"{}"),
        Delete(HERE, "old"),
    ]
    made = plan(steps, lookup, 50, 300)
    assert [outcome.version for outcome in made.outcomes] == [7, None, 51, 52, 53]
    assert [(change.seq, change.event) for change in made.changes] == [(51, "put"), (52, "emit"), (53, "delete")]
    assert made.sequence == 53
    assert {(HERE, "new"): Stored("new", b"1", 51, 300, 300), (HERE, "old"): None} == made.records


def test_an_increment_keeps_birth_and_end_of_life() -> None:
    """Only value, version and time of change move."""
    made = plan([Increment(HERE, "old")], lookup, 50, 300)
    assert Stored("old", b"42", 51, 100, 300, 9000) == made.records[HERE, "old"]


def test_a_value_may_be_sealed_to_its_version() -> None:
    """The function gets the version that the record will have."""
    made = plan([Put(HERE, "new", lambda version: b"v%d" % version)], lookup, 50, 300)
    record = made.records[HERE, "new"]
    assert record is not None
    assert record.value == b"v51"


def test_a_conflict_names_what_was_found() -> None:
    """And the state of earlier steps counts."""
    with pytest.raises(Conflict) as raised:
        plan([Delete(HERE, "old"), Put(HERE, "old", b"1", 7)], lookup, 50, 300)
    assert (raised.value.expected, raised.value.actual) == (7, None)
    with pytest.raises(Conflict):
        plan([Put(HERE, "old", b"1", ABSENT)], lookup, 50, 300)


def test_a_sum_beyond_64_bits_is_refused() -> None:
    """Counters do not wrap."""
    with pytest.raises(InvalidInput, match="64 bits"):
        plan([Increment(HERE, "old", 2**63)], lookup, 50, 300)
