"""Recompute the log from its first leaf and name what is wrong; the same for the server and for the verifier.

Leaves, nodes and heads are handed in once, in the order of the tree, so memory does not grow with the log. Kinds of
finding: ``altered`` (content is not what was hashed), ``missing`` (a leaf has no event, or a node is gone),
``reordered`` (what belongs to one leaf stands at another), ``gap`` (a leaf is gone and later ones are there),
``truncated`` (the end is cut off), ``head-forged`` (a head nobody signed with the key).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from au_sys_identity.core.audit.heads import CheckSignature, Head
from au_sys_identity.core.audit.tree import Coordinate, Frontier, leaf_hash, node_hash

Kind = Literal["altered", "missing", "reordered", "truncated", "head-forged", "gap"]

DROPPED, KEEPER = "audit.dropped", "urn:au:system:identity"
"""The event by which the log tells that older ones were dropped, and who alone may tell so."""
_TOLD = f'"action":"{DROPPED}"'.encode()
_MOST = 100
_MOST_COMPARED = 32


@dataclass(frozen=True, slots=True)
class Leaf:
    """A row of the tree with the event that it stands for, as stored; ``body`` is ``None`` when there is none."""

    index: int
    hash: bytes
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: where it begins, and the last head before it that holds."""

    kind: Kind
    leaf_index: int
    last_good_size: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found; no finding means that the log is sound."""

    leaves: int
    heads: int
    last_good_size: int
    findings: tuple[Finding, ...] = ()
    more: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class _Pair:
    """Two neighbouring leaves that do not give the node which is kept over them."""

    finding: int
    left: bytes
    right: bytes
    kept: bytes


@dataclass(slots=True)
class _Stray:
    """A body that is not what its leaf hashed."""

    finding: int
    wanted: bytes
    found: bytes


@dataclass(slots=True)
class Check:
    """Takes the log piece by piece: :meth:`leaf` in order, each followed by the heads of its size; then :meth:`end`."""

    signed: CheckSignature
    _frontier: Frontier = field(default_factory=Frontier)
    _findings: list[Finding] = field(default_factory=list)
    _more: int = 0
    _heads: int = 0
    _good: int = 0
    _whole: bool = True
    _next: int = 0
    _tainted: set[Coordinate] = field(default_factory=set)
    _pairs: list[_Pair] = field(default_factory=list)
    _strays: list[_Stray] = field(default_factory=list)
    _beyond: list[Head] = field(default_factory=list)
    _previous: bytes = b""
    _gone: int = 0
    _dropped: int = 0

    def leaf(self, leaf: Leaf, kept: Mapping[Coordinate, bytes]) -> None:
        """The next leaf, with the kept nodes that it completes."""
        if leaf.index != self._next:
            if leaf.index < self._next:
                self._add("reordered", leaf.index, "the index occurs twice")
                return
            self._add("gap", self._next, f"{leaf.index - self._next} leaves are gone")
            self._whole = False
        self._next = leaf.index + 1
        self._content(leaf)
        if not self._whole:
            return
        for place, made in self._frontier.append(leaf.hash):
            self._node(place, made, kept.get(place), (self._previous, leaf.hash))
        self._previous = leaf.hash

    def head(self, head: Head, source: str = "log") -> None:
        """A head of the log itself, or of a witness; of the size that was reached, or of one beyond the end."""
        self._heads += 1
        if not self.signed(head.key_id, head.message, head.signature):
            self._add("head-forged", head.tree_size, f"the head of {source} is not signed with the key")
        elif head.tree_size > self._next:
            self._beyond.append(head)
            self._beyond = sorted(self._beyond, key=lambda one: one.tree_size)[-1:]
        elif head.tree_size != self._frontier.size or not self._whole:
            return
        elif head.root_hash == self._frontier.root():
            self._good = head.tree_size
        elif not any(finding.leaf_index >= self._good for finding in self._findings):
            self._add("altered", self._good, f"the tree is not that of the head of {source} at {head.tree_size}")

    def end(self) -> Report:
        """Nothing more comes."""
        if self._beyond:
            size = self._beyond[0].tree_size
            self._add("truncated", self._next, f"a head tells of {size} leaves, {self._next} are there")
        if self._gone > self._dropped:
            self._add("missing", self._dropped, f"{self._gone - self._dropped} events are gone")
        self._settle()
        found = tuple(sorted(self._findings, key=lambda one: one.leaf_index))
        return Report(self._next, self._heads, self._good, found, self._more)

    def _content(self, leaf: Leaf) -> None:
        if leaf.body is None:
            if leaf.index == self._gone:  # from the first on: the log may tell later that these were dropped
                self._gone += 1
            else:
                self._add("missing", leaf.index, "the event is gone")
            return
        found = leaf_hash(leaf.body)
        if found == leaf.hash:
            self._dropped = max(self._dropped, _dropped_below(leaf.body))
        else:
            self._add("altered", leaf.index, "the event is not the one that was hashed")
            if len(self._findings) < _MOST:
                self._strays.append(_Stray(len(self._findings) - 1, leaf.hash, found))

    def _node(self, place: Coordinate, made: bytes, kept: bytes | None, pair: tuple[bytes, bytes]) -> None:
        level, position = place
        below = ((level - 1, 2 * position), (level - 1, 2 * position + 1))
        tainted = any(one in self._tainted for one in below)
        self._tainted.difference_update(below)
        if kept == made:
            return
        self._tainted.add(place)
        first = position << level
        if kept is None:
            self._add("missing", first, f"the node {level}/{position} is gone")
        elif not tainted:
            self._add("altered", first, f"the node {level}/{position} does not follow from what is below it")
            if level == 1 and len(self._pairs) < _MOST_COMPARED:
                self._pairs.append(_Pair(len(self._findings) - 1, *pair, kept))

    def _settle(self) -> None:
        """What stands at the wrong place was moved, not altered."""
        wanted = {stray.wanted for stray in self._strays}
        for stray in self._strays:
            if stray.found in wanted:
                self._rename(stray.finding)
        candidates = [half for pair in self._pairs for half in (pair.left, pair.right)]
        for pair in self._pairs:
            halves = [(pair.left, other) for other in candidates] + [(other, pair.right) for other in candidates]
            if any(node_hash(*both) == pair.kept for both in (*halves, (pair.right, pair.left))):
                self._rename(pair.finding)

    def _rename(self, number: int) -> None:
        known = self._findings[number]
        self._findings[number] = Finding("reordered", known.leaf_index, known.last_good_size, "it belongs elsewhere")

    def _add(self, kind: Kind, index: int, detail: str) -> None:
        if len(self._findings) >= _MOST:
            self._more += 1
            return
        self._findings.append(Finding(kind, index, min(self._good, index), detail))


def _dropped_below(body: bytes) -> int:
    """Below which leaf an event says that others were dropped; 0 when it says nothing of the kind."""
    if _TOLD not in body:
        return 0
    told = json.loads(body)
    if (told.get("action"), told.get("actor")) != (DROPPED, KEEPER):
        return 0
    below = told["details"].get("below")
    return below if isinstance(below, int) else 0
