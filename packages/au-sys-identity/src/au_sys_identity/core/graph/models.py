"""Edges: who owns whom, who belongs to what, what is below and what depends on it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import SubjectId, SubjectKind

Relation = Literal["member_of", "owner_of", "child_of", "dependency_of"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

_MEMBERS: frozenset[SubjectKind] = frozenset({"person", "app", "agent", "group"})
_MACHINES: frozenset[SubjectKind] = frozenset({"app", "agent"})
_ENDS: dict[Relation, tuple[tuple[frozenset[SubjectKind], frozenset[SubjectKind]], ...]] = {
    "member_of": ((_MEMBERS, frozenset({"group"})),),
    "owner_of": ((frozenset({"person", "group"}), _MACHINES | {"provider", "group"}),),
    "child_of": ((_MACHINES, _MACHINES), (frozenset({"group"}), frozenset({"group"}))),
    "dependency_of": ((_MACHINES | {"provider"}, _MACHINES),),
}


@dataclass(frozen=True, slots=True)
class Edge:
    """One relation from a subject to another, until it ends. ``sealed`` holds its attributes, for this id only."""

    source: SubjectId
    relation: Relation
    target: SubjectId
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    sealed: bytes | None = field(default=None, repr=False)
    id: UUID = field(default_factory=uuid7)

    def counts(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return self.expires_at is None or now < self.expires_at


def joins(relation: Relation, source: SubjectKind, target: SubjectKind) -> bool:
    """Whether a relation may lead from one kind of subject to another."""
    return any(source in sources and target in targets for sources, targets in _ENDS[relation])
