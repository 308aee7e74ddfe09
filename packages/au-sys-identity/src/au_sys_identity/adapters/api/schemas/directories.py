"""Wire shapes of directory runs and outside logins."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.directories.models import LinkedLogin, SyncRun
from au_sys_identity.core.directories.providers import Provider


class SyncBody(BaseModel):
    """What to bring in line."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(max_length=60, pattern=r"^(integrity|directory:[a-z][a-z0-9-]{0,38}[a-z0-9])$")
    direction: Literal["iam_to_rbac", "rbac_to_iam"] = "iam_to_rbac"
    target: str = Field("*", max_length=200)
    dry_run: bool = True


class RunOut(BaseModel):
    """One run. Its report counts steps by kind and lists the first 500."""

    id: UUID
    source: str
    state: Literal["running", "done", "refused", "failed"]
    dry_run: bool
    started_at: datetime
    heartbeat_at: datetime
    started_by: str
    report: dict[str, Any]  # Any: JSON

    @classmethod
    def of(cls, run: SyncRun) -> Self:
        """From the core."""
        return cls(**{name: getattr(run, name) for name in run.__dataclass_fields__})


class RunsOut(BaseModel):
    """Runs, newest first."""

    items: list[RunOut]
    next_cursor: str | None = None


class SyncStartedOut(BaseModel):
    """A directory run; its report is under ``GET /iam/sync/runs/{run_id}``."""

    run_id: UUID
    state: Literal["running", "done", "refused", "failed"]


class IntegrityOut(BaseModel):
    """What points nowhere, by kind, the first 500 of each; ``repairs`` is how many of it a real run takes away."""

    source: Literal["integrity"]
    direction: Literal["iam_to_rbac", "rbac_to_iam"]
    target: str
    dry_run: bool
    counts: dict[str, int]
    findings: dict[str, list[Any]]  # Any: JSON
    repairs: int


class ProviderOut(BaseModel):
    """A way to sign in elsewhere."""

    name: str
    label: str
    kind: Literal["oidc", "oauth2"]

    @classmethod
    def of(cls, provider: Provider) -> Self:
        """From the core."""
        return cls(name=provider.name, label=provider.label, kind=provider.kind)


class ProvidersOut(BaseModel):
    """What the sign-in page offers."""

    items: list[ProviderOut]
    next_cursor: str | None = None


class LinkOut(BaseModel):
    """An outside login of an account."""

    id: UUID
    provider: str
    issuer: str
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, login: LinkedLogin) -> Self:
        """From the core; the id there is nobody's business."""
        return cls(
            id=login.id,
            provider=login.provider,
            issuer=login.issuer,
            created_at=login.created_at,
            last_used_at=login.last_used_at,
        )


class LinksOut(BaseModel):
    """Outside logins of an account."""

    items: list[LinkOut]
    next_cursor: str | None = None


class DepartureOut(BaseModel):
    """Where the browser goes to sign in at the provider."""

    authorize_url: str
