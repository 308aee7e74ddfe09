"""Read, prove, check and hand out the log. Reading it is an event, too."""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.audit.checking import Check, Leaf, Report
from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.models import Kept, Shown, Staged, Wanted
from au_sys_identity.core.audit.ports import HeadSigner, Witness
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.audit.tree import Coordinate, consistency_ranges, coordinates, hashes, inclusion_ranges
from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId, person_id

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an event is in the log: fold ``path`` onto its leaf and the head's root comes out."""

    event: Kept
    head: Head
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of one size grew out of that of another."""

    first: int
    second: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the whole check found, and which events wait for their place."""

    report: Report
    staged: tuple[Staged, ...]


class Audit:
    """The log as people and programs see it."""

    def __init__(
        self,
        transactions: Transactions,
        sequencing: Sequencing,
        signer: HeadSigner,
        witnesses: Sequence[Witness],
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._sequencing = sequencing
        self._signer = signer
        self._witnesses = witnesses
        self._clock = clock

    async def note(self, by: str, action: str, details: Mapping[str, str | int | bool | None]) -> None:
        """Record that somebody read."""
        async with self._transactions.writing() as unit:
            unit.record(Fact(action, by, "urn:au:audit", details=dict(details)))

    async def find(self, wanted: Wanted) -> list[Shown]:
        """Events, newest first."""
        await self._sequencing.place_all()
        async with self._transactions.reading() as unit:
            found = await unit.audit.find(wanted)
            return [await self._shown(unit, kept) for kept in found]

    async def get(self, event_id: UUID) -> Shown:
        """One event.

        Raises:
            NotFound: there is none.
        """
        await self._sequencing.place_all()
        async with self._transactions.reading() as unit:
            kept = await unit.audit.get(event_id)
            if kept is None or kept.leaf_index is None:
                raise NotFound("event")
            return await self._shown(unit, kept)

    async def trusted_keys(self) -> Mapping[str, bytes]:
        """The public keys that sign heads, by their id."""
        return await self._signer.trusted()

    async def latest_head(self) -> Head:
        """The newest signed head over everything there is.

        Raises:
            NotFound: nothing was recorded yet.
        """
        await self._sequencing.place_all()
        head = await self._sequencing.sign_now()
        if head is None:
            raise NotFound("head")
        return head

    async def public_keys(self) -> Mapping[str, bytes]:
        """What heads are checked with, by key id."""
        return await self._signer.trusted()

    async def prove_inclusion(
        self, *, event_id: UUID | None = None, leaf_index: int | None = None, tree_size: int | None = None
    ) -> Inclusion:
        """The audit path of an event in a signed head.

        Raises:
            NotFound: no such event or head, or the event came after that head.
        """
        newest = await self.latest_head()
        async with self._transactions.reading() as unit:
            kept = await unit.audit.get(event_id) if event_id else await unit.audit.at(leaf_index or 0)
            head = newest if tree_size is None else await unit.audit.head_of(tree_size)
            if kept is None or kept.leaf_index is None or head is None or kept.leaf_index >= head.tree_size:
                raise NotFound("event in that head")
            ranges = inclusion_ranges(kept.leaf_index, head.tree_size)
            path = hashes(ranges, await unit.audit.nodes(coordinates(ranges)))
        return Inclusion(kept, head, tuple(path))

    async def prove_consistency(self, first: int, second: int) -> Consistency:
        """That the tree of size ``second`` grew out of that of size ``first``.

        Raises:
            InvalidInput: the sizes are out of range.
        """
        async with self._transactions.reading() as unit:
            size = await unit.audit.size()
            if not 0 < first <= second <= size:
                raise InvalidInput("from", "is not a size of the log", f"Use 1 <= from <= to <= {size}.")
            ranges = consistency_ranges(first, second)
            path = hashes(ranges, await unit.audit.nodes(coordinates(ranges)))
        return Consistency(first, second, tuple(path))

    async def verify(self) -> Verdict:
        """Recompute everything against all heads and witnesses, a batch at a time; writers are not held up."""
        await self._sequencing.place_all(thorough=True)
        began = self._clock()
        check = Check(await self._signer.checks())
        told = [_Told(witness.name, aiter(witness.heads()), began) for witness in self._witnesses]
        async for piece in self._walk():
            if isinstance(piece, Head):
                if piece.at <= began:
                    check.head(piece)
                continue
            check.leaf(Leaf(piece.index, piece.kept.leaf_hash or b"", piece.body), piece.nodes)
            for witness in told:
                async for head in witness.until(piece.index + 1):
                    check.head(head, witness.name)
        for witness in told:
            async for head in witness.until(None):
                check.head(head, witness.name)
        async with self._transactions.reading() as unit:
            staged = await unit.audit.unplaced(_BATCH)
        return Verdict(check.end(), tuple(staged))

    async def export(self) -> AsyncIterator[str]:
        """The whole log for the stand-alone verifier: one JSON object a line, in the order of the tree."""
        newest = await self._sequencing.sign_now()
        keys = [
            {"key_id": key_id, "public_key": base64.b64encode(public).decode()}
            for key_id, public in (await self._signer.trusted()).items()
        ]
        yield _line({"t": "bundle", "v": 1, "tree_size": newest.tree_size if newest else 0, "keys": keys})
        count = 0
        async for piece in self._walk():
            if isinstance(piece, Head):
                yield _line({"t": "head", **piece.shown()})
                continue
            count += 1
            yield _line(
                {
                    "t": "leaf",
                    "i": piece.index,
                    "hash": (piece.kept.leaf_hash or b"").hex(),
                    "body": None if piece.body is None else piece.kept.body,
                }
            )
            for (level, position), hashed in sorted(piece.nodes.items()):
                yield _line({"t": "node", "l": level, "p": position, "hash": hashed.hex()})
        yield _line({"t": "end", "leaves": count})

    async def _walk(self) -> AsyncIterator["_Step | Head"]:
        """Leaves in order, each with the nodes that it completes and followed by the heads of its size."""
        start = 0
        while True:
            async with self._transactions.reading() as unit:
                due = await unit.audit.heads(start, _BATCH)  # before the leaves: a head never counts unseen ones
                leaves = await unit.audit.leaves(start, _BATCH)
                end = _index(leaves[-1]) + 1 if leaves else start
                nodes = await unit.audit.nodes_completed(start, end) if leaves else {}
            by_leaf: dict[int, dict[Coordinate, bytes]] = {}
            for (level, position), hashed in nodes.items():
                by_leaf.setdefault(((position + 1) << level) - 1, {})[(level, position)] = hashed
            for leaf in leaves:
                index = _index(leaf)
                yield _Step(index, leaf, by_leaf.get(index, {}))
                while due and due[0].tree_size <= index + 1:
                    yield due.pop(0)
            if len(leaves) < _BATCH:
                for head in due:
                    yield head
                return
            start = end

    async def _shown(self, unit: UnitOfWork, kept: Kept) -> Shown:
        members = json.loads(kept.body)
        details = members.get("details")
        erased = False
        if isinstance(details, dict) and "sealed" in details:
            subject = person_id(str(details.get("subject", "")))
            plain = None
            if subject is not None:
                sealed = base64.b64decode(str(details["sealed"]))
                plain = await unit.subject_keys.unsealed(SubjectId(subject), f"audit_events:{kept.id}", sealed)
            erased = plain is None
            members["details"] = json.loads(plain) if plain is not None else {}
        return Shown(kept.id, kept.at, kept.leaf_index or 0, kept.leaf_hash or b"", members, erased)


@dataclass(frozen=True, slots=True)
class _Step:
    """One leaf on the way through the tree."""

    index: int
    kept: Kept
    nodes: Mapping[Coordinate, bytes]

    @property
    def body(self) -> bytes | None:
        """The event, if it is still there."""
        return self.kept.body.encode() if self.kept.body else None


@dataclass(slots=True)
class _Told:
    """A witness that is heard in step with the walk; what it was told since ``began`` is not asked for."""

    name: str
    source: AsyncIterator[Head]
    began: datetime
    waiting: Head | None = None

    async def until(self, size: int | None) -> AsyncIterator[Head]:
        """Its heads up to a size, or all that are left."""
        while True:
            head = self.waiting or await anext(self.source, None)
            self.waiting = None
            if head is None:
                return
            if size is not None and head.tree_size > size:
                self.waiting = head
                return
            if head.at <= self.began:
                yield head


def _index(kept: Kept) -> int:
    return kept.leaf_index or 0


def _line(members: Mapping[str, object]) -> str:
    return json.dumps(members, separators=(",", ":"), ensure_ascii=True) + "\n"
