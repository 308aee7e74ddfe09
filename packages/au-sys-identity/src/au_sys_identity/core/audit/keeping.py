"""Drop events that are older than they are to be kept: their hashes stay, and every proof of what remains holds."""

from datetime import timedelta

from au_sys_identity.core.audit.checking import DROPPED, KEEPER
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions

_BATCH = 1_000


class Keeping:
    """Lets go of the oldest events, a batch in a transaction; each batch is told by an event of its own."""

    def __init__(self, transactions: Transactions, sequencing: Sequencing, clock: Clock) -> None:
        self._transactions = transactions
        self._sequencing = sequencing
        self._clock = clock

    async def drop(self, *, days: int | None) -> int:
        """Drop what is older; how many. ``None`` keeps everything."""
        if days is None:
            return 0
        edge = self._clock() - timedelta(days=days)
        await self._sequencing.place_all()
        gone = 0
        while True:
            async with self._transactions.writing() as unit:
                start = await unit.audit.dropped()
                leaves = await unit.audit.leaves(start, _BATCH)
                below = start
                for kept in leaves:
                    if not kept.body or kept.at >= edge or kept.leaf_index != below:
                        break
                    below += 1
                if below > start:
                    await unit.audit.drop(below, at=self._clock())
                    details = {"below": below, "days": days}
                    unit.record(Fact(DROPPED, KEEPER, "urn:au:audit", details=details))
            gone += below - start
            if below - start < _BATCH:
                return gone
