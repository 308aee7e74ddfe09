"""DocumentStore: what a backend for documents does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.paging import Page


class DocumentStore(Protocol):
    """Keys to bytes with one global commit sequence. Addresses arrive validated; a commit is whole or not at all."""

    @property
    def name(self) -> str:
        """The kind of backend, for messages and statistics."""

    @property
    def features(self) -> frozenset[Feature]:
        """What the backend can do."""

    async def get(self, space: Space, key: str) -> Stored | None:
        """The live document. Raises ``Corrupt`` when it is not what was written."""

    async def head(self, space: Space, key: str) -> Stored | None:
        """The same without reading the value."""

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """All operations or none, durable on return. When cancelled, it may still commit.

        Raises:
            Conflict: a condition does not hold.
            Unavailable: too many writers wait, or the backend does not answer.
        """

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """Live documents in key order; at least one, whatever ``max_bytes``. ``keys_only``: no values."""

    async def count(self, space: Space, prefix: str) -> int: ...

    async def sequence(self, space: Space | None = None) -> int:
        """The sequence of the last write, of everything or of one namespace; 0 when nothing was ever written."""

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """Entries of the feed after ``since``, in order, and the sequence up to which the feed has been looked through.

        Raises:
            FeedCompacted: entries after ``since`` are no longer kept.
        """

    async def wait(self, since: int) -> None:
        """Return when the sequence is greater than ``since`` or the store closes."""

    async def compact(self, keep: int) -> int:
        """Forget all but the newest ``keep`` entries of the feed; how many were forgotten."""

    async def sweep(self) -> int:
        """Remove expired documents, with an event each; how many."""

    async def replicate(self, replica: Replica) -> None:
        """Write records and feed of another store as they are, all or nothing, and take over its sequence.

        It may be repeated. For switching backends; nobody else writes meanwhile.
        """

    async def standing(self) -> Standing:
        """What the backend is among those that documents are moved between."""

    async def stand(self, standing: Standing) -> None:
        """Make it something else, durably. Commits of whoever opened it before are refused with ``Fenced``."""

    async def erase(self) -> None:
        """Remove every document and the feed; the sequence begins anew, the standing stays. For switching backends."""

    async def usage(self) -> Sequence[SpaceUsage]: ...

    async def ping(self) -> None:
        """Raise ``Unavailable`` when the store does not answer."""

    async def close(self) -> None: ...
