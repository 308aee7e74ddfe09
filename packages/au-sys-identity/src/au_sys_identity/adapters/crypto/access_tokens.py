"""AccessTokens as signed JWTs of type ``at+jwt`` (RFC 9068).

The algorithm is fixed per key, never taken from the token.
"""

import json
import secrets
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from au_sys_identity.adapters.crypto.signing_keys import SigningKeys
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.sessions.models import ACR, Session, SessionId
from au_sys_identity.core.subjects.models import SubjectUrn
from au_sys_identity.core.tokens.models import AccessClaims, BadAccessToken, SigningKey

if TYPE_CHECKING:
    from au_sys_identity.adapters.crypto.signing_keys import Key

_TYPE = "at+jwt"
_HEADER = frozenset({"alg", "kid", "typ"})
_SKEW_SECONDS = 60
_LONGEST_SECONDS = 86_400


class JwtAccessTokens:
    """Signs and verifies."""

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self.issuer = issuer
        self._audience = audience

    async def sign(self, session: Session, subject: SubjectUrn, *, epoch: int, now: datetime) -> tuple[str, int]:
        """See :class:`~au_sys_identity.core.tokens.ports.AccessTokens`."""
        stored, key = await self._keys.active()
        ends = min(now + self._keys.rules.longest_token, session.expires_at)
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": subject,
            "client_id": "first-party",
            "iat": int(now.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": secrets.token_urlsafe(12),
            "sid": str(session.id),
            "epoch": epoch,
            "acr": ACR[session.strength],
            "auth_time": int(session.auth_time.timestamp()),
        }
        return _signed(claims, stored, key), max(0, int((ends - now).total_seconds()))

    async def sign_delegated(self, grant: Delegation, *, key_id: UUID, epoch: int, now: datetime) -> tuple[str, int]:
        """See :class:`~au_sys_identity.core.tokens.ports.AccessTokens`."""
        stored, key = await self._keys.active()
        ends = min(now + self._keys.rules.longest_token, grant.expires_at)
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": grant.human,
            "act": {"sub": grant.agent},
            "client_id": grant.agent,
            "iat": int(now.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": secrets.token_urlsafe(12),
            "sid": str(grant.id),
            "key": str(key_id),
            "epoch": epoch,
        }
        return _signed(claims, stored, key), max(0, int((ends - now).total_seconds()))

    async def verify(self, token: str, *, now: datetime) -> AccessClaims | BadAccessToken:
        """See :class:`~au_sys_identity.core.tokens.ports.AccessTokens`."""
        header = _header(token)
        if header is None or header.get("typ") != _TYPE or set(header) != _HEADER:
            return BadAccessToken()
        pair = await self._keys.by_kid(str(header["kid"]))
        if pair is None or header["alg"] != pair[0].algorithm:
            return BadAccessToken()
        claims = _opened(token, *pair)
        return self._checked(claims, now) if claims is not None else BadAccessToken()

    def _checked(self, claims: dict[str, object], now: datetime) -> AccessClaims | BadAccessToken:
        expires, issued, epoch = claims.get("exp"), claims.get("iat"), claims.get("epoch")
        if not (isinstance(expires, int) and isinstance(issued, int) and isinstance(epoch, int)):
            return BadAccessToken()
        if claims.get("iss") != self.issuer or claims.get("aud") != self._audience:
            return BadAccessToken()
        begins = claims.get("nbf", issued)
        latest = now.timestamp() + _SKEW_SECONDS
        if not isinstance(begins, int) or max(begins, issued) > latest or expires - issued > _LONGEST_SECONDS:
            return BadAccessToken()
        if now.timestamp() >= expires:
            return BadAccessToken(expired=True)
        try:
            session_id = SessionId(UUID(str(claims["sid"])))
            subject = SubjectUrn(str(claims["sub"]))
            key_id = UUID(str(claims["key"])) if "act" in claims else None
        except (KeyError, ValueError):
            return BadAccessToken()
        return AccessClaims(subject, session_id, epoch, datetime.fromtimestamp(expires, UTC), key_id)


def _signed(claims: dict[str, object], stored: SigningKey, key: "Key") -> str:
    from joserfc import jwt

    header = {"alg": stored.algorithm, "kid": stored.kid, "typ": _TYPE}
    return jwt.encode(header, claims, key, algorithms=[stored.algorithm])


def _opened(token: str, stored: SigningKey, key: "Key") -> dict[str, object] | None:
    """The claims of a token that this key signed."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        return jwt.decode(token, key, algorithms=[stored.algorithm]).claims
    except (JoseError, ValueError):
        return None


def _header(token: str) -> dict[str, object] | None:
    """The unverified header of a compact JWS, read only to find the key."""
    first, dot, rest = token.partition(".")
    if not dot or rest.count(".") != 1 or len(first) > 512:
        return None
    try:
        header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None
