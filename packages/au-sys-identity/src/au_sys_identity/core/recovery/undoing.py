"""Take one change back, with a preview; taking back is a change that can be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.errors import LastAdmin, NotFound, NotReversible, Superseded
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, GRAPH, SETTINGS, SUBJECTS
from au_sys_identity.core.recovery.models import Change, Effect, RowImage
from au_sys_identity.core.recovery.ports import Clock, RecoveryTransactions, RecoveryUnit

_TOPICS = (GRAPH, SUBJECTS, ACCESS, SETTINGS)


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking a change back does to who may do what; ``by`` is the change that did it, if it was done."""

    change: Change
    effect: Effect
    by: UUID | None = None


class _DryRun(Exception):
    """Leaves the transaction."""


class Undoing:
    """Changes and their undo."""

    def __init__(self, transactions: RecoveryTransactions, granting: Granting, clock: Clock) -> None:
        self._transactions = transactions
        self._granting = granting
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
            effect = await unit.changes.effect(images)
        await self._granting.check_ceiling(by, _permissions(effect))
        made: UUID | None = None
        try:
            async with self._transactions.writing() as unit:
                for topic in _TOPICS:  # first, as every writer of these rows does: two never wait crosswise
                    await unit.versions.raise_topic(topic)
                change, images = await self._ready(unit, change_id)
                await unit.changes.put_back(images, self._clock())
                if not await unit.archives.has_admin():
                    raise LastAdmin
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


def _permissions(effect: Effect) -> frozenset[str]:
    """What somebody would gain, as permission patterns."""
    found = set()
    for rule in effect.gains:
        resource = rule["resource"]
        if resource.startswith("role:"):
            if resource == "role:platform-admin":
                found.add("*")
            continue
        path = resource.removesuffix("/*").strip("/").replace("/", ".")
        found.add("*" if path in ("", "*") else f"{path}.{rule['action']}")
    return frozenset(found)
