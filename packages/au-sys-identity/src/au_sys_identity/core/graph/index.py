"""The whole graph in memory: who belongs to what, who answers for a machine, and what ends with whom.

Nothing here waits: a caller that got the index asks as often as it likes, of one state.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from au_sys_identity.core.graph.adjacency import Adjacency
from au_sys_identity.core.graph.models import RELATIONS, Relation
from au_sys_identity.core.subjects.models import (
    MACHINES,
    SubjectId,
    SubjectUrn,
    subject_urn,
)
from au_sys_identity.core.subjects.ports import Standing

Step = tuple[SubjectId, Relation, SubjectId]
"""An edge that a chain goes along."""
Way = tuple[Step, SubjectId]
"""An edge, and whom it leads to."""


@dataclass(frozen=True, slots=True)
class Custody:
    """Who answers for a machine now; ``stopped_by`` is a parent or provider that is not active."""

    custodians: tuple[SubjectId, ...]
    stopped_by: SubjectUrn | None = None

    @property
    def living(self) -> bool:
        """Whether the machine may act, as far as others have a say in it."""
        return bool(self.custodians) and self.stopped_by is None


class GraphIndex:
    """Subjects and edges. Run-out edges are gone from the first question after their end."""

    def __init__(self) -> None:
        self.revision = 0
        self._numbers: dict[SubjectId, int] = {}
        self._subjects: list[Standing | None] = []
        self._edges: dict[Relation, Adjacency] = {relation: Adjacency() for relation in RELATIONS}
        self._members = self._edges["member_of"]
        self._owners = self._edges["owner_of"]
        self._children = self._edges["child_of"]
        self._agents: dict[SubjectId, set[int]] = {}
        self._closures: dict[int, BitMap] = {}
        self._names: list[str] = []
        self._urns: dict[str, int] = {}

    def put(self, subject: Standing) -> None:
        """Keep a subject, new or changed; a closed one leaves with its edges."""
        number = self._number(subject.id)
        before = self._subjects[number]
        if before is not None and before.provider is not None:
            self._agents.get(before.provider, set()).discard(number)
        if subject.status == "closed":
            self._drop(number)
            return
        self._subjects[number] = subject
        urn = self._names[number] or subject_urn(subject.kind, subject.id)
        self._names[number] = urn
        self._urns[urn] = number
        if subject.provider is not None:
            self._agents.setdefault(subject.provider, set()).add(number)

    def link(self, source: SubjectId, relation: Relation, target: SubjectId, end: datetime | None) -> None:
        """Keep an edge."""
        ends = self._number(source), self._number(target)
        if self._edges[relation].link(*ends, end) and relation == "member_of":
            self._forget(ends[0])

    def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> None:
        """Take an edge away."""
        ends = self._numbers.get(source), self._numbers.get(target)
        if ends[0] is None or ends[1] is None:
            return
        if self._edges[relation].unlink(ends[0], ends[1]) and relation == "member_of":
            self._forget(ends[0])

    def advance(self, now: datetime) -> "GraphIndex":
        """Take away what has run out; the index itself, for a chain of calls."""
        for relation, edges in self._edges.items():
            for source, _target in edges.expire(now):
                if relation == "member_of":
                    self._forget(source)
        return self

    def groups_of(self, urn: str, now: datetime | None = None) -> frozenset[str]:
        """URNs of every group that a subject belongs to, through others too."""
        if now is not None:
            self.advance(now)
        number = self._known(urn)
        if number is None:
            return frozenset()
        return frozenset(map(self._names.__getitem__, self._above(number)))

    def is_member(self, urn: str, group: str, now: datetime | None = None) -> bool:
        """Whether a subject belongs to a group, through others too."""
        if now is not None:
            self.advance(now)
        number, wanted = self._known(urn), self._known(group)
        if number is None or wanted is None:
            return False
        return any(direct == wanted or wanted in self._closure(direct) for direct in self._members.out_of(number))

    def custody(self, machine: SubjectId, *, without: frozenset[SubjectId] = frozenset()) -> Custody:
        """The active persons nearest to a machine, and what stops it beside; ``without`` some, as if they were gone."""
        number = self._numbers.get(machine)
        if number is None:
            return Custody(())
        away = {known for gone in without if (known := self._numbers.get(gone)) is not None}
        return Custody(self._nearest(number, away), self._stop(number, away))

    def standing(self, subject: SubjectId) -> Standing | None:
        """What is kept of a subject."""
        number = self._numbers.get(subject)
        return None if number is None else self._subjects[number]

    def subjects(self) -> Iterator[Standing]:
        """Everybody who is not closed."""
        return (subject for subject in self._subjects if subject is not None)

    def edges(self, relation: Relation) -> Iterator[tuple[SubjectId, SubjectId]]:
        """Every edge of a relation whose ends are known."""
        for source, target in self._edges[relation]:
            ends = self._subjects[source], self._subjects[target]
            if ends[0] is not None and ends[1] is not None:
                yield ends[0].id, ends[1].id

    def around(self, subject: SubjectId) -> Iterator[Step]:
        """Every edge at a subject."""
        number = self._numbers.get(subject)
        if number is None:
            return
        for relation, edges in self._edges.items():
            for source, target in edges.touching(number):
                ends = self._subjects[source], self._subjects[target]
                if ends[0] is not None and ends[1] is not None:
                    yield ends[0].id, relation, ends[1].id

    def among(self, subjects: Iterable[SubjectId]) -> list[Step]:
        """Every edge between these; nobody else's are looked at, however many there are."""
        known = {number: one for one in subjects if (number := self._numbers.get(one)) is not None}
        return [
            (one, relation, known[target])
            for relation, edges in self._edges.items()
            for source, one in known.items()
            for target in edges.out_of(source)
            if target in known
        ]

    def dependents(self, subject: SubjectId, relations: Iterable[Relation]) -> list[tuple[Relation, SubjectId]]:
        """Who is next to a subject on the side that would miss it."""
        wanted, number = frozenset(relations), self._numbers.get(subject)
        found: list[tuple[Relation, SubjectId]] = []
        if number is None:
            return found
        for relation in RELATIONS:
            if relation in wanted:
                edges = self._edges[relation]
                near = edges.out_of(number) if relation in ("owner_of", "dependency_of") else edges.into(number)
                found += [(relation, known.id) for one in near if (known := self._subjects[one])]
        if "dependency_of" in wanted:
            agents = self._agents.get(subject, ())
            found += [("dependency_of", known.id) for one in agents if (known := self._subjects[one])]
        return found

    def group_steps(self, subject: SubjectId) -> list[Way]:
        """Groups that it belongs to."""
        return [((subject, "member_of", group), group) for group in self._ids(self._members.out_of, subject)]

    def member_steps(self, group: SubjectId) -> Iterator[Way]:
        """Who belongs to it."""
        return (((member, "member_of", group), member) for member in self._ids(self._members.into, group))

    def upward_steps(self, subject: SubjectId) -> list[Way]:
        """Who answers for it, and what made it."""
        owners: list[Way] = [((one, "owner_of", subject), one) for one in self._ids(self._owners.into, subject)]
        parents: list[Way] = [((subject, "child_of", one), one) for one in self._ids(self._children.out_of, subject)]
        return owners + parents

    def downward_steps(self, subject: SubjectId) -> list[Way]:
        """What it answers for, and what it made."""
        owned: list[Way] = [((subject, "owner_of", one), one) for one in self._ids(self._owners.out_of, subject)]
        children: list[Way] = [((one, "child_of", subject), one) for one in self._ids(self._children.into, subject)]
        return owned + children

    def _ids(self, near: Callable[[int], Iterable[int]], subject: SubjectId) -> Iterator[SubjectId]:
        number = self._numbers.get(subject)
        if number is not None:
            yield from (known.id for one in near(number) if (known := self._subjects[one]))

    def _nearest(self, machine: int, away: set[int]) -> tuple[SubjectId, ...]:
        subjects, seen, frontier = self._subjects, {machine}, [machine]
        while frontier:
            further: list[int] = []
            found: list[SubjectId] = []
            for here in frontier:
                for above in (*self._owners.into(here), *self._children.out_of(here)):
                    if above in seen or above in away:
                        continue
                    seen.add(above)
                    known = subjects[above]
                    if known is None:
                        continue
                    if known.kind != "person":
                        further.append(above)
                    elif known.status == "active":
                        found.append(known.id)
            if found:
                return tuple(sorted(found))
            frontier = further
        return ()

    def _stop(self, machine: int, away: set[int]) -> SubjectUrn | None:
        """A parent above, or a provider of the machine or of a parent, that is not active."""
        seen, waiting = {machine}, [machine]
        while waiting:
            here = waiting.pop()
            known = self._subjects[here]
            if known is not None and known.provider is not None:
                provider = self._numbers.get(known.provider)
                standing = None if provider is None else self._subjects[provider]
                if standing is None or standing.status != "active" or provider in away:
                    return subject_urn("provider", known.provider)
            for above in self._children.out_of(here):
                parent = self._subjects[above]
                if parent is None or above in seen:
                    continue
                if parent.kind in MACHINES and (parent.status != "active" or above in away):
                    return subject_urn(parent.kind, parent.id)
                seen.add(above)
                waiting.append(above)
        return None

    def _above(self, number: int) -> BitMap:
        groups = BitMap()
        for direct in self._members.out_of(number):
            groups |= self._closure(direct)
        return groups

    def _closure(self, group: int) -> BitMap:
        """A group and every group above it."""
        known = self._closures.get(group)
        if known is not None:
            return known
        reached, waiting = BitMap(), [group]
        while waiting:
            here = waiting.pop()
            if here in reached:
                continue
            standing = self._subjects[here]
            if standing is None:
                continue
            cached = self._closures.get(here)
            if cached is not None:
                reached |= cached
                continue
            reached.add(here)
            waiting.extend(self._members.out_of(here))
        self._closures[group] = reached
        return reached

    def _forget(self, source: int) -> None:
        """Closures that went through a subject count no more; of what is no group there is none."""
        if not self._closures or (source not in self._closures and not any(True for _ in self._members.into(source))):
            return
        for group in [known for known, closure in self._closures.items() if source in closure]:
            del self._closures[group]

    def _drop(self, number: int) -> None:
        self._subjects[number] = None
        for relation, edges in self._edges.items():
            for source, target in edges.touching(number):
                edges.unlink(source, target)
                if relation == "member_of":
                    self._forget(source)
        self._closures.clear()

    def _number(self, subject: SubjectId) -> int:
        number = self._numbers.get(subject)
        if number is None:
            number = self._numbers[subject] = len(self._subjects)
            self._subjects.append(None)
            self._names.append("")
        return number

    def _known(self, urn: str) -> int | None:
        number = self._urns.get(urn)
        return number if number is not None and self._subjects[number] is not None else None
