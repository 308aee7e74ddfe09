"""Machine wire shapes."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.adapters.api.schemas.proofs.tokens import KeySecretOut
from au_sys_identity.core.machines.models import AppliesTo, Cap, KnownMachine, MachineMfa, MfaMode, Provider


class MachineMfaNew(BaseModel):
    """What a new machine is to prove beside its key; certificates and codes are set up with ``PUT …/mfa``."""

    model_config = ConfigDict(extra="forbid")

    mode: MfaMode
    applies_to: AppliesTo = "irreversible"


class ModelSpec(BaseModel):
    """The models that an agent uses: names, a final ``*`` for any rest."""

    model_config = ConfigDict(extra="forbid")

    names: list[Annotated[str, Field(max_length=240)]] = Field(max_length=100)


class MachineNew(BaseModel):
    """A service account to make; without a custodian, the caller answers for it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)
    purpose: str = Field(max_length=2000)
    organization: str = Field("default", max_length=63)
    custodian: str | None = Field(None, max_length=80)
    mfa: MachineMfaNew | None = None


class MachineUpdate(BaseModel):
    """What may be changed about a machine."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=400)
    purpose: str | None = Field(None, max_length=2000)
    status: Literal["active", "disabled"] | None = None
    status_reason: str | None = Field(None, max_length=500)
    cap: Cap | None = None


class AgentNew(MachineNew):
    """An AI agent to make."""

    provider: str = Field(max_length=80)
    model_spec: ModelSpec
    provenance: str = Field("", max_length=2000)
    hosting: str = Field("", max_length=400)
    parent: str | None = Field(None, max_length=80)
    cap: Cap | None = None


class AgentUpdate(MachineUpdate):
    """What may be changed about an agent."""

    provider: str | None = Field(None, max_length=80)
    model_spec: ModelSpec | None = None


class CustodianOut(BaseModel):
    """Somebody who answers for a machine."""

    urn: str
    display_name: str
    active: bool


class MachineMfaOut(BaseModel):
    """What a machine has to prove beside its key."""

    mode: MfaMode
    applies_to: AppliesTo
    certificates: list[str] = []

    @classmethod
    def of(cls, mfa: MachineMfa) -> Self:
        """The wire shape."""
        return cls(mode=mfa.mode, applies_to=mfa.applies_to, certificates=list(mfa.certificates))


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
    cap: Cap
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
            organization=known.organization,
            status=machine.status,
            status_reason=machine.status_reason,
            custodians=[
                CustodianOut(urn=person.urn, display_name=person.display_name, active=person.active)
                for person in known.custodians
            ],
            living=known.living,
            mfa=MachineMfaOut.of(machine.mfa),
            cap=machine.cap,
            created_at=machine.created_at,
            updated_at=machine.updated_at,
            version=machine.version,
        )


class AgentOut(MachineOut):
    """An AI agent: also who hosts which models, where it came from and what made it."""

    provider: str
    model_spec: ModelSpec
    provenance: str
    hosting: str
    parent: str | None

    @classmethod
    def of(cls, known: KnownMachine) -> Self:
        """The wire shape."""
        machine = known.machine
        return cls(
            **MachineOut.of(known).model_dump(),
            provider=f"urn:au:provider:{machine.provider}",
            model_spec=ModelSpec(names=list(machine.model_names)),
            provenance=machine.provenance,
            hosting=machine.hosting,
            parent=known.parent,
        )


class AgentsOut(BaseModel):
    """A page of agents."""

    items: list[AgentOut]
    next_cursor: str | None = None


class VendorNew(BaseModel):
    """An AI provider to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)
    vendor: str = Field(max_length=400)
    models: list[Annotated[str, Field(max_length=240)]] = Field(default_factory=list, max_length=500)
    region: str = Field("", max_length=400)
    homepage: str = Field("", max_length=1000)


class VendorUpdate(BaseModel):
    """What may be changed about an AI provider; disabled, it stops its agents."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=400)
    vendor: str | None = Field(None, max_length=400)
    models: list[Annotated[str, Field(max_length=240)]] | None = Field(None, max_length=500)
    region: str | None = Field(None, max_length=400)
    homepage: str | None = Field(None, max_length=1000)
    status: Literal["active", "disabled"] | None = None
    status_reason: str | None = Field(None, max_length=500)


class VendorOut(BaseModel):
    """The vendor or host that agents name."""

    id: UUID
    urn: str
    name: str
    vendor: str
    models: list[str]
    region: str
    homepage: str
    status: str
    status_reason: str | None
    version: int

    @classmethod
    def of(cls, provider: Provider) -> Self:
        """The wire shape."""
        return cls(
            id=provider.id,
            urn=provider.urn,
            name=provider.name,
            vendor=provider.vendor,
            models=list(provider.models),
            region=provider.region,
            homepage=provider.homepage,
            status=provider.status,
            status_reason=provider.status_reason,
            version=provider.version,
        )


class VendorsOut(BaseModel):
    """AI providers by name."""

    items: list[VendorOut]
    next_cursor: str | None = None


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
