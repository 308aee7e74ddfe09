"""The act, its hash, and the approval of it."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl
from uuid import UUID

from au_sys_identity.core.canonical import NotCanonical, canonical, canonical_text
from au_sys_identity.core.factors.models import Signature
from au_sys_identity.core.subjects.models import SubjectId, SubjectUrn

State = Literal["pending", "approved", "denied", "withdrawn", "used", "expired"]
"""``expired`` is never stored: it is what time makes of a pending or approved one."""
Verdict = Literal["approve", "deny"]
Reversibility = Literal["reversible", "recoverable", "irreversible"]
SignatureRule = Literal["optional", "irreversible", "always"]

Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class ApprovalRules:
    """How long approvals are good for, which are signed, and how often a machine may ask."""

    life: timedelta = timedelta(seconds=300)
    use_within: timedelta = timedelta(seconds=60)
    signature: SignatureRule = "irreversible"
    pending: int = 10
    per_hour: int = 60


@dataclass(frozen=True, slots=True)
class Call:
    """What an HTTP request does: everything that an approval is about."""

    method: str
    path: str
    query: Pairs
    body_sha256: str

    @staticmethod
    def of(method: str, path: str, query: str, body: bytes, content_type: str) -> "Call":
        """The call that a request makes."""
        pairs = tuple(sorted(parse_qsl(query, keep_blank_values=True)))
        return Call(method.upper(), path, pairs, body_hash(body, content_type))


@dataclass(frozen=True, slots=True)
class Act:
    """One call by one machine, asked for once."""

    approval_id: UUID | None
    requester: SubjectUrn
    on_behalf_of: SubjectUrn | None
    call: Call
    expires_at: datetime | None

    def document(self) -> dict[str, object]:
        """The act as JSON."""
        return {
            "v": 1,
            "approval_id": str(self.approval_id) if self.approval_id else None,
            "requester": self.requester,
            "on_behalf_of": self.on_behalf_of,
            "method": self.call.method,
            "path": self.call.path,
            "query": [list(pair) for pair in self.call.query],
            "body_sha256": self.call.body_sha256,
            "expires_at": moment(self.expires_at) if self.expires_at else None,
        }

    def hash(self) -> bytes:
        """The 32 bytes that a custodian signs."""
        return hashlib.sha256(canonical(self.document())).digest()


@dataclass(frozen=True, slots=True)
class Approval:
    """A machine's wish to do one act, and what became of it."""

    id: UUID
    requester_id: SubjectId
    act: Act
    reason: str
    summary: str
    reversibility: Reversibility
    addressed_to: tuple[SubjectUrn, ...]
    created_at: datetime
    expires_at: datetime
    state: State = "pending"
    arguments_sealed: bytes | None = field(default=None, repr=False)
    note: str = ""
    decided_by: SubjectUrn | None = None
    decided_at: datetime | None = None
    use_before: datetime | None = None
    used_at: datetime | None = None
    signature: Signature | None = None

    def state_at(self, now: datetime) -> State:
        """What it is at a moment."""
        if self.state == "pending" and now >= self.expires_at:
            return "expired"
        if self.state == "approved" and self.use_before is not None and now >= self.use_before:
            return "expired"
        return self.state

    def decided(
        self,
        verdict: Verdict,
        by: SubjectUrn,
        now: datetime,
        *,
        rules: ApprovalRules,
        note: str,
        signed: Signature | None,
    ) -> "Approval":
        """The same, approved or denied."""
        return replace(
            self,
            state="approved" if verdict == "approve" else "denied",
            decided_by=by,
            decided_at=now,
            use_before=now + rules.use_within if verdict == "approve" else None,
            note=note,
            signature=signed,
        )

    def asks_signature(self, rules: ApprovalRules) -> bool:
        """Whether it is approved with a passkey only."""
        return rules.signature == "always" or (
            rules.signature == "irreversible" and self.reversibility == "irreversible"
        )


def body_hash(body: bytes, content_type: str) -> str:
    """SHA-256 of the canonical JSON of a JSON body, else of its bytes."""
    kind = content_type.partition(";")[0].strip().lower()
    if body and (kind == "application/json" or kind.endswith("+json")):
        with suppress(NotCanonical):  # then as it is: it fits no approval that was asked for with arguments
            body = canonical_text(body)
    return hashlib.sha256(body).hexdigest()


def decision_target(approval_id: UUID, act_hash: bytes) -> str:
    """What the event of a decision is about: the log so commits to the very act."""
    return f"urn:au:approval:{approval_id}:{act_hash.hex()}"


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")
