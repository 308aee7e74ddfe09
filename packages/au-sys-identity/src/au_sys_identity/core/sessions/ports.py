"""SessionStore: sessions and refresh tokens, with compare-and-swap saves."""

from datetime import datetime
from typing import Protocol

from au_sys_identity.core.sessions.models import RefreshToken, Session, SessionId
from au_sys_identity.core.subjects.models import SubjectId


class SessionStore(Protocol):
    """Sessions by id and by the hash of their secret."""

    async def add(self, session: Session) -> None: ...

    async def get(self, session_id: SessionId) -> Session | None: ...

    async def by_secret(self, secret_hash: bytes) -> Session | None: ...

    async def of_subject(self, subject_id: SubjectId, *, now: datetime) -> list[Session]:
        """Living sessions, last used first."""

    async def seen(self, session_id: SessionId, *, at: datetime, idle_until: datetime) -> None:
        """Note a use; an ended session stays ended."""

    async def rename(self, session_id: SessionId, label: str) -> None: ...

    async def end(self, session_id: SessionId, *, at: datetime, reason: str) -> bool:
        """End one session; ``False`` when it had ended before."""

    async def end_all(
        self, subject_id: SubjectId, *, at: datetime, reason: str, keep: SessionId | None = None
    ) -> list[SessionId]:
        """End every living session of a subject but one; which."""

    async def end_bound(self, subject_id: SubjectId, binding_hash: bytes, *, at: datetime, reason: str) -> int:
        """End the subject's living sessions that are tied to one client; how many."""

    async def add_refresh(self, token: RefreshToken) -> None: ...

    async def refresh_by_hash(self, token_hash: bytes) -> RefreshToken | None: ...

    async def head(self, session_id: SessionId) -> RefreshToken | None:
        """The current generation."""

    async def rotate(self, current: RefreshToken, successor: RefreshToken, *, at: datetime) -> bool:
        """Replace the head by its successor if it still is the head; ``False`` when another rotation came first."""

    async def forget_ended_before(self, moment: datetime) -> int:
        """Delete what ended or ran out earlier; how many sessions."""
