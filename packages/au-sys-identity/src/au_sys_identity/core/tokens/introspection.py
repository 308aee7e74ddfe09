"""What a token is worth at this moment (RFC 7662), and its end (RFC 7009)."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import Session, SessionId
from au_sys_identity.core.subjects.models import SubjectId, SubjectUrn
from au_sys_identity.core.tokens.key_format import public_id_of
from au_sys_identity.core.tokens.keys import ApiKeys
from au_sys_identity.core.tokens.models import AccessClaims
from au_sys_identity.core.tokens.ports import AccessTokens
from au_sys_identity.core.tokens.verification import Verification

_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class GoodToken:
    """A token that works now; what it belongs to ends with ``session_id`` or ``key_id``."""

    kind: Literal["access_token", "refresh_token", "api_key"]
    subject_id: SubjectId
    subject: SubjectUrn
    issued_at: datetime
    expires_at: datetime
    scopes: frozenset[str] | None = None
    session_id: SessionId | None = None
    key_id: UUID | None = None
    strength: str = ""


class Introspection:
    """Answers about access tokens, refresh tokens and API keys by their value."""

    def __init__(
        self,
        transactions: Transactions,
        verification: Verification,
        access_tokens: AccessTokens,
        decisions: Decisions,
        sessions: Sessions,
        keys: ApiKeys,
        clock: Clock,
        *,
        issuer: str,
    ) -> None:
        self._transactions = transactions
        self._verification = verification
        self._access_tokens = access_tokens
        self._decisions = decisions
        self._sessions = sessions
        self._keys = keys
        self._clock = clock
        self.issuer = issuer

    async def about(self, token: str, *, caller: Principal) -> GoodToken | None:
        """The token, if it works and the caller may know: its owner, or who holds ``identity.tokens.introspect``."""
        found = await self._found(token)
        if found is None or found.subject_id == caller.id:
            return found
        return found if await self._decisions.holds(caller, "identity.tokens.introspect") else None

    async def revoke(self, token: str, *, caller: Principal) -> None:
        """End what a token belongs to: its session, or the key itself. Nothing happens for a token that does not
        work, or that is somebody else's while the caller may not end it; neither is told."""
        found = await self._found(token)
        if found is None:
            return
        own = found.subject_id == caller.id
        try:
            if found.session_id and (own or await self._decisions.holds(caller, "identity.sessions.revoke")):
                await self._sessions.end(found.subject_id, found.session_id, by=caller.urn, reason="token revoked")
            if found.key_id and (own or await self._decisions.holds(caller, "identity.keys.revoke")):
                await self._keys.revoke(found.key_id, by=caller.urn, owner_id=found.subject_id)
        except NotFound:
            return  # it ended meanwhile

    async def _found(self, token: str) -> GoodToken | None:
        if len(token) > _LONGEST or not token.isascii():
            return None
        if public_id := public_id_of(token):
            return await self._key(token, public_id)
        return await self._access(token) if token.count(".") == 2 else await self._refresh(token)

    async def _key(self, token: str, public_id: str) -> GoodToken | None:
        principal = await self._verification.api_key(token)
        async with self._transactions.reading() as unit:
            key = await unit.api_keys.by_public_id(public_id)
        if (
            not isinstance(principal, Principal)
            or key is None
            or not hmac.compare_digest(key.secret_hash, digest(token))
        ):
            return None
        ends = min(key.expires_at, key.overlap_until or key.expires_at)
        return GoodToken("api_key", principal.id, principal.urn, key.created_at, ends, scopes=key.scopes, key_id=key.id)

    async def _access(self, token: str) -> GoodToken | None:
        principal = await self._verification.bearer(token)
        if not isinstance(principal, Principal) or principal.session_id is None or principal.auth_time is None:
            return None
        claims = await self._access_tokens.verify(token, now=self._clock())
        if not isinstance(claims, AccessClaims):
            return None
        return GoodToken(
            "access_token",
            principal.id,
            principal.urn,
            principal.auth_time,
            claims.expires_at,
            scopes=principal.scopes,
            session_id=principal.session_id,
            strength=principal.strength,
        )

    async def _refresh(self, token: str) -> GoodToken | None:
        now = self._clock()
        async with self._transactions.reading() as unit:
            known = await unit.sessions.refresh_by_hash(digest(token))
            session = await unit.sessions.get(known.session_id) if known and known.replaced_at is None else None
            person = await unit.subjects.get(session.subject_id) if session else None
        if known is None or session is None or person is None:
            return None
        if not session.lives(now) or not person.active or person.epoch != session.epoch:
            return None
        return GoodToken(
            "refresh_token",
            person.id,
            person.urn,
            known.created_at,
            _end(session),
            session_id=session.id,
            strength=session.strength,
        )


def _end(session: Session) -> datetime:
    return min(session.idle_until, session.expires_at)
