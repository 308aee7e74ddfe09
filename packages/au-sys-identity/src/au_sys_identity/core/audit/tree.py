"""Append-only Merkle tree with the hashing and the proofs of RFC 9162 §2.1, on any place that keeps its nodes.

A node is addressed by its level (leaves are level 0) and its position there. Only complete subtrees are kept; the right
edge follows from them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

Coordinate = tuple[int, int]
"""Level and position of a complete subtree."""
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """RFC 9162 §2.1.1, d = one entry."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 §2.1.1, the hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the complete subtrees of a growing tree, largest first: all that appending needs."""

    __slots__ = ("_roots", "size")

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        self.size = size
        self._roots = list(roots)

    def append(self, leaf: bytes) -> list[tuple[Coordinate, bytes]]:
        """Add a leaf; the nodes that it completes, lowest first, the leaf itself left out."""
        completed: list[tuple[Coordinate, bytes]] = []
        node, level, rest = leaf, 0, self.size
        while rest & 1:
            node = node_hash(self._roots.pop(), node)
            level += 1
            rest >>= 1
            completed.append(((level, self.size >> level), node))
        self._roots.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The hash of the whole tree."""
        return folded(self._roots)


def folded(roots: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, largest first."""
    if not roots:
        return EMPTY
    whole = roots[-1]
    for root in reversed(roots[:-1]):
        whole = node_hash(root, whole)
    return whole


def peaks(start: int, end: int) -> list[Coordinate]:
    """The complete subtrees that cover the leaves from ``start`` up to and without ``end``, left to right."""
    found: list[Coordinate] = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes make up PATH(index, D_size) (RFC 9162 §2.1.3.1), lowest first."""
    found: list[tuple[int, int]] = []
    start, count = 0, size
    while count > 1:
        half = 1 << (count - 1).bit_length() - 1
        if index - start < half:
            found.append((start + half, start + count))
            count = half
        else:
            found.append((start, start + half))
            start, count = start + half, count - half
    return found[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes make up PROOF(first, D_second) (RFC 9162 §2.1.4.1), in the standard's order."""
    if not 0 < first < second:
        return []
    found: list[tuple[int, int]] = []
    start, count, wanted, whole = 0, second, first, True
    while wanted != count:
        half = 1 << (count - 1).bit_length() - 1
        if wanted <= half:
            found.append((start + half, start + count))
            count = half
        else:
            found.append((start, start + half))
            start, count, wanted, whole = start + half, count - half, wanted - half, False
    if not whole:
        found.append((start, start + count))
    return found[::-1]


def coordinates(ranges: Iterable[tuple[int, int]]) -> list[Coordinate]:
    """Every kept node that the hashes of these ranges are made of."""
    return [place for start, end in ranges for place in peaks(start, end)]


def hashes(ranges: Iterable[tuple[int, int]], nodes: Mapping[Coordinate, bytes]) -> list[bytes]:
    """The hash of each range, out of kept nodes."""
    return [folded([nodes[place] for place in peaks(start, end)]) for start, end in ranges]


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows a leaf at an index in the tree with that root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, rest = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            rest = node_hash(step, rest)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            rest = node_hash(rest, step)
        node, last = node >> 1, last >> 1
    return last == 0 and rest == root


def consistent(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof shows that the second tree grew out of the first (RFC 9162 §2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    steps = list(path)
    if not first & (first - 1):
        steps.insert(0, first_root)
    if not steps:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
