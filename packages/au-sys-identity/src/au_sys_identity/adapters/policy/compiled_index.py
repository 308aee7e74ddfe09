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

from au_sys_identity.adapters.policy.memberships import ROLES, Kind, Memberships
from au_sys_identity.adapters.policy.rule_book import Grants, RuleBook
from au_sys_identity.adapters.policy.shelves import (
    ALLOWED,
    EVERYBODY,
    NOTHING,
    OWNER,
    UNSAID,
    Entry,
    Shelf,
    Slot,
    Timed,
    changed,
    judged,
    read,
)
from au_sys_identity.core.access.patterns import ANYTHING, actions_of
from au_sys_identity.core.access.rules import Change, Membership, Rule

MAX_DEPTH = 32
Closure = tuple[tuple[tuple[Shelf, int], ...], float | None]
"""The shelves that a subject meets in a domain with its mask on each, and until when this holds."""
_NO_CLOSURES: dict[str, Closure] = {}
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
        self._clock = clock
        self.kind_of = kind_of
        self._shelves: dict[str, Shelf] = {}
        self._own: dict[str, dict[str, Shelf]] = {}
        self._closures: dict[str, dict[str, Closure]] = {}

    def load(self, rules: Iterable[Rule], memberships: Iterable[Membership], revision: int) -> None:
        """Fill an index that nobody asks yet."""
        with _collector_resting():
            for membership in memberships:
                self.memberships.put(membership, 0)
            same: dict[str, str] = {}
            masks: dict[tuple[int, int], Entry] = {}
            for rule in rules:
                resource = same.setdefault(rule[2], rule[2])
                if self.rules.put(Rule(rule[0], rule[1], resource, *rule[3:])):
                    self._shelve(rule, resource, masks)
        self.revision = revision

    def commit(self, changes: Sequence[Change], revision: int | None = None) -> int:
        """Make changes effective together, in their order; the revision from which they are."""
        with self.lock:
            following = self.revision + 1 if revision is None else revision
            if following <= self.revision:
                raise ValueError(f"revision {following} does not follow {self.revision}")
            touched: dict[str, set[str]] = defaultdict(set)
            emptied: list[Rule] = []
            promoted: list[str] = []
            for change in changes:
                if isinstance(change.item, Membership):
                    self._relink(change.add, change.item, following, touched, promoted)
                else:
                    self._rewrite(change.add, change.item, following, touched)
                    if not change.add:
                        emptied.append(change.item)
            self._forget_closures(touched)
            self.revision = following
            for name in promoted:
                self._own.pop(name, None)
            for rule in emptied:
                self._sweep(rule)
            return following

    def allowed(self, subject: str, domain: str, resource: str, action: str) -> bool:
        """The answer, as of one revision. Deny beats allow; nothing matches means no."""
        while True:
            revision = self.revision
            answer = self.answer(subject, domain, resource, action, revision)
            if self.revision == revision:
                return answer

    def answer(self, subject: str, domain: str, resource: str, action: str, revision: int) -> bool:
        """The answer as of a revision that has not been left behind."""
        closure = self._closures.get(domain, _NO_CLOSURES).get(subject)
        if closure is None or (closure[1] is not None and closure[1] <= self._clock()):
            closure = self.closure(subject, domain, revision)
        verdict = UNSAID
        segments: list[str] = []
        for shelf, mask in closure[0]:
            if shelf.patterned:
                segments = segments or resource.split("/")
                verdict |= judged(shelf.found(resource, segments), mask, action, revision, self._clock)
            else:
                slot = shelf.exact.get(resource)
                if slot is not None:
                    verdict |= read(slot, mask, action, revision, self._clock)
        return verdict == ALLOWED

    def closure(self, subject: str, domain: str, revision: int) -> Closure:
        """The masks of a subject in a domain; nothing is kept of subjects that no membership and no rule names."""
        memberships = self.memberships
        named = subject in memberships.up.get(domain, _NOTHING) or subject in memberships.up.get(ANYTHING, _NOTHING)
        if not named and subject not in self._own and not self.is_role(subject):
            kind = self.kind_of(subject)
            if kind is None:
                return self._met((), domain, subject), None
            subject = kind
            closure = self._closures.get(domain, _NO_CLOSURES).get(subject)
            if closure is not None and (closure[1] is None or closure[1] > self._clock()):
                return closure
        steps, until = memberships.reach(subject, domain, revision, self._clock())
        closure = (self._met(steps, domain, subject), until)
        if self.lock.acquire(blocking=False):
            try:
                if self.revision == revision:
                    self._closures.setdefault(domain, {})[subject] = closure
            finally:
                self.lock.release()
        return closure

    def is_role(self, name: str) -> bool:
        """Whether a name has a bit of its own on the domains' shelves."""
        return name in self.memberships.roles or name.startswith(ROLES) or name.endswith(ANYTHING)

    def matching(self, domain: str, resource: str) -> Iterator[tuple[Shelf, list[Slot]]]:
        """Shelves of a domain with the slots that match, those of single subjects left out."""
        for place in (domain,) if domain == ANYTHING else (domain, ANYTHING):
            shelf = self._shelves.get(place)
            if shelf is not None:
                yield shelf, shelf.found(resource, resource.split("/"))

    def direct(self) -> list[str]:
        """Subjects that have rules of their own and are nobody's role."""
        return list(self._own)

    def _met(self, names: Iterable[str], domain: str, subject: str) -> tuple[tuple[Shelf, int], ...]:
        met = []
        own = self._own.get(subject, {})
        for place in (domain,) if domain == ANYTHING else (domain, ANYTHING):
            shelf = self._shelves.get(place)
            if shelf is not None:
                mask = EVERYBODY
                for name in names:
                    mask |= shelf.bits.get(name, 0)
                met.append((shelf, mask))
            shelf = own.get(place)
            if shelf is not None:
                met.append((shelf, OWNER))
        return tuple(met)

    def _shelve(self, rule: Rule, resource: str, masks: dict[tuple[int, int], Entry]) -> None:
        """Put one rule into an index that nobody reads yet."""
        shelf, bit = self._place(rule[0], rule[1])
        slot = shelf.slot(resource)
        if rule[5] is not None or rule[3] == ANYTHING or ANYTHING in slot:
            self._reindex(slot, rule, bit, 0)
            return
        for action in actions_of(rule[3]):
            allow, deny, timed, _, _ = slot.get(action) or NOTHING
            key = (allow | bit, deny) if rule[4] == "allow" else (allow, deny | bit)
            slot[action] = (*key, timed, 0, None) if timed else masks.setdefault(key, (*key, (), 0, None))

    def _reindex(self, slot: Slot, rule: Rule, bit: int, revision: int) -> None:
        grants = self.rules.grants(rule[0], rule[1], rule[2])
        actions = actions_of(rule[3]) if rule[3] != ANYTHING else (*(known for known in slot if known != "*"), "*")
        for action in actions:
            changed(slot, action, bit, _said(grants, action, bit), revision)

    def _place(self, subject: str, domain: str) -> tuple[Shelf, int]:
        if self.is_role(subject):
            shelf = self._shelves.get(domain)
            if shelf is None:
                shelf = self._shelves[domain] = Shelf()
            return shelf, shelf.bit(subject)
        shelf = self._own.setdefault(subject, {}).setdefault(domain, Shelf())
        return shelf, shelf.bit(subject)

    def _rewrite(self, add: bool, rule: Rule, revision: int, touched: dict[str, set[str]]) -> None:
        if not (self.rules.put(rule) if add else self.rules.drop(rule)):
            return
        shared = self.is_role(rule.subject)
        shelf = self._shelves.get(rule.domain) if shared else self._own.get(rule.subject, {}).get(rule.domain)
        if shelf is None or rule.subject not in shelf.bits:
            touched[rule.domain].add(ANYTHING if shared else rule.subject)
        shelf, bit = self._place(rule.subject, rule.domain)
        self._reindex(shelf.slot(rule.resource), rule, bit, revision)

    def _sweep(self, rule: Rule) -> None:
        """Throw away what a removed rule left empty, once nobody reads it any more."""
        shelf, _ = self._place(rule.subject, rule.domain)
        slot = shelf.slot(rule.resource)
        for action in [known for known in slot if known != ANYTHING]:
            if slot[action][:3] == (slot.get(ANYTHING) or NOTHING)[:3]:
                del slot[action]
        if slot.keys() == {ANYTHING} and slot[ANYTHING][:3] == NOTHING[:3]:
            del slot[ANYTHING]
        if not slot:
            shelf.exact.pop(rule.resource, None)

    def _relink(
        self, add: bool, item: Membership, revision: int, touched: dict[str, set[str]], promoted: list[str]
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
            self._rewrite(True, rule, revision, touched)
        if own:
            promoted.append(item.role)

    def _touch(self, item: Membership, touched: dict[str, set[str]]) -> None:
        touched[item.domain].add(item.subject)
        if item.subject in self.memberships.roles or self.kind_of(item.subject) == item.subject:
            touched[item.domain].add(ANYTHING)

    def _forget_closures(self, touched: dict[str, set[str]]) -> None:
        for domain, subjects in touched.items():
            places = list(self._closures) if domain == ANYTHING else [domain]
            for place in places:
                if ANYTHING in subjects:
                    self._closures[place] = {}
                    continue
                known = self._closures.get(place, _NO_CLOSURES)
                for subject in subjects:
                    known.pop(subject, None)


def _said(grants: Grants, action: str, bit: int) -> tuple[bool, bool, tuple[Timed, ...]]:
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
