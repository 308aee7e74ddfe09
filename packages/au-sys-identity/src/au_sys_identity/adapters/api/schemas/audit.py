"""Wire shapes of the audit log."""

import base64
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from au_sys_identity.core.audit.checking import Finding
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.models import Shown
from au_sys_identity.core.audit.reading import Consistency, Inclusion, Verdict


class EventOut(BaseModel):
    """One event; ``erased``: its details were destroyed with the key of the person concerned."""

    id: UUID
    leaf_index: int
    at: datetime
    actor: str
    on_behalf_of: str | None
    custodian: str | None
    action: str
    target: str
    organization: str
    outcome: str
    strength: str | None
    credential_id: str | None
    correlation_id: str
    details: dict[str, Any]  # Any: each action has details of its own
    erased: bool

    @classmethod
    def of(cls, shown: Shown) -> Self:
        """The wire shape."""
        return cls.model_validate(
            {**shown.members, "leaf_index": shown.leaf_index, "at": shown.at, "erased": shown.erased}
        )


class EventsOut(BaseModel):
    """A page of events, newest first."""

    items: list[EventOut]
    next_cursor: str | None = None


class HeadOut(BaseModel):
    """A signed head: Ed25519 over five lines of text (see ``message``)."""

    tree_size: int
    root_hash: str
    at: datetime
    key_id: str
    signature: str
    message: str
    public_key: str | None = None

    @classmethod
    def of(cls, head: Head, public_key: bytes | None = None) -> Self:
        """The wire shape."""
        encoded = None if public_key is None else base64.b64encode(public_key).decode()
        return cls.model_validate({**head.shown(), "message": head.message.decode(), "public_key": encoded})


class InclusionOut(BaseModel):
    """Fold ``path`` onto the leaf's hash as RFC 9162 §2.1.3.2 says, and the head's root comes out."""

    event_id: UUID
    leaf_index: int
    leaf_hash: str
    body: str
    head: HeadOut
    path: list[str]

    @classmethod
    def of(cls, found: Inclusion) -> Self:
        """The wire shape."""
        return cls(
            event_id=found.event.id,
            leaf_index=found.event.leaf_index or 0,
            leaf_hash=(found.event.leaf_hash or b"").hex(),
            body=found.event.body,
            head=HeadOut.of(found.head),
            path=[step.hex() for step in found.path],
        )


class ConsistencyOut(BaseModel):
    """That the tree of one size grew out of that of another (RFC 9162 §2.1.4.2)."""

    first: int
    second: int
    path: list[str]

    @classmethod
    def of(cls, found: Consistency) -> Self:
        """The wire shape."""
        return cls(first=found.first, second=found.second, path=[step.hex() for step in found.path])


class FindingOut(BaseModel):
    """One defect."""

    kind: str
    leaf_index: int
    last_good_head: int
    detail: str

    @classmethod
    def of(cls, found: Finding) -> Self:
        """The wire shape."""
        return cls(
            kind=found.kind, leaf_index=found.leaf_index, last_good_head=found.last_good_size, detail=found.detail
        )


class StagedOut(BaseModel):
    """An event that waits for its place, and for how many seconds."""

    id: UUID
    age: float


class ReportOut(BaseModel):
    """What recomputing the whole log found."""

    ok: bool
    leaves: int
    heads: int
    last_good_head: int
    findings: list[FindingOut]
    more_findings: int
    staged: list[StagedOut]

    @classmethod
    def of(cls, verdict: Verdict, now: datetime) -> Self:
        """The wire shape."""
        report = verdict.report
        return cls(
            ok=report.ok,
            leaves=report.leaves,
            heads=report.heads,
            last_good_head=report.last_good_size,
            findings=[FindingOut.of(found) for found in report.findings],
            more_findings=report.more,
            staged=[StagedOut(id=one.id, age=(now - one.at).total_seconds()) for one in verdict.staged],
        )
