"""Send what waits in the outbox: at least once, five tries, then dead and visible.

Who the recipient is, and the secret of a link, is settled here and not when the letter was asked for: so asking costs
the same for every address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from au_sys_identity.core.derivation import digest, new_secret
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Envelope, Letter, OneTimeToken, OutboxItem, Purpose
from au_sys_identity.core.notices.ports import Post, PostRefused
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId

_AT_ONCE = 50
_TRIES = 5
_PATHS: dict[Purpose, str] = {"verify": "/verify", "email": "/verify", "reset": "/reset-password", "magic": "/magic"}
_PAGES = {
    "known": "/forgot-password",
    "approval": "/account/approvals",
    "custody-transferred": "/account/machines",
    "session-stolen": "/account/security",
}
_PURPOSES: dict[str, Purpose] = {purpose: purpose for purpose in _PATHS}


@dataclass(slots=True)
class LinkTimes:
    """How long links are good for. Changed in place when an administrator changes a setting."""

    verify: timedelta = timedelta(hours=24)
    reset: timedelta = timedelta(hours=1)
    magic: timedelta = timedelta(minutes=15)

    def of(self, purpose: Purpose) -> timedelta:
        """How long a link of this purpose is good for."""
        return {"verify": self.verify, "email": self.verify, "reset": self.reset, "magic": self.magic}[purpose]


class Delivery:
    """Empties the outbox."""

    def __init__(
        self,
        transactions: Transactions,
        letters: LetterBox,
        post: Post,
        clock: Clock,
        *,
        public_url: str,
        times: LinkTimes,
    ) -> None:
        self._transactions = transactions
        self._letters = letters
        self._post = post
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        self._times = times

    async def run(self) -> None:
        """Send everything that is due. A letter that cannot even be written holds up no other.

        Raises:
            Exception: what was wrong with such a letter, after all others were sent.
        """
        async with self._transactions.reading() as unit:
            due = await unit.outbox.due(self._clock(), _AT_ONCE)
        trouble: Exception | None = None
        for item in due:
            try:
                await self._deliver(item)
            except Exception as error:
                trouble = error
        if trouble is not None:
            raise trouble

    async def backlog(self) -> tuple[int, int]:
        """How many letters wait, and how many are dead."""
        async with self._transactions.reading() as unit:
            return await unit.outbox.waiting()

    async def _deliver(self, item: OutboxItem) -> None:
        now = self._clock()
        async with self._transactions.writing() as unit:
            if not await unit.outbox.claim(item, until=now + timedelta(seconds=30 * 2**item.attempts)):
                return
        try:
            letter = await self._written(item, now)
            if letter is not None:
                await self._post.send(letter)
        except Exception as error:
            if item.attempts + 1 >= _TRIES:
                async with self._transactions.writing() as unit:
                    await unit.outbox.give_up(item.id, at=now)
            if isinstance(error, PostRefused):
                return
            raise
        async with self._transactions.writing() as unit:
            await unit.outbox.done(item.id)

    async def _written(self, item: OutboxItem, now: datetime) -> Letter | None:
        """The letter, or ``None`` when it concerns nobody."""
        envelope = self._letters.opened(item)
        if envelope.invitation is not None:
            return await self._invited(item, envelope, envelope.invitation, now)
        purpose = _PURPOSES.get(item.kind)
        link = ""
        async with self._transactions.writing() as unit:
            person = await _recipient(unit, envelope)
            if person is None or person.status in ("disabled", "closed"):
                return None
            if purpose:
                taken = envelope.subject and await unit.subjects.by_email(envelope.to)
                if taken or not _concerns(purpose, person):
                    return None
                link = await self._with_token(unit, purpose, person, envelope, now)
        if not link and (path := envelope.href or _PAGES.get(item.kind)):
            link = f"{self._public_url}{path}"
        recipient = envelope.to if envelope.subject and envelope.to else person.email
        texts = (envelope.title, envelope.text)
        return Letter(item.id, item.kind, recipient, person.display_name, link, *texts, person.locale)

    async def _invited(self, item: OutboxItem, envelope: Envelope, invitation_id: UUID, now: datetime) -> Letter | None:
        """The letter with a new secret, while the invitation is open."""
        secret = new_secret()
        async with self._transactions.writing() as unit:
            invitation = await unit.invitations.get(invitation_id)
            if invitation is None or invitation.state(now) != "open":
                return None
            await unit.invitations.give_token(invitation.id, digest(secret))
        link = f"{self._public_url}/invitation#token={secret}"
        return Letter(item.id, item.kind, invitation.email, "", link, envelope.title, envelope.text)

    async def _with_token(
        self, unit: UnitOfWork, purpose: Purpose, person: Person, envelope: Envelope, now: datetime
    ) -> str:
        """A link that is good once, for this person and address."""
        secret, asker = new_secret(), envelope.asker
        token = OneTimeToken(
            id=uuid7(),
            purpose=purpose,
            token_hash=digest(secret),
            subject_id=person.id,
            address=envelope.to,
            expires_at=now + self._times.of(purpose),
            flow_hash=asker.flow_hash if asker else None,
            asked_from=asker.place[:200] if asker else "",
        )
        await unit.one_time_tokens.add(token)
        return f"{self._public_url}{_PATHS[purpose]}#token={secret}"


async def _recipient(unit: UnitOfWork, envelope: Envelope) -> Person | None:
    if envelope.subject is not None:
        return await unit.subjects.get(SubjectId(envelope.subject))
    return await unit.subjects.by_email(envelope.to)


def _concerns(purpose: Purpose, person: Person) -> bool:
    """Whether this person has a use for such a link."""
    if purpose == "verify":
        return person.email_verified_at is None
    if purpose == "email":
        return person.active
    return person.active and person.auth_source == "local"
