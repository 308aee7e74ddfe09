"""Small random worlds, and the slow answer that is right by reading it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from au_sys_identity.core.access.patterns import ANYTHING, actions_of, matches
from au_sys_identity.core.access.rules import Membership, Question, Rule

DOMAINS = ("one", "two")
ACTIONS = ("read", "write", "read|write", "*")
RESOURCES = ("/a", "/a/b", "/a/b/c", "/a/:x", "/a/:x/c", "/a/*", "/:x/b", "/*", "*", "/a/b/*", "plain")
ASKED = ("/a", "/a/", "/a/b", "/a/b/c", "/a/q", "/a/q/c", "/z/b", "/z", "plain", "/", "", "/a/b/", "/a//c")


@dataclass
class World:
    """Rules and memberships, with the answers by brute force."""

    rules: list[Rule] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    depth: int = 32

    def reached(self, subject: str, domain: str, now: float = 0.0) -> set[str]:
        """The subject and every role above it."""
        seen = row = {subject}
        for _ in range(self.depth):
            row = {
                held.role
                for held in self.memberships
                if held.subject in row
                and held.domain in (domain, ANYTHING)
                and (held.expires_at is None or now < held.expires_at)
            } - seen
            seen = seen | row
        return seen

    def matching(self, question: Question, now: float = 0.0) -> list[Rule]:
        """Every rule that decides."""
        names = self.reached(question.subject, question.domain, now) | {ANYTHING}
        return [
            rule
            for rule in self.rules
            if rule.subject in names
            and rule.domain in (question.domain, ANYTHING)
            and matches(rule.resource, question.resource)
            and (rule.action == ANYTHING or question.action in actions_of(rule.action))
            and (rule.expires_at is None or now < rule.expires_at)
        ]

    def enforce(self, question: Question, now: float = 0.0) -> bool:
        """Deny beats allow; nothing matches means no."""
        effects = {rule.effect for rule in self.matching(question, now)}
        return effects == {"allow"}


def a_world(seed: int, *, rules: int = 25, links: int = 14, everywhere: bool = True) -> World:
    """A world with cycles, direct grants, denies, patterns, tenants and ends."""
    luck = random.Random(seed)  # noqa: S311 - worlds are to be the same on every run
    users, roles = [f"user{n}" for n in range(5)], [f"role:{n}" for n in range(5)]
    domains = (*DOMAINS, ANYTHING) if everywhere else DOMAINS
    made = {
        Rule(
            luck.choice([*users, *roles, *roles, ANYTHING] if luck.random() < 0.2 else [*users, *roles, *roles]),
            luck.choice((*DOMAINS, ANYTHING)),
            luck.choice(RESOURCES),
            luck.choice(ACTIONS),
            "deny" if luck.random() < 0.15 else "allow",
        )
        for _ in range(rules)
    }
    held = {
        Membership(luck.choice([*users, *roles]), luck.choice([*roles, *roles, *roles, *users]), luck.choice(domains))
        for _ in range(links)
    }
    return World(sorted(made), sorted(one for one in held if one.subject != one.role))


def questions(seed: int, count: int) -> Iterable[Question]:
    """Random questions, also about what nobody knows."""
    luck = random.Random(seed)  # noqa: S311 - as above
    subjects = [f"user{n}" for n in range(6)] + [f"role:{n}" for n in range(6)]
    for _ in range(count):
        yield Question(
            luck.choice(subjects),
            luck.choice((*DOMAINS, "unknown")),
            luck.choice(ASKED),
            luck.choice(("read", "write", "delete")),
        )
