"""Account wire shapes."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.subjects.models import Person


class RegisterBody(BaseModel):
    """An account that somebody asks for."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=1024)
    password: str = Field(repr=False)
    display_name: str | None = Field(None, max_length=400)
    locale: str | None = Field(None, max_length=40)
    invitation: str | None = Field(None, max_length=200, repr=False)
    bootstrap_token: str | None = Field(None, max_length=200, repr=False)


class AcceptedOut(BaseModel):
    """The one answer to every registration."""

    status: str = "accepted"


class MeChange(BaseModel):
    """What people may change about themselves; a password needs the present one."""

    model_config = ConfigDict(extra="forbid")

    display_name: str | None = Field(None, max_length=400)
    locale: str | None = Field(None, max_length=40)
    timezone: str | None = Field(None, max_length=64)
    email: str | None = Field(None, max_length=1024)
    password: str | None = Field(None, repr=False)
    current_password: str | None = Field(None, repr=False)


class UserChange(BaseModel):
    """What administrators may change."""

    model_config = ConfigDict(extra="forbid")

    display_name: str | None = Field(None, max_length=400)
    locale: str | None = Field(None, max_length=40)
    must_change_password: bool | None = None
    email: str | None = Field(None, max_length=1024)
    is_active: bool | None = None
    is_verified: bool | None = None
    status_reason: str | None = Field(None, max_length=500)


class UserNew(BaseModel):
    """An account made by an administrator; its password must be changed at first sign-in."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=1024)
    display_name: str = Field(max_length=400)
    password: str | None = Field(None, repr=False)
    is_verified: bool = True
    roles: list[str] = Field(default_factory=list, max_length=50)
    organization: str | None = Field(None, max_length=63)
    send_invitation: bool = False


class MfaOut(BaseModel):
    """Which second factors are enrolled."""

    totp: bool = False
    passkeys: int = 0
    recovery_codes_left: int = 0


class UserOut(BaseModel):
    """A person."""

    id: UUID
    urn: str
    email: str
    display_name: str
    status: str
    is_active: bool
    is_verified: bool
    is_superuser: bool
    locale: str | None
    timezone: str | None
    organizations: list[str]
    mfa: MfaOut
    auth_source: str
    must_change_password: bool
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, person: Person, *, superuser: bool, must_change: bool, mfa: MfaOut | None = None) -> Self:
        """The wire shape."""
        return cls(
            id=person.id,
            urn=person.urn,
            email=person.email,
            display_name=person.display_name,
            status=person.status,
            is_active=person.active,
            is_verified=person.email_verified_at is not None,
            is_superuser=superuser,
            locale=person.locale,
            timezone=person.timezone,
            organizations=["default"],
            mfa=mfa or MfaOut(),
            auth_source=person.auth_source,
            must_change_password=must_change,
            created_at=person.created_at,
            updated_at=person.updated_at,
            version=person.version,
        )


class UserCreatedOut(UserOut):
    """A new person with the one-time password, when it was generated; it is shown once."""

    one_time_password: str | None = None


class UsersOut(BaseModel):
    """A page of people."""

    items: list[UserOut]
    next_cursor: str | None = None
