"""List and end sessions; an ended session is refused from the next request on, its access tokens included."""

from uuid import UUID

from au_sys_identity.core.credentials.models import Device
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.sessions.models import Session, SessionId
from au_sys_identity.core.sessions.opening import bound_to_device
from au_sys_identity.core.subjects.models import SubjectId, subject_urn


class Sessions:
    """Living sessions of a subject."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def of_subject(self, subject_id: SubjectId) -> list[Session]:
        """Living sessions, last used first."""
        async with self._transactions.reading() as unit:
            return await unit.sessions.of_subject(subject_id, now=self._clock())

    async def end(self, subject_id: SubjectId, session_id: SessionId, *, by: str, reason: str = "signed out") -> None:
        """End one session of a subject.

        Raises:
            NotFound: the subject has no such living session.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            session = await unit.sessions.get(session_id)
            if session is None or session.subject_id != subject_id or not session.lives(now):
                raise NotFound("session")
            await unit.sessions.end(session_id, at=now, reason=reason)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("session.ended", by, f"urn:au:session:{session_id}", reason=reason))

    async def end_all(
        self, subject_id: SubjectId, *, by: str, keep: SessionId | None = None, reason: str = "signed out everywhere"
    ) -> int:
        """End every session of a subject but one; how many ended."""
        async with self._transactions.writing() as unit:
            ended = await unit.sessions.end_all(subject_id, at=self._clock(), reason=reason, keep=keep)
            if ended:
                await unit.versions.raise_topic(SUBJECTS)
                urn = subject_urn("person", subject_id)
                unit.record(Fact("session.ended", by, urn, reason=reason, details={"count": len(ended)}))
        return len(ended)

    async def devices(self, subject_id: SubjectId) -> list[Device]:
        """Browsers that signed in before, last seen first."""
        async with self._transactions.reading() as unit:
            return await unit.credentials.devices(subject_id)

    async def forget_device(self, subject_id: SubjectId, device_id: UUID, *, by: str) -> None:
        """Forget a browser and end its sessions.

        Raises:
            NotFound: the subject has no such device.
        """
        async with self._transactions.writing() as unit:
            theirs = [known for known in await unit.credentials.devices(subject_id) if known.id == device_id]
            if not theirs:
                raise NotFound("device")
            await unit.credentials.forget_device(theirs[0])
            tie, reason = bound_to_device(theirs[0].token_hash), "its device was forgotten"
            ended = await unit.sessions.end_bound(subject_id, tie, at=self._clock(), reason=reason)
            await unit.versions.raise_topic(SUBJECTS)
            urn = subject_urn("person", subject_id)
            unit.record(Fact("session.ended", by, urn, reason=reason, details={"count": ended}))

    async def rename(self, subject_id: SubjectId, session_id: SessionId, label: str) -> Session:
        """Give a session a name that its owner recognizes.

        Raises:
            NotFound: the subject has no such living session.
        """
        async with self._transactions.writing() as unit:
            session = await unit.sessions.get(session_id)
            if session is None or session.subject_id != subject_id or not session.lives(self._clock()):
                raise NotFound("session")
            await unit.sessions.rename(session_id, label)
            renamed = await unit.sessions.get(session_id)
        if renamed is None:
            raise NotFound("session")
        return renamed
