"""Approve what scripts may import: exactly what was built, by its digest; and take it back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.governance.environments.models import (
    BuiltEnvironment,
    EnvironmentDecision,
    EnvironmentVerdict,
    usable,
)
from skriptoteket.core.governance.environments.ports import EnvironmentShelf, EnvironmentUnit
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import Actor

_LONGEST = 4000
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """An environment of this host, and the last word about what it holds now."""

    built: BuiltEnvironment
    decision: EnvironmentDecision | None

    @property
    def usable(self) -> bool:
        """Whether scripts may run in it."""
        return bool(usable([self.built], _approved([self.decision] if self.decision else [])))


class Approving:
    """The verbs *look* and *decide*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[EnvironmentUnit], shelf: EnvironmentShelf, clock: Clock, ids: Ids) -> None:
        self._work = work
        self._shelf = shelf
        self._clock = clock
        self._ids = ids

    async def look(self) -> Sequence[EnvironmentState]:
        """Every environment that versions may choose."""
        built = await self._shelf.built()
        async with self._work.read() as unit:
            last = _last(await unit.environments.decisions())
        return [EnvironmentState(one, last.get((one.name, one.digest))) for one in built]

    async def usable(self) -> frozenset[str]:
        """The names that scripts may run in on this host."""
        return frozenset(state.built.name for state in await self.look() if state.usable)

    async def decide(
        self, actor: Actor, name: str, expected_digest: str, verdict: EnvironmentVerdict, rationale: str
    ) -> EnvironmentDecision:
        """Record a verdict about what the decider saw, or what hosts will get: a digest that is not here yet may be
        approved ahead.

        Raises:
            NotFound: there is no such environment.
            ValidationFailed: no rationale, no digest, or a folder that nobody knows the content of.
            Conflict: it was built anew since (hash_mismatch), or that is its state already (already_decided).
        """
        text = rationale.strip()
        if not 1 <= len(text) <= _LONGEST:
            raise ValidationFailed([FieldIssue("rationale", "length", f"must have 1 to {_LONGEST} characters")])
        state = next((one for one in await self.look() if one.built.name == name), None)
        if state is None:
            raise NotFound("environment", name)
        _ensure_decidable(state.built, expected_digest)
        now = self._clock.now()
        decision = EnvironmentDecision(self._ids.new(), name, expected_digest, verdict, text, actor.subject, now)
        async with self._work.write() as unit:
            before = _last(await unit.environments.decisions()).get((name, expected_digest))
            if before is not None and before.verdict is verdict:
                raise Conflict("already_decided", f"The environment is {verdict.value} already.")
            await unit.environments.add(decision)
        return decision


def _ensure_decidable(built: BuiltEnvironment, digest: str) -> None:
    if built.problem:
        raise ValidationFailed([FieldIssue("environment", "unbuilt", built.problem)])
    if _DIGEST.fullmatch(digest) is None:
        raise ValidationFailed(
            [FieldIssue("expected_digest", "format", "must be the 64 digits that the build printed")]
        )
    if built.digest and built.digest != digest:
        facts = {"digest": built.digest}
        raise Conflict("hash_mismatch", "The environment was built anew. Look at its packages again.", facts)


def _last(decisions: Sequence[EnvironmentDecision]) -> Mapping[tuple[str, str], EnvironmentDecision]:
    return {(one.name, one.digest): one for one in decisions}


def _approved(decisions: Sequence[EnvironmentDecision]) -> frozenset[tuple[str, str]]:
    last = _last(decisions).items()
    return frozenset(key for key, one in last if one.verdict is EnvironmentVerdict.APPROVED)
