"""Wire shapes of what is done through a mail."""

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
