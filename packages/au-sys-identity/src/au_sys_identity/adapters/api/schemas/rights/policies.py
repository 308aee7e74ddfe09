"""Rule, change and import wire shapes."""

from datetime import UTC, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from au_sys_identity.adapters.policy.casbin_text import RefusedLine
from au_sys_identity.core.access.models import Policy
from au_sys_identity.core.access.rules import Given, Held, Membership, Rule
from au_sys_identity.core.access.ruling import Outcome

Effect = Literal["allow", "deny"]
_MOST = 10_000


class PolicyNew(BaseModel):
    """A rule to keep."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(max_length=200, description="URN, role:<name>, or * for any authenticated subject.")
    domain: str = Field("default", max_length=64)
    resource: str = Field(max_length=500, description="Segments, :name for one segment, a final /*, or * alone.")
    action: str = Field(max_length=120, description="A word, words with | between them, or *.")
    effect: Effect = "allow"
    expires_at: AwareDatetime | None = None

    def rule(self) -> Rule:
        """As the engine reads it."""
        end = self.expires_at.timestamp() if self.expires_at else None
        return Rule(self.subject, self.domain, self.resource, self.action, self.effect, end)


class PolicyGone(BaseModel):
    """A rule to remove: by its id, or by its parts."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    subject: str | None = Field(None, max_length=200)
    domain: str = Field("default", max_length=64)
    resource: str | None = Field(None, max_length=500)
    action: str | None = Field(None, max_length=120)
    effect: Effect = "allow"


class PolicyOut(BaseModel):
    """A rule as it is kept."""

    id: UUID
    subject: str
    domain: str
    resource: str
    action: str
    effect: Effect
    expires_at: datetime | None
    source: str

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """The wire shape."""
        rule = policy.rule
        return cls(
            id=policy.id,
            subject=rule.subject,
            domain=rule.domain,
            resource=rule.resource,
            action=rule.action,
            effect=rule.effect,
            expires_at=moment(rule.expires_at),
            source=policy.source,
        )


class PoliciesOut(BaseModel):
    """A page of rules."""

    items: list[PolicyOut]
    next_cursor: str | None = None


class MembershipNew(BaseModel):
    """A role to give or take."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(max_length=200)
    role: str = Field(max_length=120)
    domain: str = Field("default", max_length=64)
    expires_at: AwareDatetime | None = None

    def membership(self) -> Membership:
        """As the engine reads it."""
        end = self.expires_at.timestamp() if self.expires_at else None
        return Membership(self.subject, self.role, self.domain, end)


class Bulk(BaseModel):
    """Many rules and assignments, all or nothing."""

    model_config = ConfigDict(extra="forbid")

    policies: list[PolicyNew] = Field(default_factory=list, max_length=_MOST)
    assignments: list[MembershipNew] = Field(default_factory=list, max_length=_MOST)
    mode: Literal["add", "remove"] = "add"
    dry_run: bool = False


class BulkOut(BaseModel):
    """What a change of many came to."""

    added: int
    existing: int
    removed: int
    version: int
    dry_run: bool

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """The wire shape."""
        return cls(
            added=outcome.added,
            existing=outcome.existing,
            removed=outcome.removed,
            version=outcome.revision,
            dry_run=outcome.dry_run,
        )


class RefusedOut(BaseModel):
    """A line that cannot be read."""

    line: int
    reason: str

    @classmethod
    def of(cls, refused: RefusedLine) -> Self:
        """The wire shape."""
        return cls(line=refused.line, reason=refused.reason)


class ImportOut(BulkOut):
    """What an import came to, or would."""

    refused: list[RefusedOut] = Field(default_factory=list)


class ReloadOut(BaseModel):
    """What was loaded, and how long it took."""

    version: int
    policies: int
    assignments: int
    milliseconds: float


class Reset(BaseModel):
    """Back to what was shipped."""

    model_config = ConfigDict(extra="forbid")

    confirm: Literal["reset"]


class ResetOut(BaseModel):
    """From which version on the shipped rules hold, and the backup of those before."""

    version: int
    backup_id: str | None


class HeldOut(BaseModel):
    """A role that reaches a subject, and the roles on the way."""

    role: str
    domain: str
    via: list[str]

    @classmethod
    def of(cls, held: Held, domain: str) -> Self:
        """The wire shape."""
        return cls(role=held.role.removeprefix("role:"), domain=domain, via=list(held.via))


class HeldListOut(BaseModel):
    """Every role that reaches a subject."""

    roles: list[HeldOut]


class GivenOut(BaseModel):
    """A rule that reaches a subject, and the roles on the way."""

    domain: str
    resource: str
    action: str
    effect: Effect
    via: list[str]

    @classmethod
    def of(cls, given: Given) -> Self:
        """The wire shape."""
        rule = given.rule
        return cls(
            domain=rule.domain, resource=rule.resource, action=rule.action, effect=rule.effect, via=list(given.via)
        )


class GivenListOut(BaseModel):
    """Every rule that reaches a subject."""

    permissions: list[GivenOut]


def moment(seconds: float | None) -> datetime | None:
    """A time of the engine on the wire."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
