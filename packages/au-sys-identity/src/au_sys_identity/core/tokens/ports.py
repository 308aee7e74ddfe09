"""AccessTokens and SigningKeyStore protocols."""

from datetime import datetime
from typing import Protocol

from au_sys_identity.core.sessions.models import Session
from au_sys_identity.core.subjects.models import SubjectUrn
from au_sys_identity.core.tokens.models import AccessClaims, BadAccessToken, KeyState, SigningKey


class SigningKeyStore(Protocol):
    """Key pairs by their id; at most one is active."""

    async def all(self) -> list[SigningKey]: ...

    async def add(self, key: SigningKey) -> bool:
        """Keep a key; ``False`` when another active one came first."""

    async def set_state(self, kid: str, state: KeyState, *, retire_at: datetime | None) -> None: ...

    async def remove(self, kid: str) -> None: ...


class AccessTokens(Protocol):
    """Signs and verifies access tokens (RFC 9068)."""

    async def sign(self, session: Session, subject: SubjectUrn, *, epoch: int, now: datetime) -> tuple[str, int]:
        """The token and its life in seconds."""

    async def verify(self, token: str, *, now: datetime) -> AccessClaims | BadAccessToken: ...
