"""Second-factor and step-up wire shapes."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.adapters.api.schemas.proofs.passkeys import Assertion
from au_sys_identity.core.factors.models import Method


class MfaVerifyBody(BaseModel):
    """The second step of a sign-in."""

    model_config = ConfigDict(extra="forbid")

    mfa_token: str = Field(max_length=200, repr=False)
    method: Method = "totp"
    code: str | None = Field(None, max_length=64, repr=False)
    assertion: Assertion | None = Field(None, repr=False)
    remember_device: bool = False
    client_instance: str | None = Field(None, max_length=200, repr=False)
    device_name: str | None = Field(None, max_length=120)
    transport: Literal["body", "cookie"] = "body"


class StepUpBody(BaseModel):
    """A fresh proof."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["password", "passkey", "totp", "recovery_code"]
    password: str | None = Field(None, repr=False)
    code: str | None = Field(None, max_length=64, repr=False)
    assertion: Assertion | None = Field(None, repr=False)
    client_instance: str | None = Field(None, max_length=200, repr=False)


class CodeBody(BaseModel):
    """A code of the authenticator app."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=64, repr=False)


class TotpOut(BaseModel):
    """What the app needs; it counts once a code was confirmed."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodesOut(BaseModel):
    """Ten codes, shown this once."""

    recovery_codes: list[str]


class RecoveryCodesLeftOut(BaseModel):
    """How many codes are left."""

    left: int
