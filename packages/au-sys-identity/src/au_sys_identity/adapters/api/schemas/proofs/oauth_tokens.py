"""Introspection wire shape."""

from typing import Self

from pydantic import BaseModel

from au_sys_identity.core.tokens.introspection import GoodToken


class IntrospectionOut(BaseModel):
    """RFC 7662 §2.2; times in seconds since 1970."""

    active: bool
    token_type: str | None = None
    token_use: str | None = None
    sub: str | None = None
    scope: str | None = None
    iss: str | None = None
    iat: int | None = None
    exp: int | None = None
    sid: str | None = None
    acr: str | None = None

    @classmethod
    def of(cls, token: GoodToken, issuer: str) -> Self:
        """The wire shape of a token that works."""
        return cls(
            active=True,
            token_type="Bearer" if token.kind == "access_token" else None,
            token_use=token.kind,
            sub=token.subject,
            scope=" ".join(sorted(token.scopes)) if token.scopes is not None else None,
            iss=issuer,
            iat=int(token.issued_at.timestamp()),
            exp=int(token.expires_at.timestamp()),
            sid=str(token.session_id) if token.session_id else None,
            acr=token.strength or None,
        )
