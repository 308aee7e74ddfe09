"""Outbox, OneTimeTokenStore and Post protocols."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.notices.models import InAppNotice, Letter, OneTimeToken, OutboxItem, Purpose
from au_sys_identity.core.subjects.models import SubjectId


class Outbox(Protocol):
    """Letters that wait, kept in the transaction of the change that they tell about."""

    async def add(self, item: OutboxItem) -> None: ...

    async def due(self, now: datetime, limit: int) -> list[OutboxItem]:
        """Items whose time has come, oldest first."""

    async def claim(self, item: OutboxItem, *, until: datetime) -> bool:
        """Count a try and put the next one off; ``False`` when another process was first."""

    async def done(self, item_id: UUID) -> None: ...

    async def give_up(self, item_id: UUID, *, at: datetime) -> None:
        """Keep the item, visible as dead."""

    async def waiting(self) -> tuple[int, int]:
        """How many wait, and how many are dead."""


class OneTimeTokenStore(Protocol):
    """Links in mails."""

    async def add(self, token: OneTimeToken) -> None:
        """Keep a token; older ones of the same subject and purpose are dead."""

    async def find(self, purpose: Purpose, token_hash: bytes, *, now: datetime) -> OneTimeToken | None: ...

    async def use(self, token: OneTimeToken) -> bool:
        """Use it up; ``False`` when somebody did before."""

    async def forget_expired(self, now: datetime) -> None: ...


class NoticeStore(Protocol):
    """What people are told where they are signed in."""

    async def add(self, notice: InAppNotice) -> bool:
        """Keep a notice; ``False`` when one of its id is there."""

    async def of_subject(self, subject_id: SubjectId, *, before: UUID | None, limit: int) -> list[InAppNotice]:
        """Newest first; ``before`` is the last id of the page before."""

    async def unread(self, subject_id: SubjectId) -> int: ...

    async def read(self, subject_id: SubjectId, notice_id: UUID, *, at: datetime) -> bool:
        """Note that it was read; ``False`` when the person has no such notice."""

    async def forget_before(self, moment: datetime) -> None: ...


class Post(Protocol):
    """Sends one letter.

    Raises:
        PostRefused: it could not be sent now.
    """

    async def send(self, letter: Letter) -> None: ...


class PostRefused(Exception):
    """A letter could not be sent; the reason holds no address."""
