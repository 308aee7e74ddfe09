"""Machine wire shapes."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.adapters.api.schemas.tokens import KeySecretOut
from au_sys_identity.core.machines.models import KnownMachine


class MachineNew(BaseModel):
    """A service account to make; without a custodian, the caller answers for it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)
    purpose: str = Field(max_length=2000)
    custodian: str | None = Field(None, max_length=80)


class MachineUpdate(BaseModel):
    """What may be changed about a machine."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=400)
    purpose: str | None = Field(None, max_length=2000)
    status: Literal["active", "disabled"] | None = None
    status_reason: str | None = Field(None, max_length=500)


class CustodianOut(BaseModel):
    """Somebody who answers for a machine."""

    urn: str
    display_name: str
    active: bool


class MachineMfaOut(BaseModel):
    """What a machine has to prove beside its key."""

    mode: Literal["none"] = "none"
    applies_to: Literal["always"] = "always"


class MachineOut(BaseModel):
    """A machine and who answers for it; it acts only while it is active and ``living``."""

    id: UUID
    urn: str
    kind: str
    name: str
    purpose: str
    organization: str
    status: str
    status_reason: str | None
    custodians: list[CustodianOut]
    living: bool
    mfa: MachineMfaOut
    cap: Literal["none"]
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, known: KnownMachine) -> Self:
        """The wire shape."""
        machine = known.machine
        return cls(
            id=machine.id,
            urn=machine.urn,
            kind=machine.kind,
            name=machine.name,
            purpose=machine.purpose,
            organization="default",
            status=machine.status,
            status_reason=machine.status_reason,
            custodians=[
                CustodianOut(urn=person.urn, display_name=person.display_name, active=person.active)
                for person in known.custodians
            ],
            living=known.living,
            mfa=MachineMfaOut(),
            cap="none",
            created_at=machine.created_at,
            updated_at=machine.updated_at,
            version=machine.version,
        )


class MachinesOut(BaseModel):
    """A page of machines."""

    items: list[MachineOut]
    next_cursor: str | None = None


class RotationBody(BaseModel):
    """How long the old key goes on working."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(3600, ge=0, le=604_800)


class RotatedKeyOut(KeySecretOut):
    """The successor of a key; its secret is shown this once."""

    supersedes: UUID
