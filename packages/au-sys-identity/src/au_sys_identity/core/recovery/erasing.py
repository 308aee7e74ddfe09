"""Erase a person: the account is closed, what is only hers is deleted, and the key to the rest is destroyed."""

from collections.abc import Awaitable, Callable

from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, GRAPH, SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.recovery.ledger import ERASED
from au_sys_identity.core.recovery.models import Revocation
from au_sys_identity.core.recovery.ports import Clock, RecoveryTransactions
from au_sys_identity.core.subjects.models import SubjectId


class Erasing:
    """What the log tells of her stays and is proved; who she was does not."""

    def __init__(
        self, transactions: RecoveryTransactions, write_ledger: Callable[[], Awaitable[None]], clock: Clock
    ) -> None:
        self._transactions = transactions
        self._write_ledger = write_ledger
        self._clock = clock

    async def erase(self, subject_id: SubjectId | None, *, by: str) -> None:
        """Erase a closed account. Erasing it again changes nothing.

        Raises:
            NotFound: there is no such person, or the account is not closed yet.
            StoreUnavailable: done here, but the key still lies beside the backups; a job tries again.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(subject_id) if subject_id else None
            if person is None or person.status != "closed":
                raise NotFound("person")
            unit.unwatched()
            for topic in (GRAPH, SUBJECTS, ACCESS):
                await unit.versions.raise_topic(topic)
            if await unit.subject_keys.destroy(person.id, at=now):
                await unit.archives.erase_personal(person.id, now)
                await unit.archives.note_erased(Revocation(uuid7(), now, ERASED, str(person.id)))
                unit.record(Fact("subject.erased", by, person.urn))
        await self._write_ledger()
