"""API-key and token wire shapes."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.tokens.models import ApiKey


class KeyNew(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)
    scopes: list[str] = Field(max_length=100)
    expires_in: int | None = Field(None, ge=60, le=366 * 86_400)


class KeyOut(BaseModel):
    """A key without its secret."""

    id: UUID
    prefix: str
    name: str
    owner: str
    scopes: list[str]
    domain: str
    status: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    overlap_until: datetime | None

    @classmethod
    def of(cls, key: ApiKey, owner: str, now: datetime, prefix: str) -> Self:
        """The wire shape."""
        return cls(
            id=key.id,
            prefix=f"{prefix}{key.public_id}",
            name=key.name,
            owner=owner,
            scopes=sorted(key.scopes),
            domain="default",
            status="revoked" if key.revoked_at else "active" if key.usable(now) else "expired",
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            overlap_until=key.overlap_until,
        )


class KeySecretOut(KeyOut):
    """A new key; the secret is shown this once."""

    secret: str


class KeysOut(BaseModel):
    """Keys of a subject."""

    items: list[KeyOut]
    next_cursor: str | None = None


class JwksOut(BaseModel):
    """RFC 7517: public signing keys."""

    keys: list[dict[str, object]]
