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
"""Entries by action; what is said about ``*`` is contained in the entry of every action that has one."""
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

    __slots__ = ("bits", "branching", "depths", "everything", "exact", "named", "opened", "patterned", "root")

    def __init__(self) -> None:
        self.exact: dict[str, Slot] = {}
        self.opened: dict[str, Slot] = {}
        self.named: dict[str, Slot] = {}
        self.depths: tuple[int, ...] = ()
        self.branching = False
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
        self.patterned = True
        prefix, slash, last = pattern.rpartition("/")
        if not slash or not is_literal(prefix):
            self.branching = True
            return self._in_tree(pattern)
        if last == "*":
            depth = prefix.count("/") + 1
            if depth not in self.depths:
                self.depths = (*self.depths, depth)
            return self.opened.setdefault(prefix, {})
        return self.named.setdefault(prefix, {})

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
        return slot

    def found(self, resource: str, segments: list[str]) -> list[Slot]:
        """Every slot whose pattern matches a resource, which is given whole and in its segments.

        Patterns with literal segments and one open end are found by their length; the others in the tree.
        """
        slots = []
        exact = self.exact.get(resource)
        if exact is not None:
            slots.append(exact)
        if self.everything is not None:
            slots.append(self.everything)
        above = len(segments) - 1
        if above:
            parent = resource[: resource.rindex("/")]
            if self.named and segments[-1] and parent in self.named:
                slots.append(self.named[parent])
            for depth in self.depths:
                if depth <= above:
                    slot = self.opened.get(parent if depth == above else "/".join(segments[:depth]))
                    if slot is not None:
                        slots.append(slot)
        if self.branching:
            _branching(self.root, segments, slots)
        return slots


def _branching(root: Node, segments: list[str], slots: list[Slot]) -> None:
    """Collect the slots of a tree in which a literal and a named segment may both lead on."""
    nodes = [root]
    for segment in segments:
        following = []
        for node in nodes:
            if node.rest is not None:
                slots.append(node.rest)
            below = node.children.get(segment)
            if below is not None:
                following.append(below)
            if node.named is not None and segment:
                following.append(node.named)
        if not following:
            return
        nodes = following
    slots.extend(node.here for node in nodes if node.here is not None)


def entries(slots: list[Slot], action: str) -> Iterator[Entry]:
    """Every entry of matching slots that an answer about an action depends on."""
    for slot in slots:
        entry = slot.get(action) or slot.get(ANYTHING)
        if entry is not None:
            yield entry


def judged(slots: list[Slot], mask: int, action: str, revision: int, clock: Callable[[], float]) -> int:
    """What matching slots say to the subjects of a mask, as of a revision."""
    verdict = UNSAID
    for slot in slots:
        verdict |= read(slot, mask, action, revision, clock)
    return verdict


def read(slot: Slot, mask: int, action: str, revision: int, clock: Callable[[], float]) -> int:
    """What one slot says to the subjects of a mask, as of a revision."""
    entry = slot.get(action) or slot.get(ANYTHING)
    if entry is None:
        return UNSAID
    allow, deny, timed, since, before = entry
    if since > revision:
        allow, deny, timed, _, _ = before or NOTHING
    if deny & mask:
        return DENIED
    verdict = ALLOWED if allow & mask else UNSAID
    return verdict | _timely(timed, mask, clock()) if timed else verdict


def _timely(timed: tuple[Timed, ...], mask: int, now: float) -> int:
    verdict = UNSAID
    for rule in timed:
        if rule.bit & mask and now < rule.expires_at:
            verdict |= DENIED if rule.deny else ALLOWED
    return verdict


def changed(slot: Slot, action: str, bit: int, said: tuple[bool, bool, tuple[Timed, ...]], revision: int) -> None:
    """Replace one subject's part in an entry, and keep what was before for readers who began earlier.

    An action without an entry was answered by that of ``*`` so far, and begins with what that says.
    """
    entry = slot.get(action) or slot.get(ANYTHING)
    allow, deny, timed, since, before = entry or NOTHING
    if since != revision:
        before = None if entry is None else (allow, deny, timed, since, None)
    allowing, denying, ending = said
    kept = tuple(rule for rule in timed if rule.bit != bit) if timed else ()
    slot[action] = (
        allow | bit if allowing else allow & ~bit,
        deny | bit if denying else deny & ~bit,
        kept + ending,
        revision,
        before,
    )
