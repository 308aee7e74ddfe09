"""Nomination and its decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

PENDING_TIME = timedelta(days=90)
"""A nomination that nobody decided for so long is over."""

MOST_TRIES = 10
"""How often a right is given or taken before the operator has to look."""


class NominationKind(StrEnum):
    """What is asked for."""

    APPOINT = "appoint"
    REVOKE = "revoke"


class NominationStatus(StrEnum):
    """Where a nomination is."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class GrantState(StrEnum):
    """Whether the right followed the decision. ``none`` for a denial."""

    NONE = "none"
    PENDING = "pending"
    GRANTED = "granted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Nomination:
    """Somebody who should become administrator, or be one no longer."""

    id: UUID
    kind: NominationKind
    nominee: str
    nominator: str
    rationale: str
    status: NominationStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NominationDecision:
    """The one verdict; only the state of the grant changes afterwards. ``problem`` is why it is not there yet."""

    nomination_id: UUID
    verdict: NominationStatus
    rationale: str
    by: str
    at: datetime
    grant_state: GrantState
    tries: int = 0
    problem: str = ""
