"""Whether a thing can never happen: an exhaustive search for a case in which it does.

What one allow rule shares with the invariant is a pattern again. Rules cannot tell two segments apart that none of
them names, so one made-up name stands for all; a rest is tried at every length that rules can tell apart.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Protocol

from au_sys_identity.adapters.policy.previewing import FRESH
from au_sys_identity.core.access.patterns import ANYTHING, actions_of, common, is_name
from au_sys_identity.core.access.rules import Given, Invariant, Proof, Question

_MOST_SHAPES = 4096


class Searched(Protocol):
    """What the search asks."""

    def enforce(self, subject: str, domain: str, resource: str, action: str) -> bool: ...

    def enforce_ex(self, subject: str, domain: str, resource: str, action: str) -> Proof: ...

    def get_implicit_permissions_for_user(self, subject: str, domain: str) -> list[Given]: ...

    def all_domains(self) -> set[str]: ...


def counterexample(engine: Searched, invariant: Invariant, subjects: Iterable[str]) -> tuple[Question, Proof] | None:
    """The first case that breaks the invariant; subjects and domains in the order of the alphabet."""
    domains = sorted(engine.all_domains() | {ANYTHING}) if invariant.domain == ANYTHING else [invariant.domain]
    for subject in sorted(subjects):
        for domain in domains:
            for question in _cases(engine, invariant, subject, domain):
                if engine.enforce(*question):
                    return question, engine.enforce_ex(*question)
    return None


def _cases(engine: Searched, invariant: Invariant, subject: str, domain: str) -> Iterator[Question]:
    given = engine.get_implicit_permissions_for_user(subject, domain)
    depth = max((rule.resource.count("/") + 1 for rule, _ in given), default=1) + 1
    for rule, _ in given:
        shared = common(rule.resource, invariant.resource)
        if rule.effect == "deny" or shared is None:
            continue
        for action in _actions(rule.action, invariant.action, given):
            for resource in witnesses(shared, depth):
                yield Question(subject, domain, resource, action)


def _actions(allowed: str, never: str, given: list[Given]) -> list[str]:
    named = {action for rule, _ in given for action in actions_of(rule.action)} - {ANYTHING}
    left = set(actions_of(allowed)) if allowed != ANYTHING else named | {FRESH}
    right = set(actions_of(never)) if never != ANYTHING else left
    if allowed == ANYTHING:
        left |= right
    return sorted(left & right)


def witnesses(pattern: str, depth: int) -> Iterator[str]:
    """Resources under a pattern, one for each kind that rules of at most this depth can tell apart."""
    if pattern == ANYTHING:
        yield from ("", FRESH)
        pattern = "/*"
    segments = pattern.split("/")
    opened = len(segments) > 1 and segments[-1] == "*"
    if opened:
        segments.pop()
    fixed = [FRESH if is_name(segment) else segment for segment in segments]
    if not opened:
        yield "/".join(fixed)
        return
    tried = 0
    for more in range(1, max(depth - len(fixed), 1) + 1):
        for rest in product((FRESH, ""), repeat=more):
            yield "/".join([*fixed, *rest])
            tried += 1
            if tried >= _MOST_SHAPES:
                return
