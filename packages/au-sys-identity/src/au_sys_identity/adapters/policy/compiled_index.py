"""The compiled index: one set of rules, changed in whole steps, read without locks.

A change writes what it makes beside what was (see :mod:`shelves` and :mod:`memberships`) and then raises ``revision``.
A reader notes the revision, reads what stood at it, and begins anew when the revision has moved meanwhile. So no
reader waits, and none sees half a change.
"""

import gc
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from au_sys_identity.adapters.policy.memberships import ROLES, Kind, Memberships
from au_sys_identity.adapters.policy.rule_book import Grants, RuleBook
from au_sys_identity.adapters.policy.shelves import (
    EMPTY,
    EVERYBODY,
    OWNER,
    Entry,
    Met,
    Shelf,
    Slot,
    Timed,
    changed,
    joined,
    settled,
    verdict,
)
from au_sys_identity.core.access.patterns import ANYTHING, actions_of, is_literal
from au_sys_identity.core.access.rules import Asked, Change, Membership, Rule

MAX_DEPTH = 32
_Steps = dict[tuple[int, int, str, str], tuple[Slot, Slot]]
"""What a slot became by a rule, and the slot: it is kept so that its id stays its own."""
_NO_CLOSURES: dict[str, Met] = {}
_NONE_ENDING: dict[str, tuple[Met, float]] = {}
_NOTHING: dict[str, object] = {}


def no_kind(_subject: str) -> None:
    """Subjects of no kind hold nothing by their kind."""
    return


class CompiledIndex:
    """Rules and memberships, ready to be asked."""

    def __init__(self, clock: Callable[[], float], kind_of: Kind = no_kind, depth: int = MAX_DEPTH) -> None:
        self.revision = 0
        self.rules = RuleBook()
        self.memberships = Memberships(kind_of, depth)
        self.lock = threading.RLock()
        self.clock = clock
        self.kind_of = kind_of
        self._shelves: dict[str, Shelf] = {}
        self._own: dict[str, dict[str, Shelf]] = {}
        self.closures: dict[str, dict[str, Met]] = {}
        self._ending: dict[str, dict[str, tuple[Met, float]]] = {}

    def load(self, rules: Iterable[Rule], memberships: Iterable[Membership], revision: int) -> None:
        """Fill an index that nobody asks yet."""
        with _collector_resting():
            self.memberships.fill(memberships)
            places: dict[str, list[Rule]] = defaultdict(list)
            for rule in rules:
                places[rule[1]].append(rule)
            steps: _Steps = {}
            same: dict[Entry, Entry] = {}
            for domain, listed in places.items():
                self._fill(domain, listed, steps, same)
        self.revision = revision

    def commit(self, changes: Sequence[Change], revision: int | None = None) -> int:
        """Make changes effective together, in their order; the revision from which they are."""
        with self.lock:
            following = self.revision + 1 if revision is None else revision
            if following <= self.revision:
                raise ValueError(f"revision {following} does not follow {self.revision}")
            touched: dict[str, set[str]] = defaultdict(set)
            written: list[Rule] = []
            promoted: list[str] = []
            for change in changes:
                if isinstance(change.item, Membership):
                    self._relink(change.add, change.item, following, touched, promoted, written)
                else:
                    self._rewrite(change.add, change.item, following, touched, written)
            self._forget_closures(touched)
            self.revision = following
            for rule in written:
                shelf, _ = self._place(rule.subject, rule.domain)
                shelf.put(rule.resource, settled(shelf.slot(rule.resource)))
            for name in promoted:
                self._own.pop(name, None)
            return following

    def allowed(self, subject: str, domain: str, resource: str, action: str) -> bool:
        """The answer, as of one revision. Deny beats allow; nothing matches means no."""
        while True:
            revision = self.revision
            try:
                met = self.closures[domain][subject]
            except KeyError:
                met = self.closure(subject, domain, revision)
            answer = verdict(met, resource, action, revision, self.clock)
            if self.revision == revision:
                return answer

    def answers(self, questions: Sequence[Asked], revision: int) -> list[bool]:
        """The answers as of a revision that has not been left behind.

        Domain by domain: what one domain's answers need is small enough for a processor to keep at hand.
        """
        places: dict[str, list[Asked]] = defaultdict(list)
        for question in questions:
            places[question[1]].append(question)
        said = {domain: iter(self._said_in(domain, asked, revision)) for domain, asked in places.items()}
        return [next(said[question[1]]) for question in questions]

    def _said_in(self, domain: str, questions: Iterable[Asked], revision: int) -> list[bool]:
        known, clock, decided, closure = self.closures.get(domain, _NO_CLOSURES), self.clock, verdict, self.closure
        return [
            decided(known.get(subject) or closure(subject, domain, revision), resource, action, revision, clock)
            for subject, _, resource, action in questions
        ]

    def closure(self, subject: str, domain: str, revision: int) -> Met:
        """The shelves that a subject meets in a domain with its mask on each.

        Nothing is kept of subjects that no membership and no rule names; what ends is kept beside the rest.
        """
        memberships = self.memberships
        named = subject in memberships.up.get(domain, _NOTHING) or subject in memberships.up.get(ANYTHING, _NOTHING)
        if not named and subject not in self._own and not self.is_role(subject):
            kind = self.kind_of(subject)
            if kind is None:
                return self._met((), domain, subject)
            subject = kind
            met = self.closures.get(domain, _NO_CLOSURES).get(subject)
            if met is not None:
                return met
        ending = self._ending.get(domain, _NONE_ENDING).get(subject)
        now = self.clock()
        if ending is not None and now < ending[1]:
            return ending[0]
        steps, until = memberships.reach(subject, domain, revision, now)
        met = self._met(steps, domain, subject)
        if self.lock.acquire(blocking=False):
            try:
                if self.revision == revision:
                    if until is None:
                        self.closures.setdefault(domain, {})[subject] = met
                    else:
                        self._ending.setdefault(domain, {})[subject] = (met, until)
            finally:
                self.lock.release()
        return met

    def is_role(self, name: str) -> bool:
        """Whether a name has a bit of its own on the domains' shelves."""
        return name in self.memberships.roles or name.startswith(ROLES) or name.endswith(ANYTHING)

    def matching(self, domain: str, resource: str) -> Iterator[tuple[Shelf, list[Slot]]]:
        """Shelves of a domain with the slots that match, those of single subjects left out."""
        for place in (domain,) if domain == ANYTHING else (domain, ANYTHING):
            shelf = self._shelves.get(place)
            if shelf is not None:
                yield shelf, shelf.found(resource)

    def direct(self) -> list[str]:
        """Subjects that have rules of their own and are nobody's role."""
        return list(self._own)

    def _met(self, names: Iterable[str], domain: str, subject: str) -> Met:
        met = []
        own = self._own.get(subject, {})
        for place in (domain,) if domain == ANYTHING else (domain, ANYTHING):
            shelf = self._shelves.get(place)
            if shelf is not None:
                mask = EVERYBODY
                for name in names:
                    mask |= shelf.bits.get(name, 0)
                met.append((shelf.exact, mask, shelf))
            shelf = own.get(place)
            if shelf is not None:
                met.append((shelf.exact, OWNER, shelf))
        return tuple(met)

    def _fill(self, domain: str, rules: Iterable[Rule], steps: _Steps, same: dict[Entry, Entry]) -> None:
        """Put the rules of a domain into an index that nobody reads yet; slots that grow alike are one."""
        places: dict[str, tuple[Shelf, int]] = {}
        for rule in self.rules.filled(domain, rules):
            subject, _, resource, action, effect, expires_at = rule
            place = places.get(subject)
            if place is None:
                place = places[subject] = self._place(subject, domain)
            shelf, bit = place
            slot = shelf.exact.get(resource)
            literal = slot is not None or is_literal(resource)
            if slot is None:
                slot = EMPTY if literal else shelf.slot(resource)
            if expires_at is not None:
                shelf.put(resource, settled(self._reindexed(slot, rule, bit, 0)))
                continue
            step = (id(slot), id(bit), action, effect)
            known = steps.get(step)
            if known is None:
                known = steps[step] = (joined(slot, action, bit, effect, same), slot)
            if literal:
                shelf.exact[resource] = known[0]
            else:
                shelf.put(resource, known[0])

    def _reindexed(self, slot: Slot, rule: Rule, bit: int, revision: int) -> Slot:
        grants = self.rules.grants(rule[0], rule[1], rule[2])
        return changed(slot, rule[3], bit, partial(_said, grants, bit), revision)

    def _place(self, subject: str, domain: str) -> tuple[Shelf, int]:
        if self.is_role(subject):
            shelf = self._shelves.get(domain)
            if shelf is None:
                shelf = self._shelves[domain] = Shelf()
            return shelf, shelf.bit(subject)
        shelf = self._own.setdefault(subject, {}).setdefault(domain, Shelf())
        return shelf, shelf.bit(subject)

    def _rewrite(self, add: bool, rule: Rule, revision: int, touched: dict[str, set[str]], written: list[Rule]) -> None:
        if not (self.rules.put(rule) if add else self.rules.drop(rule)):
            return
        shared = self.is_role(rule.subject)
        shelf = self._shelves.get(rule.domain) if shared else self._own.get(rule.subject, {}).get(rule.domain)
        if shelf is None or rule.subject not in shelf.bits:
            touched[rule.domain].add(ANYTHING if shared else rule.subject)
        shelf, bit = self._place(rule.subject, rule.domain)
        shelf.put(rule.resource, self._reindexed(shelf.slot(rule.resource), rule, bit, revision))
        written.append(rule)

    def _relink(
        self,
        add: bool,
        item: Membership,
        revision: int,
        touched: dict[str, set[str]],
        promoted: list[str],
        written: list[Rule],
    ) -> None:
        if not add:
            if self.memberships.drop(item, revision):
                self._touch(item, touched)
            return
        own = [] if self.is_role(item.role) else list(self.rules.of(item.role))
        self.memberships.put(item, revision)
        self._touch(item, touched)
        for rule in own:  # a subject became a role: its rules move to the shelves that masks are made for
            self.rules.drop(rule)
            self._rewrite(True, rule, revision, touched, written)
        if own:
            promoted.append(item.role)

    def _touch(self, item: Membership, touched: dict[str, set[str]]) -> None:
        touched[item.domain].add(item.subject)
        if item.subject in self.memberships.roles or self.kind_of(item.subject) == item.subject:
            touched[item.domain].add(ANYTHING)

    def _forget_closures(self, touched: dict[str, set[str]]) -> None:
        for domain, subjects in touched.items():
            places = list({**self.closures, **self._ending}) if domain == ANYTHING else [domain]
            for place in places:
                if ANYTHING in subjects:
                    self.closures[place] = {}
                    self._ending[place] = {}
                    continue
                known, ending = self.closures.get(place, _NO_CLOSURES), self._ending.get(place, _NONE_ENDING)
                for subject in subjects:
                    known.pop(subject, None)
                    ending.pop(subject, None)


def _said(grants: Grants, bit: int, action: str) -> tuple[bool, bool, tuple[Timed, ...]]:
    allow = deny = False
    ending: list[Timed] = []
    for listed, effect, expires_at in grants:
        if listed == ANYTHING or action in actions_of(listed):
            if expires_at is not None:
                ending.append(Timed(bit, effect == "deny", expires_at))
            elif effect == "deny":
                deny = True
            else:
                allow = True
    return allow, deny, tuple(ending)


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Let the cyclic garbage collector rest: a million new objects, none of them garbage, would wake it for seconds."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
