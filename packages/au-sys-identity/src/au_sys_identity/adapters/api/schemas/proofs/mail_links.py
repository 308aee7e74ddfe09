"""Wire shapes of what is done through a mail."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AddressBody(BaseModel):
    """Whom a link shall go to."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=1024)


class TokenBody(BaseModel):
    """The token of a link."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200, repr=False)


class ResetBody(BaseModel):
    """The token of a link, and the new password."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200, repr=False)
    password: str = Field(repr=False)


class MagicAskBody(BaseModel):
    """Whom a sign-in link shall go to."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=1024)
    client_instance: str | None = Field(None, max_length=200, repr=False)


class FlowOut(BaseModel):
    """What the program that asked keeps, to show that it was the one."""

    flow_id: str


class MagicLoginBody(BaseModel):
    """The token of a sign-in link. ``confirm`` takes it in another place than the one that asked."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200, repr=False)
    flow_id: str | None = Field(None, max_length=200, repr=False)
    confirm: bool = False
    client_instance: str | None = Field(None, max_length=200, repr=False)
    device_name: str | None = Field(None, max_length=120)
    transport: Literal["body", "cookie"] = "body"
