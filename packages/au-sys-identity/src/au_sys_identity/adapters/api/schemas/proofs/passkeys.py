"""Passkey wire shapes; options and answers are the JSON forms of the WebAuthn standard."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.factors.models import Passkey

Assertion = dict[str, Any]  # Any: PublicKeyCredential.toJSON(), checked by the ceremony


class PasskeyAskBody(BaseModel):
    """What the options are for: signing in, the second step of a sign-in, or confirming that it is me."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(None, max_length=1024)
    purpose: Literal["sign-in", "second-step", "step-up"] = "sign-in"
    mfa_token: str | None = Field(None, max_length=200, repr=False)


class PasskeyLoginBody(BaseModel):
    """What the authenticator made of the options."""

    model_config = ConfigDict(extra="forbid")

    assertion: Assertion = Field(repr=False)
    client_instance: str | None = Field(None, max_length=200, repr=False)
    device_name: str | None = Field(None, max_length=120)
    transport: Literal["body", "cookie"] = "body"


class PasskeyNew(BaseModel):
    """A new passkey."""

    model_config = ConfigDict(extra="forbid")

    attestation: Assertion = Field(repr=False)
    name: str = Field(min_length=1, max_length=120)


class PasskeyNameBody(BaseModel):
    """A name that its owner recognizes."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120)


class PasskeyOut(BaseModel):
    """A passkey as its owner sees it."""

    id: UUID
    name: str
    aaguid: str
    transports: list[str]
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        """The wire shape."""
        return cls(
            id=passkey.id,
            name=passkey.name,
            aaguid=passkey.aaguid,
            transports=list(passkey.transports),
            backed_up=passkey.backed_up,
            created_at=passkey.created_at,
            last_used_at=passkey.last_used_at,
        )


class PasskeysOut(BaseModel):
    """Passkeys, oldest first."""

    items: list[PasskeyOut]
    next_cursor: str | None = None


class OptionsOut(BaseModel):
    """What ``navigator.credentials`` takes, in its JSON form."""

    model_config = ConfigDict(extra="allow")

    challenge: str
