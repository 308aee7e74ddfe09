"""Give staged events their places, sign heads, and tell the witnesses."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from au_sys_identity.core.audit.heads import Head
from au_sys_identity.core.audit.models import Kept
from au_sys_identity.core.audit.ports import AuditStore, HeadSigner, Witness
from au_sys_identity.core.audit.tree import Coordinate, Frontier, leaf_hash, peaks
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.ports import Clock, Transactions

_BATCH = 2_000
_LOOK_BACK = timedelta(minutes=1)
_EVERY_LOOK = 120


class Sequencing:
    """Runs in one process at a time for economy; the unique leaf index keeps a second one out."""

    def __init__(
        self,
        transactions: Transactions,
        signer: HeadSigner,
        witnesses: Sequence[Witness],
        clock: Clock,
        *,
        head_every: timedelta,
    ) -> None:
        self._transactions = transactions
        self._signer = signer
        self._witnesses = witnesses
        self._clock = clock
        self._head_every = head_every
        self._looks = 0
        self._untold: Head | None = None
        self._largest = 0
        self.failures: dict[str, str] = {}

    async def run(self) -> None:
        """One pass: everything that is staged, then a head when one is due."""
        await self.place_all(thorough=self._looks % _EVERY_LOOK == 0)
        self._looks += 1
        await self._sign_when_due()
        await self._tell()

    async def place_all(self, *, thorough: bool = False) -> int:
        """Sequence what is staged; how many events there were. ``thorough`` looks for strays of any age."""
        placed = 0
        while True:
            since = None if thorough else self._clock() - _LOOK_BACK
            async with self._transactions.reading() as unit:
                staged = await unit.audit.staged(since=since, limit=1)
            if not staged:
                return placed
            try:
                async with self._transactions.writing() as unit:
                    events = await unit.audit.staged(since=since, limit=_BATCH)
                    await _place(unit.audit, events)
            except Conflict:
                return placed
            placed += len(events)
            if len(events) < _BATCH:
                return placed

    async def sign_now(self) -> Head | None:
        """A head over everything that is sequenced; the present one when nothing was added. ``None``: no event yet."""
        async with self._transactions.reading() as unit:
            size, latest = await unit.audit.size(), await unit.audit.latest_head()
            if latest is not None and latest.tree_size >= size:
                return latest
            roots = await unit.audit.nodes(peaks(0, size))
        if not size:
            return None
        if size < self._largest:  # cut off since: a head over the rest would hide it
            return latest
        frontier = Frontier(size, [roots[place] for place in peaks(0, size)])
        signed = await self._signer.sign(Head(size, frontier.root(), self._clock(), ""))
        async with self._transactions.writing() as unit:
            if not await unit.audit.add_head(signed):
                return await unit.audit.latest_head()
        self._untold, self._largest = signed, size
        return signed

    async def _sign_when_due(self) -> None:
        async with self._transactions.reading() as unit:
            latest, size = await unit.audit.latest_head(), await unit.audit.size()
        if size and (latest is None or (latest.tree_size < size and self._due(latest.at))):
            await self.sign_now()

    def _due(self, last: datetime) -> bool:
        return self._clock() - last >= self._head_every

    async def _tell(self) -> None:
        head, self._untold = self._untold, None
        if head is None:
            return
        for witness in self._witnesses:
            try:
                await witness.tell(head)
            except Exception as error:
                self.failures[witness.name] = f"{type(error).__name__}: {error}"
            else:
                self.failures.pop(witness.name, None)


async def _place(store: AuditStore, events: Sequence[Kept]) -> None:
    if not events:
        return
    size = await store.size()
    roots = await store.nodes(peaks(0, size))
    frontier = Frontier(size, [roots[place] for place in peaks(0, size)])
    nodes: dict[Coordinate, bytes] = {}
    for number, event in enumerate(events):
        hashed = leaf_hash(event.body.encode())
        nodes[(0, size + number)] = hashed
        nodes.update(frontier.append(hashed))
    await store.sequence(size, events, nodes)
