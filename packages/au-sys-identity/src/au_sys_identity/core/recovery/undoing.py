"""Take one change back, with a preview; taking back is a change that can be taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.access import ceiling
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.errors import LastAdmin, NotFound, NotReversible, Superseded
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, GRAPH, SETTINGS, SUBJECTS
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.recovery.consequences import Consequences, Reckoning, consequences_of, ends_of
from au_sys_identity.core.recovery.models import Change, Effect, RowImage
from au_sys_identity.core.recovery.ports import Clock, RecoveryTransactions, RecoveryUnit
from au_sys_identity.core.subjects.models import SubjectId

_TOPICS = (GRAPH, SUBJECTS, ACCESS, SETTINGS)


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking a change back does to who may do what; ``by`` is the change that did it, if it was done."""

    change: Change
    effect: Effect
    by: UUID | None = None


class SettingsCeiling(Protocol):
    """Values of settings, and who may give what they say."""

    async def values_in(self, unit: UnitOfWork) -> Mapping[str, object]: ...

    async def check_given(self, before: Mapping[str, object], after: Mapping[str, object], by: str) -> None: ...


class _DryRun(Exception):
    """Leaves the transaction."""


class Undoing:
    """Changes and their undo."""

    def __init__(
        self,
        transactions: RecoveryTransactions,
        granting: Granting,
        decisions: Decisions,
        settings: SettingsCeiling,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._granting = granting
        self._decisions = decisions
        self._settings = settings
        self._clock = clock

    async def page(self, *, before: UUID | None = None, limit: int = 50) -> list[Change]:
        """Newest first."""
        async with self._transactions.reading() as unit:
            return await unit.changes.page(before, limit)

    async def undo(self, change_id: UUID, *, by: str, dry_run: bool = True) -> Undone:
        """Put the rows of a change back, or tell what that would do.

        Raises:
            NotFound: there is no such change.
            NotReversible: it cannot be taken back.
            Superseded: what it changed has been changed again.
            ExceedsOwnRights: it would give what the caller does not hold.
            LastAdmin: nobody would be left who may do everything.
        """
        async with self._transactions.reading() as unit:
            change, images = await self._ready(unit, change_id)
            named = await unit.names.many([SubjectId(one) for one in ends_of(images)])
        found = consequences_of(images, {known.id: known.urn for known in named.values()})
        reckoning = await Reckoning.make(await self._decisions.policy.current(), found)
        await self._check_ceiling(reckoning, found, by)
        effect = await reckoning.effect()
        made: UUID | None = None
        try:
            async with self._transactions.writing() as unit:
                for topic in _TOPICS:  # first, as every writer of these rows does: two never wait crosswise
                    await unit.versions.raise_topic(topic)
                change, images = await self._ready(unit, change_id)
                await self._put_back(unit, images, found, reckoning, by)
                unit.record(Fact(f"{change.entity}.restored", by, change.entity_id, details={"change": str(change_id)}))
                if dry_run:
                    raise _DryRun
                await unit.changes.mark_undone(change_id, unit.change_id)
                made = unit.change_id
        except _DryRun:  # nothing went wrong: leaving the block by it rolled everything back
            pass
        return Undone(change, effect, made)

    async def forget(self, *, days: int, most: int) -> None:
        """Drop what is too old or too much."""
        gone = 1
        while gone:
            async with self._transactions.writing() as unit:
                gone = await unit.changes.forget(days=days, most=most, now=self._clock())

    async def _check_ceiling(self, reckoning: Reckoning, found: Consequences, by: str) -> None:
        """Nobody gives or takes more than they hold, and nobody changes an account that holds more."""
        ceiling.check_rules(await self._decisions.policy.current(), by, reckoning.given())
        for urn in sorted(found.concerned - {by}):
            await self._granting.check_outranks(by, urn)

    async def _put_back(
        self, unit: RecoveryUnit, images: Sequence[RowImage], found: Consequences, reckoning: Reckoning, by: str
    ) -> None:
        for role in sorted(found.roles):
            if await unit.grants.holders(role):
                raise NotReversible(f"subjects hold the role {role}")
        values = await self._settings.values_in(unit)
        had_admin = await ceiling.somebody(unit, reckoning.before)
        await unit.changes.put_back(images, self._clock())
        await self._settings.check_given(values, await self._settings.values_in(unit), by)
        if had_admin and not await ceiling.somebody(unit, reckoning.after):
            raise LastAdmin

    async def _ready(self, unit: RecoveryUnit, change_id: UUID) -> tuple[Change, Sequence[RowImage]]:
        change = await unit.changes.get(change_id)
        if change is None:
            raise NotFound("change")
        if not change.reversible:
            raise NotReversible("credentials, births, erasures and approvals stay as they are")
        images = await unit.changes.images(change_id)
        if change.undone_by is not None:
            raise Superseded(str(change.undone_by))
        for image in images:
            if not await unit.changes.stands(image):
                raise Superseded(str(await unit.changes.later(change) or ""))
        return change, images
