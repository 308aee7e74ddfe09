"""EdgeStore: link, unlink, look up. FeedStore: what changed, in order."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.subjects.models import SubjectId

Link = tuple[SubjectId, Relation, SubjectId, datetime | None]
"""An edge as the graph keeps it in memory: source, relation, target, end."""


class EdgeStore(Protocol):
    """Edges by either end, oldest first, run-out ones too. Each change of an edge goes to the feed."""

    async def link(self, edge: Edge) -> bool:
        """Keep an edge; ``False`` when it was there."""

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> bool:
        """Remove an edge; ``False`` when there was none."""

    async def get(self, source: SubjectId, relation: Relation, target: SubjectId) -> Edge | None: ...

    async def into(self, target: SubjectId, relation: Relation) -> list[Edge]: ...

    async def out_of(self, source: SubjectId, relation: Relation) -> list[Edge]: ...

    async def leaving(self, sources: Collection[SubjectId], relation: Relation) -> list[Edge]:
        """Edges out of any of many."""

    async def entering(self, targets: Collection[SubjectId], relation: Relation) -> list[Edge]:
        """Edges into any of many."""

    def every(self) -> AsyncIterator[Sequence[Link]]:
        """All edges, in portions."""

    async def forget_before(self, moment: datetime) -> int:
        """Remove edges that ran out before a moment."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One change: the version it made, and what a process needs to follow."""

    topic: str
    version: int
    operation: str
    payload: Mapping[str, str | int | bool | None]


class FeedStore(Protocol):
    """What changed, by topic; versions of a topic are whole, and in the order of their commits."""

    async def append(self, topic: str, operation: str, payload: Mapping[str, str | int | bool | None]) -> int:
        """Raise a topic's version and say why. Others who change the topic wait for the end of this transaction."""

    async def hold(self, topic: str) -> int:
        """Let others who change the topic wait for the end of this transaction; its version as it is now."""

    async def since(self, topic: str, version: int) -> list[FeedEntry] | None:
        """What came after a version, in order; ``None`` when something is missing between it and now."""

    async def forget_before(self, moment: datetime) -> int: ...
