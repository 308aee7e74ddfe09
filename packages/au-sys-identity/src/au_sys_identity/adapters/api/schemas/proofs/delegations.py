"""Delegation wire shapes."""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from au_sys_identity.core.delegations.models import Delegation

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class DelegationNew(BaseModel):
    """What an agent is to do for the caller. Without resources every object counts."""

    model_config = ConfigDict(extra="forbid")

    agent: str = Field(max_length=80)
    domain: str = Field("default", max_length=64)
    permissions: list[_Name] = Field(min_length=1, max_length=100)
    resources: list[_Name] = Field([], max_length=100)
    expires_at: AwareDatetime
    max_uses: int | None = Field(None, ge=1, le=1_000_000)


class DelegationOut(BaseModel):
    """A grant; ``living`` until it is revoked, over or used up."""

    id: UUID
    human: str
    agent: str
    domain: str
    permissions: list[str]
    resources: list[str]
    expires_at: datetime
    max_uses: int | None
    uses: int
    created_at: datetime
    revoked_at: datetime | None
    living: bool

    @classmethod
    def of(cls, known: Delegation) -> Self:
        """The wire shape."""
        used_up = known.max_uses is not None and known.uses >= known.max_uses
        return cls(
            id=known.id,
            human=known.human,
            agent=known.agent,
            domain=known.domain,
            permissions=sorted(known.permissions),
            resources=sorted(known.resources),
            expires_at=known.expires_at,
            max_uses=known.max_uses,
            uses=known.uses,
            created_at=known.created_at,
            revoked_at=known.revoked_at,
            living=known.lives(datetime.now(UTC)) and not used_up,
        )


class DelegationsOut(BaseModel):
    """Grants, newest first."""

    items: list[DelegationOut]
    next_cursor: str | None = None


class DelegationTokenOut(BaseModel):
    """A short access token of the agent for the person; dead with the grant."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  # the kind of token, no secret
    expires_in: int
