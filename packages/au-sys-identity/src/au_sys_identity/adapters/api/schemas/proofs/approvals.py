"""Approval wire shapes."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.approvals.models import Approval


class ApprovalAsk(BaseModel):
    """One call that a machine wants to make. ``arguments`` is the JSON body; else ``body_sha256`` is its hash."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(max_length=10)
    path: str = Field(max_length=2000)
    query: list[tuple[str, str]] = Field([], max_length=200)
    arguments: Any = None  # Any: JSON
    body_sha256: str | None = Field(None, pattern="^[0-9a-fA-F]{64}$")
    summary: str = Field("", max_length=400)
    reason: str = Field(max_length=2000)


class ApprovalDecision(BaseModel):
    """What a custodian says about the act whose hash she saw; ``assertion`` is what her passkey made of the hash."""

    model_config = ConfigDict(extra="forbid")

    approval_id: UUID
    decision: Literal["approve", "deny"]
    act_hash: str = Field(pattern="^[0-9a-fA-F]{64}$")
    assertion: dict[str, Any] | None = None  # Any: the JSON form of WebAuthn
    note: str = Field("", max_length=2000)


class ApprovalOut(BaseModel):
    """A machine's wish to do one act, and what became of it."""

    id: UUID
    requester: str
    on_behalf_of: str | None
    act: dict[str, Any]  # Any: JSON
    act_hash: str
    arguments: Any  # Any: JSON
    summary: str
    reason: str
    note: str
    reversibility: str
    state: str
    addressed_to: list[str]
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime
    expires_at: datetime
    use_before: datetime | None
    signed: bool

    @classmethod
    def of(cls, approval: Approval, arguments: Any, now: datetime) -> Self:  # Any: JSON
        """The wire shape."""
        return cls(
            id=approval.id,
            requester=approval.act.requester,
            on_behalf_of=approval.act.on_behalf_of,
            act=approval.act.document(),
            act_hash=approval.act.hash().hex(),
            arguments=arguments,
            summary=approval.summary,
            reason=approval.reason,
            note=approval.note,
            reversibility=approval.reversibility,
            state=approval.state_at(now),
            addressed_to=list(approval.addressed_to),
            decided_by=approval.decided_by,
            decided_at=approval.decided_at,
            created_at=approval.created_at,
            expires_at=approval.expires_at,
            use_before=approval.use_before,
            signed=approval.signature is not None,
        )


class ApprovalsOut(BaseModel):
    """Approvals, newest first."""

    items: list[ApprovalOut]
    next_cursor: str | None = None


class AssertionOut(BaseModel):
    """A passkey's signature over the hash of the act; all values are base64url."""

    credential_id: str
    public_key: str
    authenticator_data: str
    client_data_json: str
    signature: str


class ReceiptOut(BaseModel):
    """All that is needed to check, without us, that somebody approved exactly this act."""

    kind: Literal["approval-receipt"] = "approval-receipt"
    v: int = 1
    act: str
    act_hash: str
    decision: str
    decided_by: str
    decided_at: datetime
    used_at: datetime | None
    origin: str
    assertion: AssertionOut | None
    audit: dict[str, Any] | None  # Any: leaf, path and head, as the log has them
