"""The rules of one domain by resource and action, as bitmasks over the subjects that have any.

What stands at a resource is never changed, but replaced as a whole, so that equal ones are kept as one object. While a
change is under way an entry also keeps what it was before, so that a reader who began earlier sees none of it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from au_sys_identity.core.access.patterns import ANYTHING, actions_of, is_literal, is_name
from au_sys_identity.core.access.rules import Effect

EVERYBODY = 1
"""The bit of the subject ``*`` on every shelf."""
OWNER = 2
"""The bit of a subject on a shelf of its own."""
UNSAID, ALLOWED, DENIED = 0, 1, 2
"""What rules say; of several, the bits are united, and whoever is not just allowed is denied."""
_NEVER = 1 << 30
_BITS: list[int] = []  # the same objects on every shelf, so that what is made of them is one as well


class Timed(NamedTuple):
    """A rule that ends: the subject's bit, the effect, and when."""

    bit: int
    deny: bool
    expires_at: float


class More(NamedTuple):
    """Rules that end; since which revision the entry stands, and the one before it."""

    timed: tuple[Timed, ...]
    since: int
    before: "Entry | None"


Entry = tuple[int, int, More | None]
"""Mask of subjects allowed, of subjects denied, and what few entries have besides."""
Slot = dict[str, Entry]
"""Entries by action; what is said about ``*`` is contained in the entry of every action that has one."""
Met = tuple[tuple[dict[str, Slot], int, "Shelf"], ...]
"""Shelves that a subject meets: what stands at whole resources, the subject's mask, and the shelf."""
NOTHING: Entry = (0, 0, None)
EMPTY: Slot = {}


class Node:
    """One segment of resource patterns."""

    __slots__ = ("children", "here", "named", "rest")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.named: Node | None = None
        self.here: Slot | None = None
        self.rest: Slot | None = None


class Shelf:
    """The rules of one domain, or of one subject in one domain.

    ``under`` holds what stands at ``parent/:name`` and at ``parent/*`` by the parent. ``shallow`` is the least number
    of segments of a parent of ``/*``; -1 when patterns that are not found by their parent are to be looked for.
    """

    __slots__ = ("bits", "branching", "depths", "everything", "exact", "patterned", "root", "shallow", "under")

    def __init__(self) -> None:
        self.exact: dict[str, Slot] = {}
        self.under: dict[str, tuple[Slot, Slot]] = {}
        self.depths: tuple[int, ...] = ()
        self.shallow = _NEVER
        self.patterned = False
        self.branching = False
        self.root = Node()
        self.everything: Slot = EMPTY
        self.bits: dict[str, int] = {ANYTHING: EVERYBODY}

    def bit(self, subject: str) -> int:
        """The bit of a subject, given out on first use and never again."""
        known = self.bits.get(subject)
        if known is None:
            number = len(self.bits)
            while number >= len(_BITS):
                _BITS.append(1 << len(_BITS))
            known = self.bits[subject] = _BITS[number]
        return known

    def slot(self, pattern: str) -> Slot:
        """What stands at a pattern."""
        if is_literal(pattern):
            return self.exact.get(pattern, EMPTY)
        if pattern == ANYTHING:
            return self.everything
        prefix, slash, last = pattern.rpartition("/")
        if not slash or not is_literal(prefix):
            node, opened = self._node(pattern)
            return (node.rest if opened else node.here) or EMPTY
        return self.under.get(prefix, (EMPTY, EMPTY))[last == "*"]

    def put(self, pattern: str, slot: Slot) -> None:
        """Let something else stand at a pattern; nothing, when it is empty."""
        if is_literal(pattern):
            if slot:
                self.exact[pattern] = slot
            else:
                self.exact.pop(pattern, None)
            return
        self.patterned = True
        prefix, slash, last = pattern.rpartition("/")
        if pattern == ANYTHING:
            self.everything, self.shallow = slot, -1
        elif not slash or not is_literal(prefix):
            self._plant(pattern, slot)
        else:
            named, opened = self.under.get(prefix, (EMPTY, EMPTY))
            if last == "*":
                opened = slot
                self._deepen(prefix.count("/") + 1)
            else:
                named = slot
            if named or opened:
                self.under[prefix] = (named, opened)
            else:
                self.under.pop(prefix, None)

    def _deepen(self, depth: int) -> None:
        if depth not in self.depths:
            self.depths = (*self.depths, depth)
            self.shallow = min(self.shallow, depth)

    def _plant(self, pattern: str, slot: Slot) -> None:
        node, opened = self._node(pattern)
        if opened:
            node.rest = slot or None
        else:
            node.here = slot or None
        self.branching, self.shallow = True, -1

    def _node(self, pattern: str) -> tuple[Node, bool]:
        segments = pattern.split("/")
        opened = segments[-1] == "*"
        node = self.root
        for segment in segments[:-1] if opened else segments:
            if is_name(segment):
                if node.named is None:
                    node.named = Node()
                node = node.named
            else:
                node = node.children.setdefault(segment, Node())
        return node, opened

    def found(self, resource: str) -> list[Slot]:
        """Every slot whose pattern matches a resource."""
        exact = self.exact.get(resource)
        return self.opened(resource) if exact is None else [exact, *self.opened(resource)]

    def opened(self, resource: str) -> list[Slot]:
        """Those of them whose pattern is not the resource itself."""
        slots = [self.everything] if self.everything else []
        segments = resource.split("/")
        above = len(segments) - 1
        if above:
            named, below = self.under.get(resource[: resource.rindex("/")], (EMPTY, EMPTY))
            slots += [named, below] if segments[-1] else [below]
            for depth in self.depths:
                if depth < above:
                    slots.append(self.under.get("/".join(segments[:depth]), (EMPTY, EMPTY))[1])
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


def entries(slots: Iterable[Slot], action: str) -> Iterator[Entry]:
    """Every entry of matching slots that an answer about an action depends on."""
    for slot in slots:
        entry = slot.get(action) or slot.get(ANYTHING)
        if entry is not None:
            yield entry


def timed_of(entry: Entry) -> tuple[Timed, ...]:
    """The rules of an entry that end."""
    return () if entry[2] is None else entry[2].timed


def verdict(met: Met, resource: str, action: str, revision: int, clock: Callable[[], float]) -> bool:
    """The answer to the subject of some masks, as of a revision. This is what every request waits for."""
    said = UNSAID
    above = -1
    for exact, mask, shelf in met:
        slot = exact.get(resource)
        if slot is not None:
            entry = slot.get(action) or slot.get("*")
            if entry is not None:
                allow, deny, more = entry
                if more is not None or deny:
                    said |= _told(entry, mask, revision, clock)
                elif allow & mask:
                    said |= ALLOWED
        if shelf.patterned:
            if above < 0:
                above, parent = resource.count("/"), resource.rpartition("/")[0]
            if shelf.shallow < above or (above and parent in shelf.under):
                for entry in entries(shelf.opened(resource), action):
                    said |= _told(entry, mask, revision, clock)
    return said == ALLOWED


def _told(entry: Entry, mask: int, revision: int, clock: Callable[[], float]) -> int:
    """What an entry says, also one that a change is replacing, or of which a part ends."""
    allow, deny, more = entry
    if more is not None and more.since > revision:
        allow, deny, more = more.before or NOTHING
    if deny & mask:
        return DENIED
    said = ALLOWED if allow & mask else UNSAID
    if more is not None:
        for rule in more.timed:
            if rule.bit & mask and clock() < rule.expires_at:
                said |= DENIED if rule.deny else ALLOWED
    return said


def joined(slot: Slot, action: str, bit: int, effect: Effect, same: dict[Entry, Entry]) -> Slot:
    """A slot with one more rule, which does not end; equal entries as one object, which a processor keeps at hand."""
    grown = dict(slot)
    for name in _named(slot, action):
        allow, deny, more = slot.get(name) or slot.get(ANYTHING) or NOTHING
        entry = (allow | bit if allow else bit, deny, more) if effect == "allow" else (allow, deny | bit, more)
        grown[name] = same.setdefault(entry, entry)
    return grown


def changed(
    slot: Slot, action: str, bit: int, said: Callable[[str], tuple[bool, bool, tuple[Timed, ...]]], revision: int
) -> Slot:
    """A slot with one subject's part replaced, and with what was before for readers who began earlier.

    An action without an entry was answered by that of ``*`` so far, and begins with what that says.
    """
    grown = dict(slot)
    for name in _named(slot, action):
        entry = slot.get(name) or slot.get(ANYTHING)
        allow, deny, more = entry or NOTHING
        timed, since, before = more or ((), 0, None)
        if since != revision:
            before = entry
        allowing, denying, ending = said(name)
        kept = tuple(rule for rule in timed if rule.bit != bit)
        grown[name] = (
            allow | bit if allowing else allow & ~bit,
            deny | bit if denying else deny & ~bit,
            More(kept + ending, revision, before),
        )
    return grown


def _named(slot: Slot, action: str) -> tuple[str, ...]:
    """The entries of a slot that a rule about an action touches."""
    return actions_of(action) if action != ANYTHING else (*(name for name in slot if name != ANYTHING), ANYTHING)


def settled(slot: Slot) -> Slot:
    """A slot once its last change is effective: without what was before, and without what says nothing of its own."""
    plain: Slot = {}
    for action, (allow, deny, more) in slot.items():
        plain[action] = (allow, deny, More(more.timed, 0, None) if more is not None and more.timed else None)
    rest = plain.get(ANYTHING, NOTHING)
    kept = {action: entry for action, entry in plain.items() if action == ANYTHING or entry != rest}
    if rest == NOTHING:
        kept.pop(ANYTHING, None)
    return kept
