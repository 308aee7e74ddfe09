"""Walks through the graph: memberships, who answers for whom, what ends with whom, who is around."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from au_sys_identity.core.graph.index import GraphIndex, Step, Way
from au_sys_identity.core.graph.models import Relation
from au_sys_identity.core.subjects.models import MACHINES, SubjectId

_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody within reach: how many edges away, and along which."""

    subject: SubjectId
    via: tuple[Step, ...]

    @property
    def depth(self) -> int:
        """How many edges away."""
        return len(self.via)


def walk(start: SubjectId, steps: Callable[[SubjectId], Iterable[Way]], *, depth: int = _DEEPEST) -> Iterator[Reached]:
    """Everybody within reach, nearest first, each once and by a shortest way."""
    seen, frontier = {start}, [Reached(start, ())]
    for _level in range(depth):
        further: list[Reached] = []
        for here in frontier:
            for step, there in steps(here.subject):
                if there not in seen:
                    seen.add(there)
                    further.append(Reached(there, (*here.via, step)))
                    yield further[-1]
        if not further:
            return
        frontier = further


def memberships(index: GraphIndex, subject: SubjectId, *, transitive: bool) -> list[Reached]:
    """Groups of a subject."""
    return list(walk(subject, index.group_steps, depth=_DEEPEST if transitive else 1))


def members(index: GraphIndex, group: SubjectId, *, transitive: bool) -> list[Reached]:
    """Who belongs to a group; ``transitive``: through groups in it too."""
    return list(walk(group, index.member_steps, depth=_DEEPEST if transitive else 1))


def chain(index: GraphIndex, machine: SubjectId) -> list[Step]:
    """The edges between a machine and its custodians, nearest first."""
    wanted = set(index.custody(machine).custodians)
    steps: dict[Step, None] = {}
    for reached in walk(machine, index.upward_steps):
        if not wanted:
            break
        if reached.subject in wanted:
            wanted.discard(reached.subject)
            steps.update(dict.fromkeys(reached.via))
    return list(steps)


def machines_below(index: GraphIndex, subject: SubjectId) -> list[SubjectId]:
    """Every machine that answers to a subject, nearest first."""
    found = (reached.subject for reached in walk(subject, index.downward_steps))
    return [one for one in found if (known := index.standing(one)) and known.kind in MACHINES]


def ends_with(index: GraphIndex, subject: SubjectId) -> list[SubjectId]:
    """Machines that could not act any more without a subject; a machine's own children share its fate."""
    without = frozenset({subject})
    below = machines_below(index, subject)
    return [machine for machine in below if not index.custody(machine, without=without).living]


def dependents(index: GraphIndex, subject: SubjectId, relations: Iterable[Relation], *, depth: int) -> list[Reached]:
    """Who would miss a subject, through others too: what it owns, its children and members, what depends on it."""
    wanted = frozenset(relations)
    return list(walk(subject, lambda here: _missing(index, here, wanted), depth=depth))


def neighbourhood(
    index: GraphIndex, subject: SubjectId, *, depth: int, limit: int
) -> tuple[list[SubjectId], list[Step]]:
    """The subjects within reach in any direction, the nearest ``limit`` of them, and every edge among them."""
    found = [subject]
    for reached in walk(subject, lambda here: _around(index, here), depth=depth):
        if len(found) >= limit:
            break
        found.append(reached.subject)
    return found, index.among(found)


def _missing(index: GraphIndex, subject: SubjectId, relations: frozenset[Relation]) -> list[Way]:
    found: list[Way] = []
    for relation, near in index.dependents(subject, relations):
        forward = relation in ("owner_of", "dependency_of")
        found.append(((subject, relation, near) if forward else (near, relation, subject), near))
    return found


def _around(index: GraphIndex, subject: SubjectId) -> Iterator[Way]:
    return ((step, step[2] if step[0] == subject else step[0]) for step in index.around(subject))
