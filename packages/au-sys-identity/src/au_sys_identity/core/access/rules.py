"""Rules and memberships as the engine reads them, changes of them, and why a decision came out as it did.

Names follow Casbin: a rule is *(subject, domain, resource, action)* with an effect, a membership is *(subject, role,
domain)*.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Effect = Literal["allow", "deny"]


class Rule(NamedTuple):
    """Who may or must not do what where. ``expires_at`` is in seconds of the epoch; from then on it counts no more."""

    subject: str
    domain: str
    resource: str
    action: str
    effect: Effect = "allow"
    expires_at: float | None = None


class Membership(NamedTuple):
    """Who holds a role, or belongs to a group, in a domain (``*``: in every domain)."""

    subject: str
    role: str
    domain: str
    expires_at: float | None = None


class Change(NamedTuple):
    """One thing that came or went."""

    add: bool
    item: Rule | Membership


class Held(NamedTuple):
    """A role that reaches a subject, and the roles on the shortest way to it."""

    role: str
    via: tuple[str, ...]


class Given(NamedTuple):
    """A rule that reaches a subject, and the roles on the shortest way to it; none when it is the subject's own."""

    rule: Rule
    via: tuple[str, ...]


class Question(NamedTuple):
    """May this subject do this, there? In the order of Casbin's ``enforce``."""

    subject: str
    domain: str
    resource: str
    action: str


Asked = tuple[str, str, str, str]
"""A question as a plain tuple: of many at once none needs a name for its parts."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The shortest reason for an answer: the memberships from the subject to the rule, and the rule.

    Without a rule nothing matched; then ``nearest`` says what would have helped.
    """

    allowed: bool
    revision: int
    chain: tuple[Membership, ...] = ()
    rule: Rule | None = None
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change would give to whom, and take from whom; ``complete`` unless it was cut at the limit."""

    gains: Sequence[Question] = field(default_factory=tuple)
    losses: Sequence[Question] = field(default_factory=tuple)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must never be allowed: an action (``*``: any) on anything under a pattern, in a domain (``*``: any)."""

    domain: str
    resource: str
    action: str
