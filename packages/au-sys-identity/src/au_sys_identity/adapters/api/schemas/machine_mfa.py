"""Machine MFA wire shapes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.adapters.api.schemas.machines import MachineMfaOut
from au_sys_identity.core.machines.models import AppliesTo, MfaMode


class MfaWanted(BaseModel):
    """How a machine is to prove itself. Certificates are SHA-256 fingerprints or PEM texts."""

    model_config = ConfigDict(extra="forbid")

    mode: MfaMode
    applies_to: AppliesTo = "irreversible"
    certificates: list[Annotated[str, Field(max_length=10_000)]] = Field([], max_length=20)


class MfaSetUpOut(MachineMfaOut):
    """How it proves itself now. The secret of its codes is shown this once."""

    secret: str | None
    uri: str | None
    qr_svg: str | None
