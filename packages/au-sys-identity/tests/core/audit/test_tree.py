"""The tree of RFC 9162 §2.1."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from au_sys_identity.core.audit.tree import (
    EMPTY,
    Coordinate,
    Frontier,
    consistency_ranges,
    consistent,
    coordinates,
    hashes,
    included,
    inclusion_ranges,
    leaf_hash,
    peaks,
)

ENTRIES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The reference entries of Certificate Transparency, whose tree RFC 9162 keeps, and the root after each."""


def grown(size: int) -> tuple[dict[Coordinate, bytes], list[bytes]]:
    """Kept nodes of a tree of made-up leaves, and its root at each size from 0 on."""
    nodes: dict[Coordinate, bytes] = {}
    frontier, roots = Frontier(), [EMPTY]
    for number in range(size):
        leaf = leaf_hash(str(number).encode())
        nodes[(0, number)] = leaf
        nodes.update(frontier.append(leaf))
        roots.append(frontier.root())
    return nodes, roots


def by_the_book(leaves: list[bytes]) -> bytes:
    """MTH(D_n) as RFC 9162 §2.1.1 writes it down."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + by_the_book(leaves[:half]) + by_the_book(leaves[half:])).digest()


def test_published_roots() -> None:
    """Each root is the published one."""
    frontier, found = Frontier(), []
    for entry in ENTRIES:
        frontier.append(leaf_hash(bytes.fromhex(entry)))
        found.append(frontier.root().hex())
    assert tuple(found) == ROOTS


def test_roots_are_those_of_the_definition() -> None:
    """Growing gives what the recursive definition gives, at every size."""
    _, roots = grown(70)
    assert roots == [by_the_book([str(number).encode() for number in range(size)]) for size in range(71)]


@given(st.integers(1, 300), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    """Every leaf is proved, and at no other index, in no other tree, with no other leaf."""
    nodes, roots = grown(size)
    index = data.draw(st.integers(0, size - 1))
    ranges = inclusion_ranges(index, size)
    path = hashes(ranges, {place: nodes[place] for place in coordinates(ranges)})
    leaf = nodes[(0, index)]
    assert included(leaf, index, size, path, roots[size])
    assert not included(leaf_hash(b"other"), index, size, path, roots[size])
    assert not included(leaf, index, size, path, roots[size - 1])
    assert not included(leaf, index, size, [*path, EMPTY], roots[size])
    assert not any(included(leaf, other, size, path, roots[size]) for other in range(size) if other != index)


@given(st.integers(1, 200), st.integers(0, 200))
def test_consistency(first: int, more: int) -> None:
    """A tree is proved to have grown out of a former one, and not out of another."""
    second = first + more
    nodes, roots = grown(second)
    ranges = consistency_ranges(first, second)
    path = hashes(ranges, {place: nodes[place] for place in coordinates(ranges)})
    assert consistent(first, roots[first], second, roots[second], path)
    assert not consistent(first, leaf_hash(b"other"), second, roots[second], path)
    assert first == second or not consistent(first, roots[first], second, leaf_hash(b"other"), path)


@given(st.integers(0, 500), st.integers(0, 50))
def test_a_frontier_goes_on_from_kept_nodes(size: int, more: int) -> None:
    """Appending to what was read back gives the same tree."""
    nodes, roots = grown(size + more)
    frontier = Frontier(size, [nodes[place] for place in peaks(0, size)])
    for number in range(size, size + more):
        frontier.append(nodes[(0, number)])
    assert frontier.root() == roots[size + more]
