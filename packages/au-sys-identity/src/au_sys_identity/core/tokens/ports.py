"""AccessTokens, KeyStore and SigningKeyStore protocols."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.sessions.models import Session
from au_sys_identity.core.subjects.models import SubjectId, SubjectUrn
from au_sys_identity.core.tokens.models import AccessClaims, ApiKey, BadAccessToken, KeyState, SigningKey


class SigningKeyStore(Protocol):
    """Key pairs by their id; at most one is active."""

    async def all(self) -> list[SigningKey]: ...

    async def add(self, key: SigningKey) -> bool:
        """Keep a key; ``False`` when another active one came first."""

    async def set_state(self, kid: str, state: KeyState, *, retire_at: datetime | None) -> None: ...

    async def remove(self, kid: str) -> None: ...


class KeyStore(Protocol):
    """API keys by id and by public id."""

    async def add(self, key: ApiKey) -> None: ...

    async def get(self, key_id: UUID) -> ApiKey | None: ...

    async def by_public_id(self, public_id: str) -> ApiKey | None: ...

    async def of_owner(self, owner_id: SubjectId) -> list[ApiKey]: ...

    async def revoke(self, key_id: UUID, *, at: datetime) -> bool:
        """Revoke one; ``False`` when it was revoked before."""

    async def revoke_all(self, owner_id: SubjectId, *, at: datetime) -> int:
        """Revoke every key of a subject; how many were not revoked before."""

    async def supersede(self, key_id: UUID, successor: UUID, *, overlap_until: datetime) -> bool:
        """Name the successor of a key that has none and is not revoked; ``False`` when another rotation came first."""

    async def used(self, key_id: UUID, *, at: datetime) -> None: ...


class AccessTokens(Protocol):
    """Signs and verifies access tokens (RFC 9068)."""

    async def sign(self, session: Session, subject: SubjectUrn, *, epoch: int, now: datetime) -> tuple[str, int]:
        """The token and its life in seconds."""

    async def sign_delegated(self, grant: Delegation, *, key_id: UUID, epoch: int, now: datetime) -> tuple[str, int]:
        """A token for an agent that acts under a grant, and its life in seconds; dead with the agent's key."""

    async def verify(self, token: str, *, now: datetime) -> AccessClaims | BadAccessToken: ...
