"""Put letters into the outbox; what is stored and how long it takes is the same for known and unknown addresses."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from au_sys_identity.core.derivation import Derivation, Sealing
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Asker, Envelope, Kind, OutboxItem
from au_sys_identity.core.ports import UnitOfWork

_HOUR = timedelta(hours=1)
_WORDS = ("to", "title", "text", "href")
_IDS = ("subject", "invitation")


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
        await self.put_sealed(unit, kind, Envelope(address, asker=asker), now=now)

    async def put_sealed(self, unit: UnitOfWork, kind: Kind, envelope: Envelope, *, now: datetime) -> None:
        """Keep a letter of any content until it is sent."""
        item_id = uuid7()
        content = {name: value for name in _WORDS if (value := getattr(envelope, name))}
        content |= {name: str(value) for name in _IDS if (value := getattr(envelope, name))}
        if envelope.asker:
            content |= {"flow": envelope.asker.flow_hash.hex(), "place": envelope.asker.place}
        sealed = self.sealing.seal(f"outbox:{item_id}", json.dumps(content).encode())
        await unit.outbox.add(OutboxItem(item_id, kind, sealed, now, created_at=now))

    async def put_for_stranger(
        self, unit: UnitOfWork, kind: Kind, address: str, *, now: datetime, asker: Asker | None = None
    ) -> None:
        """The same for a letter that anybody can cause."""
        await self.put_sealed_for_stranger(unit, kind, Envelope(address, asker=asker), now=now)

    async def put_sealed_for_stranger(self, unit: UnitOfWork, kind: Kind, envelope: Envelope, *, now: datetime) -> None:
        """The same for a letter of any content."""
        key = self.derivation.keyed_hash("mail", envelope.to.encode())
        counter = await unit.guesses.raise_by_one("mail", key, now=now, window=_HOUR)
        if counter.failures <= self.per_hour:
            await self.put_sealed(unit, kind, envelope, now=now)

    def opened(self, item: OutboxItem) -> Envelope:
        """What an item holds."""
        content = json.loads(self.sealing.unseal(f"outbox:{item.id}", item.sealed))
        asker = Asker(bytes.fromhex(content["flow"]), content["place"]) if "flow" in content else None
        words = {name: str(content[name]) for name in _WORDS if name in content}
        subject, invitation = (UUID(content[name]) if name in content else None for name in _IDS)
        return Envelope(**words, subject=subject, invitation=invitation, asker=asker)
