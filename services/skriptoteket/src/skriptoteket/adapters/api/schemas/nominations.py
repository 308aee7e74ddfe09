"""Nominations: wire shapes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from skriptoteket.core.governance.nominations.models import Nomination, NominationDecision


class NominationIn(BaseModel):
    """Somebody to nominate, by URN or address."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(min_length=1, max_length=320)
    rationale: str = Field(max_length=4000)


class NominationVerdictIn(BaseModel):
    """``approve`` or ``deny``, with the reason."""

    model_config = ConfigDict(extra="forbid")

    verdict: str = Field(max_length=20)
    rationale: str = Field(max_length=4000)


class NominationDecisionOut(BaseModel):
    """The verdict, and whether the right followed."""

    verdict: str
    rationale: str
    by: str
    at: datetime
    grant_state: str
    problem: str


class NominationOut(BaseModel):
    """A nomination with what became of it."""

    id: str
    kind: str
    nominee: str
    nominator: str
    rationale: str
    status: str
    created_at: datetime
    decision: NominationDecisionOut | None

    @classmethod
    def of(cls, found: Nomination, decision: NominationDecision | None = None) -> "NominationOut":
        """The wire shape of a nomination."""
        told = None
        if decision is not None:
            told = NominationDecisionOut(
                verdict=decision.verdict,
                rationale=decision.rationale,
                by=decision.by,
                at=decision.at,
                grant_state=decision.grant_state,
                problem=decision.problem,
            )
        return cls(
            id=str(found.id),
            kind=found.kind,
            nominee=found.nominee,
            nominator=found.nominator,
            rationale=found.rationale,
            status=found.status,
            created_at=found.created_at,
            decision=told,
        )
