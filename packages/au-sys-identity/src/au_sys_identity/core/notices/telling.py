"""Tell people something: kept where they are signed in, and sent by mail; the same notice once."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Envelope, InAppNotice
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.subjects.models import SubjectId, person_id

_LONGEST_TITLE = 200
_LONGEST_TEXT = 2000
_LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as its person reads it. ``href`` is a path of this platform, or nothing."""

    id: UUID
    capability: str
    title: str
    text: str
    href: str
    at: datetime
    read_at: datetime | None


class Telling:
    """Notices of all capabilities."""

    def __init__(self, transactions: Transactions, letters: LetterBox, clock: Clock) -> None:
        self._transactions = transactions
        self._letters = letters
        self._clock = clock

    async def tell(self, urn: str, title: str, text: str, *, href: str = "", repeats: str = "", by: str = "") -> bool:
        """Keep a notice for somebody and queue the mail. ``repeats`` names a notice that is told once; ``by`` is the
        capability that tells it. ``False`` when nobody is told: unknown, closed or switched off, or told before.
        """
        subject, now = person_id(urn) if urn.startswith("urn:au:user:") else None, self._clock()
        path = href if href.startswith("/") and not href.startswith("//") else ""
        title, text, path = title[:_LONGEST_TITLE], text[:_LONGEST_TEXT], path[:_LONGEST_PATH]
        words = {"title": title, "text": text, "href": path}
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(subject) if subject else None
            if person is None or person.status in ("closed", "disabled"):
                return False
            notice_id = uuid5(person.id, f"{by}:{repeats}") if repeats else uuid7()
            sealed = self._letters.sealing.seal(f"notices:{notice_id}", json.dumps(words).encode())
            if not await unit.notices.add(InAppNotice(notice_id, person.id, by, sealed, now)):
                return False
            envelope = Envelope(subject=person.id, title=title, text=text, href=path)
            await self._letters.put_sealed(unit, "notice", envelope, now=now)
        return True

    async def of_subject(self, subject_id: SubjectId, *, before: UUID | None = None, limit: int = 50) -> list[Told]:
        """Newest first; ``before`` is the last id of the page before."""
        async with self._transactions.reading() as unit:
            kept = await unit.notices.of_subject(subject_id, before=before, limit=limit)
        return [self._told(notice) for notice in kept]

    async def unread(self, subject_id: SubjectId) -> int:
        """How many were not read yet."""
        async with self._transactions.reading() as unit:
            return await unit.notices.unread(subject_id)

    async def read(self, subject_id: SubjectId, notice_id: UUID) -> None:
        """Note that it was read; reading it again changes nothing.

        Raises:
            NotFound: the person has no such notice.
        """
        async with self._transactions.writing() as unit:
            if not await unit.notices.read(subject_id, notice_id, at=self._clock()):
                raise NotFound("notice")

    def _told(self, notice: InAppNotice) -> Told:
        words = json.loads(self._letters.sealing.unseal(f"notices:{notice.id}", notice.sealed))
        return Told(
            notice.id, notice.capability, words["title"], words["text"], words["href"], notice.at, notice.read_at
        )
