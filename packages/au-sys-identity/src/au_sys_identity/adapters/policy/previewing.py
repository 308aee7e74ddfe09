"""What a change would do: the same questions put to the engine before and after."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from au_sys_identity.core.access.patterns import ANYTHING, actions_of, is_name
from au_sys_identity.core.access.rules import Change, Difference, Given, Membership, Question

FRESH = "~any~"
"""A segment that no rule names: what holds for it holds for all that are not named."""


class Asked(Protocol):
    """What both sides of a comparison answer."""

    def enforce(self, subject: str, domain: str, resource: str, action: str) -> bool: ...

    def get_implicit_permissions_for_user(self, subject: str, domain: str) -> list[Given]: ...

    def members_of(self, name: str, domain: str) -> set[str]: ...

    def all_domains(self) -> set[str]: ...


def sample(pattern: str) -> str:
    """A resource under a pattern that stands for all that no rule names."""
    if pattern == ANYTHING:
        return f"/{FRESH}"
    segments = [FRESH if is_name(segment) else segment for segment in pattern.split("/")]
    if len(segments) > 1 and segments[-1] == "*":
        segments[-1] = FRESH
    return "/".join(segments)


def difference(before: Asked, after: Asked, changes: Sequence[Change], limit: int) -> Difference:
    """Gains and losses of everybody whom the changes reach, on one sample of every pattern that they touch."""
    gains: list[Question] = []
    losses: list[Question] = []
    seen: set[Question] = set()
    for question in _questions(before, after, changes):
        if question in seen:
            continue
        seen.add(question)
        probe = (question.subject, question.domain, sample(question.resource), question.action)
        was, will = before.enforce(*probe), after.enforce(*probe)
        if was != will:
            (gains if will else losses).append(question)
            if len(gains) + len(losses) >= limit:
                return Difference(tuple(gains), tuple(losses), complete=False)
    return Difference(tuple(gains), tuple(losses))


def _questions(before: Asked, after: Asked, changes: Sequence[Change]) -> Iterable[Question]:
    domains = sorted((before.all_domains() | after.all_domains()) - {ANYTHING}) or [ANYTHING]
    for _, item in changes:
        places = domains if item.domain == ANYTHING else [item.domain]
        for place in places:
            reached = {item.subject} | before.members_of(item.subject, place) | after.members_of(item.subject, place)
            for subject in sorted(reached):
                if not isinstance(item, Membership):
                    for action in actions_of(item.action):
                        yield Question(subject, place, item.resource, action)
                    continue
                for side in (before, after):
                    for given in side.get_implicit_permissions_for_user(item.role, place):
                        for action in actions_of(given.rule.action):
                            yield Question(subject, place, given.rule.resource, action)
