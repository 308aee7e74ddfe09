"""The platform's policy engine: Casbin's names over a compiled index that a reload replaces as a whole."""

import time
from collections.abc import Callable, Iterable, Sequence

from au_sys_identity.adapters.policy import explaining, listing, previewing, proving
from au_sys_identity.adapters.policy.compiled_index import MAX_DEPTH, CompiledIndex, no_kind
from au_sys_identity.adapters.policy.memberships import Kind
from au_sys_identity.core.access.patterns import ANYTHING
from au_sys_identity.core.access.rules import (
    Asked,
    Change,
    Difference,
    Given,
    Held,
    Invariant,
    Membership,
    Proof,
    Question,
    Rule,
)

_TRIES = 3


class CompiledEngine:
    """Answers from memory. Before the first :meth:`load_policy` everything is denied."""

    def __init__(self, clock: Callable[[], float] = time.time, kind_of: Kind = no_kind, depth: int = MAX_DEPTH) -> None:
        self._clock = clock
        self._kind_of = kind_of
        self._depth = depth
        self._index = CompiledIndex(clock, kind_of, depth)

    @property
    def revision(self) -> int:
        """The revision that answers are made at."""
        return self._index.revision

    @property
    def counts(self) -> tuple[int, int]:
        """How many rules and memberships there are."""
        with self._index.lock:
            return self._index.rules.size, sum(1 for _ in self._index.memberships.all())

    def load_policy(
        self, rules: Iterable[Rule], memberships: Iterable[Membership] = (), revision: int | None = None
    ) -> int:
        """Build a new index beside the old one, which answers until the new one is whole."""
        index = CompiledIndex(self._clock, self._kind_of, self._depth)
        index.load(rules, memberships, self.revision + 1 if revision is None else revision)
        self._index = index
        return index.revision

    def save_policy(self) -> tuple[list[Rule], list[Membership]]:
        """Every rule and membership."""
        with self._index.lock:
            return list(self._index.rules.all()), list(self._index.memberships.all())

    def apply(self, changes: Sequence[Change], revision: int | None = None) -> int:
        """Make changes effective together; the revision from which they are."""
        return self._index.commit(changes, revision)

    def enforce(self, subject: str, domain: str, resource: str, action: str) -> bool:
        """May this subject do this, there?"""
        return self._index.allowed(subject, domain, resource, action)

    def batch_enforce(self, questions: Sequence[Asked]) -> list[bool]:
        """Answers to many questions, all at one revision."""
        index = self._index
        for _ in range(_TRIES):
            revision = index.revision
            answers = index.answers(questions, revision)
            if index.revision == revision:
                return answers
        with index.lock:
            return index.answers(questions, index.revision)

    def enforce_ex(self, subject: str, domain: str, resource: str, action: str) -> Proof:
        """The answer with its shortest proof, or with what would have helped."""
        return explaining.proof_of(self._index, Question(subject, domain, resource, action), self._clock())

    def add_policy(self, rule: Rule) -> int:
        """Add one rule."""
        return self.apply([Change(True, rule)])

    def remove_policy(self, rule: Rule) -> int:
        """Remove one rule."""
        return self.apply([Change(False, rule)])

    def update_policy(self, old: Rule, new: Rule) -> int:
        """Put one rule in the place of another; nobody sees both or neither."""
        return self.apply([Change(False, old), Change(True, new)])

    def add_grouping_policy(self, membership: Membership) -> int:
        """Give a role."""
        return self.apply([Change(True, membership)])

    def remove_grouping_policy(self, membership: Membership) -> int:
        """Take a role."""
        return self.apply([Change(False, membership)])

    def get_filtered_policy(self, subject: str | None = None, domain: str | None = None) -> list[Rule]:
        """Rules of a subject, of a domain, or of both."""
        book = self._index.rules
        with self._index.lock:
            rules = book.all() if subject is None else book.of(subject)
            return [rule for rule in rules if domain in (None, rule.domain)]

    def get_roles_for_user_in_domain(self, subject: str, domain: str) -> list[str]:
        """Roles that a subject holds itself."""
        index, now = self._index, self._clock()
        links = index.memberships.links(subject, domain, index.revision)
        return sorted({role for role, expires_at, _ in links if expires_at is None or now < expires_at})

    def get_users_for_role_in_domain(self, role: str, domain: str) -> list[str]:
        """Who holds a role itself."""
        with self._index.lock:
            down, now = self._index.memberships.down, self._clock()
            return sorted(
                {
                    member
                    for place in explaining.places_of(domain)
                    for member, expires_at in down.get(place, {}).get(role, {}).items()
                    if expires_at is None or now < expires_at
                }
            )

    def get_implicit_roles_for_user(self, subject: str, domain: str) -> list[Held]:
        """Every role above a subject, nearest first."""
        return listing.implicit_roles(self._index, subject, domain, self._clock())

    def get_implicit_permissions_for_user(self, subject: str, domain: str) -> list[Given]:
        """Every rule that reaches a subject."""
        return listing.implicit_permissions(self._index, subject, domain, self._clock())

    def get_implicit_users_for_permission(self, domain: str, resource: str, action: str) -> set[str]:
        """Every subject that may do this and is no role."""
        return listing.implicit_users(self._index, domain, resource, action, self._clock())

    def all_users(self) -> set[str]:
        """Every subject that a rule or membership names and that is no role."""
        return listing.all_users(self._index)

    def all_domains(self) -> set[str]:
        """Every domain that a rule or membership names."""
        with self._index.lock:
            return self._index.rules.domains() | set(self._index.memberships.up)

    def members_of(self, name: str, domain: str) -> set[str]:
        """Everybody under a role, and under nothing else when the name is no role."""
        with self._index.lock:
            found = self._index.memberships.below(name, domain)
            if name == ANYTHING or name.endswith(":*"):
                found |= {user for user in self.all_users() if name in (ANYTHING, self._kind_of(user))}
            return found

    def after(self, changes: Sequence[Change]) -> "CompiledEngine":
        """Another engine as this one would be after some changes."""
        other = CompiledEngine(self._clock, self._kind_of, self._depth)
        other.load_policy(*self.save_policy(), revision=self.revision)
        other.apply(changes)
        return other

    def preview(self, changes: Sequence[Change], limit: int = 1000) -> Difference:
        """Who would gain and who would lose what; nothing is changed."""
        return previewing.difference(self, self.after(changes), changes, limit)

    def prove(self, invariant: Invariant, subjects: Iterable[str]) -> tuple[Question, Proof] | None:
        """A case that breaks an invariant, with its proof; ``None`` when it holds for all of the subjects."""
        return proving.counterexample(self, invariant, subjects)
