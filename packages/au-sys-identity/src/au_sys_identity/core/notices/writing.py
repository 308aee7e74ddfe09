"""Put letters into the outbox; what is stored and how long it takes is the same for known and unknown addresses."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from au_sys_identity.core.derivation import Derivation, Sealing
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Asker, Kind, OutboxItem
from au_sys_identity.core.ports import UnitOfWork

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LetterBox:
    """At most ``per_hour`` letters that strangers can cause go to one address; the others are dropped silently."""

    sealing: Sealing
    derivation: Derivation
    per_hour: int = 5

    async def put(
        self, unit: UnitOfWork, kind: Kind, address: str, *, now: datetime, asker: Asker | None = None
    ) -> None:
        """Keep a letter to a canonical address until it is sent."""
        item_id = uuid7()
        content = {"to": address}
        if asker:
            content |= {"flow": asker.flow_hash.hex(), "place": asker.place}
        sealed = self.sealing.seal(f"outbox:{item_id}", json.dumps(content).encode())
        await unit.outbox.add(OutboxItem(item_id, kind, sealed, now, created_at=now))

    async def put_for_stranger(
        self, unit: UnitOfWork, kind: Kind, address: str, *, now: datetime, asker: Asker | None = None
    ) -> None:
        """The same for a letter that anybody can cause."""
        key = self.derivation.keyed_hash("mail", address.encode())
        counter = await unit.guesses.raise_by_one("mail", key, now=now, window=_HOUR)
        if counter.failures <= self.per_hour:
            await self.put(unit, kind, address, now=now, asker=asker)

    def recipient(self, item: OutboxItem) -> str:
        """The address that an item goes to."""
        return str(json.loads(self.sealing.unseal(f"outbox:{item.id}", item.sealed))["to"])

    def asker(self, item: OutboxItem) -> Asker | None:
        """Which browser asked for the item's link, if that matters."""
        content = json.loads(self.sealing.unseal(f"outbox:{item.id}", item.sealed))
        return Asker(bytes.fromhex(content["flow"]), content["place"]) if "flow" in content else None
