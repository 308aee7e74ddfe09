"""Role and decision wire shapes."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from au_sys_identity.core.access.models import Assignment, Role


class RoleNew(BaseModel):
    """A local role."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=80)
    description: str = Field("", max_length=500)
    permissions: list[str] = Field(default_factory=list, max_length=500)
    requestable: bool = Field(False, description="Whether people may ask for it.")


class RoleChange(BaseModel):
    """What may change about a local role."""

    model_config = ConfigDict(extra="forbid")

    description: str | None = Field(None, max_length=500)
    permissions: list[str] | None = Field(None, max_length=500)
    requestable: bool | None = None


class RoleOut(BaseModel):
    """A role with what it gives."""

    name: str
    domain: str
    description: str
    protected: bool
    source: str
    default: bool
    requestable: bool
    permissions: list[str]

    @classmethod
    def of(cls, role: Role) -> Self:
        """The wire shape."""
        return cls(
            name=role.name,
            domain=role.domain,
            description=role.description,
            protected=role.protected,
            source=role.source,
            default=role.default,
            requestable=role.requestable,
            permissions=sorted(role.permissions),
        )


class RolesOut(BaseModel):
    """All roles."""

    items: list[RoleOut]
    next_cursor: str | None = None


class PermissionOut(BaseModel):
    """A named right."""

    name: str
    summary: str


class PermissionsOut(BaseModel):
    """The catalogue of rights."""

    items: list[PermissionOut]
    next_cursor: str | None = None


class AssignmentNew(BaseModel):
    """A role to give."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field(max_length=120)
    domain: str = Field("default", max_length=64)
    expires_at: AwareDatetime | None = None


class AssignmentOut(BaseModel):
    """A role that a subject holds."""

    subject: str
    role: str
    domain: str
    expires_at: datetime | None
    source: str
    id: UUID

    @classmethod
    def of(cls, held: Assignment) -> Self:
        """The wire shape."""
        return cls(
            id=held.id,
            subject=held.subject,
            role=held.role,
            domain=held.domain,
            expires_at=held.expires_at,
            source=held.source,
        )


class AssignmentsOut(BaseModel):
    """What a subject holds by assignment."""

    roles: list[AssignmentOut]


class MembersOut(BaseModel):
    """Who holds a role by assignment."""

    items: list[AssignmentOut]
    next_cursor: str | None = None
