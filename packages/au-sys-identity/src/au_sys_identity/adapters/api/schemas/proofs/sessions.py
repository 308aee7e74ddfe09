"""Session and token wire shapes."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.sessions.models import Session, SessionId
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.tokens.models import Tokens


class LoginBody(BaseModel):
    """Sign-in as JSON."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=1024)
    password: str = Field(repr=False)
    directory: str | None = Field(None, max_length=40)
    client_instance: str | None = Field(None, max_length=200, repr=False)
    device_name: str | None = Field(None, max_length=120)
    transport: Literal["body", "cookie"] = "body"


class LoginForm(BaseModel):
    """Sign-in as a form (OAuth 2 password style)."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=1024)
    password: str = Field(repr=False)
    directory: str | None = Field(None, max_length=40)
    client_instance: str | None = Field(None, max_length=200, repr=False)
    device_name: str | None = Field(None, max_length=120)
    transport: Literal["body", "cookie"] = "body"
    grant_type: str | None = Field(None, max_length=40)
    scope: str | None = Field(None, max_length=200)


class LogoutBody(BaseModel):
    """Which sessions end."""

    model_config = ConfigDict(extra="forbid")

    everywhere: bool = False


class RefreshBody(BaseModel):
    """A refresh; without a token the cookie's counts."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str | None = Field(None, max_length=200, repr=False)
    client_instance: str | None = Field(None, max_length=200, repr=False)


class RenameBody(BaseModel):
    """A new label for a session."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1, max_length=120)


class TokensOut(BaseModel):
    """What a program gets after a sign-in."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme (RFC 6750)
    expires_in: int
    refresh_token: str | None = Field(None, exclude_if=lambda value: value is None)
    session_id: UUID
    strength: str
    must_change_password: bool

    @classmethod
    def of(cls, tokens: Tokens, opened: Opened) -> Self:
        """The answer for an opened or refreshed session."""
        return cls(
            access_token=tokens.access_token,
            expires_in=tokens.expires_in,
            refresh_token=tokens.refresh_token,
            session_id=opened.session.id,
            strength=opened.session.strength,
            must_change_password=opened.restricted,
        )


class SessionOut(BaseModel):
    """A session as its owner sees it."""

    id: UUID
    kind: str
    current: bool
    label: str
    user_agent: str
    ip: str | None
    strength: str
    methods: list[str]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, session: Session, current: SessionId | None) -> Self:
        """The wire shape."""
        return cls(
            id=session.id,
            kind=session.kind,
            current=session.id == current,
            label=session.label,
            user_agent=session.user_agent,
            ip=session.address,
            strength=session.strength,
            methods=list(session.methods),
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
        )


class SessionsOut(BaseModel):
    """Living sessions, last used first."""

    items: list[SessionOut]
    next_cursor: str | None = None


class DeviceOut(BaseModel):
    """A browser that signed in before."""

    id: UUID
    label: str
    current: bool
    last_seen_at: datetime


class DevicesOut(BaseModel):
    """Known devices, last seen first."""

    items: list[DeviceOut]
    next_cursor: str | None = None
