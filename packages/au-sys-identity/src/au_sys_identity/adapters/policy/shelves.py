"""The rules of one domain by resource and action, as bitmasks over the subjects that have any.

An entry keeps what it was before its last change, so that a reader who began before a change sees none of it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from au_sys_identity.core.access.patterns import ANYTHING, is_literal, is_name

EVERYBODY = 1
"""The bit of the subject ``*`` on every shelf."""
OWNER = 2
"""The bit of a subject on a shelf of its own."""
UNSAID, ALLOWED, DENIED = 0, 1, 2
"""What rules say; of several, the bits are united, and whoever is not just allowed is denied."""


class Timed(NamedTuple):
    """A rule that ends: the subject's bit, the effect, and when."""

    bit: int
    deny: bool
    expires_at: float


Entry = tuple[int, int, tuple[Timed, ...], int, "Entry | None"]
"""Mask of subjects allowed, of subjects denied, rules that end, since which revision, and the entry before."""
Slot = dict[str, Entry]
"""Entries by action."""
NOTHING: Entry = (0, 0, (), 0, None)


class Node:
    """One segment of resource patterns."""

    __slots__ = ("children", "here", "named", "rest")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.named: Node | None = None
        self.here: Slot | None = None
        self.rest: Slot | None = None


class Shelf:
    """The rules of one domain, or of one subject in one domain."""

    __slots__ = ("bits", "everything", "exact", "patterned", "root")

    def __init__(self) -> None:
        self.exact: dict[str, Slot] = {}
        self.root = Node()
        self.everything: Slot | None = None
        self.patterned = False
        self.bits: dict[str, int] = {ANYTHING: EVERYBODY}

    def bit(self, subject: str) -> int:
        """The bit of a subject, given out on first use and never again."""
        known = self.bits.get(subject)
        if known is None:
            known = self.bits[subject] = 1 << len(self.bits)
        return known

    def slot(self, pattern: str) -> Slot:
        """The place of a pattern, made when missing."""
        if is_literal(pattern):
            found = self.exact.get(pattern)
            if found is None:
                found = self.exact[pattern] = {}
            return found
        if pattern == ANYTHING:
            if self.everything is None:
                self.everything = {}
                self.patterned = True
            return self.everything
        return self._in_tree(pattern)

    def _in_tree(self, pattern: str) -> Slot:
        segments = pattern.split("/")
        whole = segments[-1] != "*"
        node = self.root
        for segment in segments if whole else segments[:-1]:
            if is_name(segment):
                if node.named is None:
                    node.named = Node()
                node = node.named
            else:
                node = node.children.setdefault(segment, Node())
        if whole:
            if node.here is None:
                node.here = {}
            slot = node.here
        else:
            if node.rest is None:
                node.rest = {}
            slot = node.rest
        self.patterned = True
        return slot

    def found(self, resource: str) -> list[Slot]:
        """Every slot whose pattern matches a resource."""
        slots = []
        exact = self.exact.get(resource)
        if exact is not None:
            slots.append(exact)
        if self.everything is not None:
            slots.append(self.everything)
        nodes = [self.root]
        for segment in resource.split("/"):
            below = []
            for node in nodes:
                if node.rest is not None:
                    slots.append(node.rest)
                child = node.children.get(segment)
                if child is not None:
                    below.append(child)
                if node.named is not None and segment:
                    below.append(node.named)
            if not below:
                return slots
            nodes = below
        slots.extend(node.here for node in nodes if node.here is not None)
        return slots


def entries(slots: list[Slot], action: str) -> Iterator[Entry]:
    """Every entry of matching slots that an answer about an action depends on."""
    for slot in slots:
        for known in {action, ANYTHING}:
            entry = slot.get(known)
            if entry is not None:
                yield entry


def judged(shelf: Shelf, mask: int, resource: str, action: str, revision: int, clock: Callable[[], float]) -> int:
    """What the rules of a shelf say to the subjects of a mask, as of a revision."""
    if shelf.patterned:
        slots = shelf.found(resource)
    else:
        exact = shelf.exact.get(resource)
        if exact is None:
            return UNSAID
        slots = [exact]
    verdict = UNSAID
    for slot in slots:
        for entry in (slot.get(action), slot.get(ANYTHING)):
            if entry is None:
                continue
            allow, deny, timed, since, before = entry
            if since > revision:
                allow, deny, timed, _, _ = before or NOTHING
            if deny & mask:
                return DENIED
            if allow & mask:
                verdict = ALLOWED
            if timed:
                verdict |= _timely(timed, mask, clock())
    return verdict


def _timely(timed: tuple[Timed, ...], mask: int, now: float) -> int:
    verdict = UNSAID
    for rule in timed:
        if rule.bit & mask and now < rule.expires_at:
            verdict |= DENIED if rule.deny else ALLOWED
    return verdict


def changed(entry: Entry | None, bit: int, grants: tuple[bool, bool, tuple[Timed, ...]], revision: int) -> Entry:
    """The entry with one subject's part replaced, and the one before kept for readers who began earlier."""
    old = entry or NOTHING
    allow, deny, timed, since, before = old
    if since != revision:
        before = None if entry is None else (allow, deny, timed, since, None)
    allowing, denying, ending = grants
    kept = tuple(rule for rule in timed if rule.bit != bit) if timed else ()
    return (
        allow | bit if allowing else allow & ~bit,
        deny | bit if denying else deny & ~bit,
        kept + ending,
        revision,
        before,
    )
