"""EdgeStore: link, unlink, look up."""

from typing import Protocol

from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.subjects.models import SubjectId


class EdgeStore(Protocol):
    """Edges by either end, oldest first."""

    async def link(self, edge: Edge) -> bool:
        """Keep an edge; ``False`` when it was there."""

    async def unlink(self, source: SubjectId, relation: Relation, target: SubjectId) -> bool:
        """Remove an edge; ``False`` when there was none."""

    async def into(self, target: SubjectId, relation: Relation) -> list[Edge]: ...

    async def out_of(self, source: SubjectId, relation: Relation) -> list[Edge]: ...
