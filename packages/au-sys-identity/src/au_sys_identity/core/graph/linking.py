"""Link and unlink subjects: allowed pairs only, without circles, not too deep, checked where others have to wait.

Each relation is without circles, and so is custody: owners backwards together with parents upwards.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import GRAPH, SUBJECTS
from au_sys_identity.core.graph.errors import Cycle, GraphTooDeep, RelationNotAllowed
from au_sys_identity.core.graph.models import Edge, Relation, joins
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import Named, SubjectId

DEEPEST = 32
_LONGEST_ATTRIBUTES = 4096

Attributes = Mapping[str, object]
Near = Callable[[set[SubjectId]], Awaitable[list[tuple[SubjectId, SubjectId]]]]
"""From many subjects, one step further: pairs of where from and where to."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An edge that somebody asks for."""

    source: SubjectId
    relation: Relation
    target: SubjectId
    attributes: Attributes | None = None
    expires_at: datetime | None = None


class Linking:
    """Edges between subjects. Who may is the caller's question; what may be is answered here."""

    def __init__(self, transactions: Transactions, sealing: Sealing, clock: Clock, *, deepest: int = DEEPEST) -> None:
        self._transactions = transactions
        self._sealing = sealing
        self._clock = clock
        self._deepest = deepest

    async def ends(self, source: SubjectId | None, target: SubjectId | None) -> tuple[Named, Named]:
        """Both ends.

        Raises:
            NotFound: one is unknown or closed.
        """
        async with self._transactions.reading() as unit:
            return await _living(unit, source), await _living(unit, target)

    async def link(self, wanted: Wanted, *, by: str) -> tuple[Edge, bool]:
        """Link, or find the edge that is there; ``True`` when it is new. An edge that ran out gives way.

        Raises:
            NotFound, RelationNotAllowed, InvalidInput: it cannot be.
            Cycle, GraphTooDeep: with what is there.
        """
        now = self._clock()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise InvalidInput("expires_at", "is past", "Give a time to come, or leave it out.")
        edge = Edge(wanted.source, wanted.relation, wanted.target, now, by, wanted.expires_at)
        if wanted.attributes is not None:
            plain = json.dumps(dict(wanted.attributes), ensure_ascii=False, separators=(",", ":")).encode()
            if len(plain) > _LONGEST_ATTRIBUTES:
                raise InvalidInput("attributes", f"is over {_LONGEST_ATTRIBUTES} bytes as JSON", "Keep less in it.")
            edge = replace(edge, sealed=self._sealing.seal(f"edges:{edge.id}", plain))
        async with self._transactions.writing() as unit:
            await unit.feed.hold(GRAPH)
            ends = await _living(unit, wanted.source), await _living(unit, wanted.target)
            if not joins(wanted.relation, ends[0].kind, ends[1].kind) or wanted.source == wanted.target:
                raise RelationNotAllowed(wanted.relation, ends[0].kind, ends[1].kind)
            known = await unit.edges.get(wanted.source, wanted.relation, wanted.target)
            if known is not None and known.counts(now):
                return known, False
            if known is not None:
                await unit.edges.unlink(known.source, known.relation, known.target)
            await unit.edges.link(await checked_edge(unit, edge, now, deepest=self._deepest))
            await unit.versions.raise_topic(SUBJECTS)
            details = {"relation": edge.relation, "source": ends[0].urn}
            unit.record(Fact("edge.linked", by, ends[1].urn, details=details))
        return edge, True

    def attributes(self, edge: Edge) -> dict[str, object]:
        """What was kept with an edge."""
        if edge.sealed is None:
            return {}
        opened: dict[str, object] = json.loads(self._sealing.unseal(f"edges:{edge.id}", edge.sealed))
        return opened

    async def edges(self, steps: list[tuple[SubjectId, Relation, SubjectId]]) -> list[Edge]:
        """The edges of a walk, in its order; what went away meanwhile is left out."""
        async with self._transactions.reading() as unit:
            found = [await unit.edges.get(*step) for step in steps]
        return [edge for edge in found if edge is not None]

    async def names(self, ids: list[SubjectId]) -> Mapping[SubjectId, Named]:
        """Subjects by id."""
        async with self._transactions.reading() as unit:
            return await unit.names.many(ids)


async def checked_edge(unit: UnitOfWork, edge: Edge, now: datetime, *, deepest: int = DEEPEST) -> Edge:
    """The same edge, when it closes no circle and makes nothing too deep. Hold the topic ``graph`` first.

    Raises:
        Cycle: with the way that it would close.
        GraphTooDeep: with the depth that is allowed.
    """
    if edge.relation in ("owner_of", "child_of"):
        low, high = (edge.target, edge.source) if edge.relation == "owner_of" else (edge.source, edge.target)
        up, down = _custody(unit, now, upward=True), _custody(unit, now, upward=False)
    else:
        low, high = edge.source, edge.target
        up, down = _along(unit, edge.relation, now, forward=True), _along(unit, edge.relation, now, forward=False)
    above, circle = await _levels(high, up, deepest, wanted=low)
    if circle:
        names = await unit.names.many(set(circle))
        raise Cycle(tuple(names[subject].urn for subject in circle if subject in names))
    below, _none = await _levels(low, down, deepest, wanted=None)
    if above + below + 1 > deepest:
        raise GraphTooDeep(deepest)
    return edge


async def _levels(
    start: SubjectId, near: Near, deepest: int, *, wanted: SubjectId | None
) -> tuple[int, tuple[SubjectId, ...]]:
    """How many steps the longest way has, and the way to ``wanted``, if there is one."""
    came_from: dict[SubjectId, SubjectId] = {}
    frontier, levels = {start}, 0
    while frontier and levels <= deepest:
        steps = await near(frontier)
        for here, there in steps:
            came_from.setdefault(there, here)
        if wanted is not None and wanted in came_from:
            return levels + 1, _way(start, wanted, came_from)
        frontier = {there for _here, there in steps}
        levels += 1 if frontier else 0
    return levels, ()


def _way(start: SubjectId, end: SubjectId, came_from: Mapping[SubjectId, SubjectId]) -> tuple[SubjectId, ...]:
    way = [end]
    while way[-1] != start and way[-1] in came_from and len(way) <= len(came_from):
        way.append(came_from[way[-1]])
    return (*way[::-1], start)


def _along(unit: UnitOfWork, relation: Relation, now: datetime, *, forward: bool) -> Near:
    async def near(frontier: set[SubjectId]) -> list[tuple[SubjectId, SubjectId]]:
        if forward:
            found = [edge for edge in await unit.edges.leaving(frontier, relation) if edge.counts(now)]
            return [(edge.source, edge.target) for edge in found]
        found = [edge for edge in await unit.edges.entering(frontier, relation) if edge.counts(now)]
        return [(edge.target, edge.source) for edge in found]

    return near


def _custody(unit: UnitOfWork, now: datetime, *, upward: bool) -> Near:
    owners, children = _along(unit, "owner_of", now, forward=not upward), _along(unit, "child_of", now, forward=upward)

    async def near(frontier: set[SubjectId]) -> list[tuple[SubjectId, SubjectId]]:
        return [*await owners(frontier), *await children(frontier)]

    return near


async def _living(unit: UnitOfWork, subject: SubjectId | None) -> Named:
    found = await unit.names.get(subject) if subject else None
    if found is None or found.status == "closed":
        raise NotFound("subject")
    return found
