"""Scripts run only in what an administrator approved exactly as it was built."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.errors import Conflict, NotFound, ValidationFailed
from skriptoteket.core.governance.environments.approving import Approving
from skriptoteket.core.governance.environments.models import BuiltEnvironment, EnvironmentVerdict
from skriptoteket.core.roles import OPERATE, Actor

BOSS = Actor("urn:fsp:person:boss", frozenset({OPERATE}))
APPROVE, WITHDRAW = EnvironmentVerdict.APPROVED, EnvironmentVerdict.WITHDRAWN
BUILT = BuiltEnvironment("standard@1", "a" * 64, ("pandas 3.1.1",))


@dataclass
class Shelf:
    """What lies on the disk."""

    there: tuple[BuiltEnvironment, ...] = (BUILT,)

    async def built(self) -> tuple[BuiltEnvironment, ...]:
        """As it lies there now."""
        return self.there


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        """Always the same."""
        return datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_a_built_environment_waits_for_its_approval(work: Any) -> None:  # Any: either unit of work
    """Built is not usable; approved is; taken back is not; each verdict stays on record."""
    approving = Approving(work, Shelf(), Noon(), TimeOrderedIds())
    assert await approving.usable() == frozenset()

    await approving.decide(BOSS, "standard@1", BUILT.digest, APPROVE, " looked at each ")
    assert await approving.usable() == frozenset({"standard@1"})

    await approving.decide(BOSS, "standard@1", BUILT.digest, WITHDRAW, "a hole in pypdf")
    assert await approving.usable() == frozenset()
    async with work.read() as unit:
        kept = await unit.environments.decisions()
    assert [(one.verdict, one.rationale, one.by) for one in kept] == [
        (APPROVE, "looked at each", BOSS.subject),
        (WITHDRAW, "a hole in pypdf", BOSS.subject),
    ]


async def test_what_was_built_anew_waits_again(work: Any) -> None:  # Any: as above
    """Other packages under the same name are not approved, and a verdict about the old ones is refused."""
    shelf = Shelf()
    approving = Approving(work, shelf, Noon(), TimeOrderedIds())
    await approving.decide(BOSS, "standard@1", BUILT.digest, APPROVE, "looked at")
    shelf.there = (replace(BUILT, digest="b" * 64),)

    assert await approving.usable() == frozenset()
    with pytest.raises(Conflict) as refused:
        await approving.decide(BOSS, "standard@1", BUILT.digest, APPROVE, "again")
    assert refused.value.reason == "hash_mismatch"


async def test_what_will_be_built_may_be_approved_ahead(work: Any) -> None:  # Any: as above
    """A digest that no host has yet may be approved, so that a new host needs not wait for anybody."""
    shelf = Shelf((BuiltEnvironment("standard@1"),))
    approving = Approving(work, shelf, Noon(), TimeOrderedIds())
    await approving.decide(BOSS, "standard@1", BUILT.digest, APPROVE, "looked at the lock")
    shelf.there = (BUILT,)

    assert await approving.usable() == frozenset({"standard@1"})


async def test_what_cannot_be_decided_is_refused(work: Any) -> None:  # Any: as above
    """No reason, an unknown name, a folder made by hand, the bare standard library, the same verdict twice."""
    shelf = Shelf((BUILT, BuiltEnvironment("plain@1"), BuiltEnvironment("odd@1", problem="was not built")))
    approving = Approving(work, shelf, Noon(), TimeOrderedIds())
    assert await approving.usable() == frozenset({"plain@1"})
    for name, digest, reason, error in (
        ("standard@1", BUILT.digest, "  ", ValidationFailed),
        ("standard@1", BUILT.digest, "x" * 4001, ValidationFailed),
        ("other@1", "", "why", NotFound),
        ("odd@1", "", "why", ValidationFailed),
        ("plain@1", "", "why", ValidationFailed),
        ("plain@1", "A" * 64, "why", ValidationFailed),
    ):
        with pytest.raises(error):
            await approving.decide(BOSS, name, digest, APPROVE, reason)
    await approving.decide(BOSS, "standard@1", BUILT.digest, APPROVE, "why")
    with pytest.raises(Conflict):
        await approving.decide(BOSS, "standard@1", BUILT.digest, APPROVE, "why")
