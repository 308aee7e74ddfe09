"""AuditStore, PersonalKeys, Witness protocols."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.audit.heads import CheckSignature, Head
from au_sys_identity.core.audit.models import HeadKey, Kept, Staged, Wanted
from au_sys_identity.core.audit.tree import Coordinate
from au_sys_identity.core.subjects.models import SubjectId


class AuditStore(Protocol):
    """Events and their tree; rows are added and never changed."""

    async def staged(self, *, since: datetime | None, limit: int) -> list[Kept]:
        """Events without a place in the tree, oldest first; ``since`` limits how far back is looked."""

    async def size(self) -> int:
        """How many leaves there are."""

    async def nodes(self, places: Sequence[Coordinate]) -> dict[Coordinate, bytes]:
        """Kept nodes by place; level 0 are the leaves."""

    async def sequence(self, first: int, events: Sequence[Kept], nodes: Mapping[Coordinate, bytes]) -> None:
        """Give events their places from ``first`` on, with the nodes that this completes.

        Raises:
            Conflict: another process was first.
        """

    async def leaves(self, start: int, limit: int) -> list[Kept]:
        """Leaves in order with their events; ``body`` is empty where the event is gone."""

    async def nodes_completed(self, start: int, end: int) -> dict[Coordinate, bytes]:
        """Kept nodes whose last leaf lies in this range."""

    async def dropped(self) -> int:
        """Below which leaf events were dropped."""

    async def drop(self, below: int, *, at: datetime) -> None:
        """Let go of the events below a leaf; their places and hashes stay."""

    async def get(self, event_id: UUID) -> Kept | None: ...

    async def at(self, leaf_index: int) -> Kept | None: ...

    async def find(self, wanted: Wanted) -> list[Kept]: ...

    async def add_head(self, head: Head) -> bool:
        """Keep a signed head; ``False`` when there is one of that size."""

    async def heads(self, after: int, limit: int) -> list[Head]:
        """Heads in the order of their size: those above ``after``."""

    async def head_of(self, tree_size: int) -> Head | None: ...

    async def latest_head(self) -> Head | None: ...

    async def head_keys(self) -> list[HeadKey]: ...

    async def add_head_key(self, key: HeadKey) -> None: ...

    async def unplaced(self, limit: int) -> list[Staged]:
        """Every event without a place, however old."""


class SubjectKeyStore(Protocol):
    """The keys under which what is personal is sealed."""

    async def unsealed(self, subject_id: SubjectId, place: str, sealed: bytes) -> bytes | None:
        """What was sealed; ``None`` when the key was destroyed."""

    async def destroy(self, subject_id: SubjectId, *, at: datetime) -> bool:
        """Forget a key for ever; no new one is made for that subject."""


class HeadSigner(Protocol):
    """Signs heads with Ed25519."""

    async def sign(self, head: Head) -> Head:
        """The head with key id and signature."""

    async def trusted(self) -> Mapping[str, bytes]:
        """Public keys by id whose private halves this installation made."""

    async def checks(self) -> CheckSignature:
        """Says whether one of the trusted keys signed."""


class Witness(Protocol):
    """Somebody outside of the database who is told of each head."""

    @property
    def name(self) -> str: ...

    async def tell(self, head: Head) -> None: ...

    def heads(self) -> AsyncIterator[Head]:
        """What it was told, in the order of the tree; nothing where it cannot be asked."""
