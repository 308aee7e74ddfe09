"""Outbox, OneTimeTokenStore and Post in plain dicts and lists."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.notices.models import Letter, OneTimeToken, OutboxItem, Purpose
from au_sys_identity.core.notices.ports import PostRefused


class MemoryOutbox:
    """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.outbox
        self._dead = tables.dead_letters

    async def add(self, item: OutboxItem) -> None:
        self._rows[item.id] = item

    async def due(self, now: datetime, limit: int) -> list[OutboxItem]:
        found = [item for item in self._rows.values() if item.next_at <= now and item.id not in self._dead]
        return sorted(found, key=lambda item: item.id)[:limit]

    async def claim(self, item: OutboxItem, *, until: datetime) -> bool:
        known = self._rows.get(item.id)
        if known is None or known.attempts != item.attempts:
            return False
        self._rows[item.id] = replace(known, attempts=known.attempts + 1, next_at=until)
        return True

    async def done(self, item_id: UUID) -> None:
        self._rows.pop(item_id, None)

    async def give_up(self, item_id: UUID, *, at: datetime) -> None:
        self._dead[item_id] = at

    async def waiting(self) -> tuple[int, int]:
        return len(self._rows) - len(self._dead), len(self._dead)


class MemoryOneTimeTokens:
    """See :class:`~au_sys_identity.core.notices.ports.OneTimeTokenStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.one_time_tokens

    async def add(self, token: OneTimeToken) -> None:
        for known in list(self._rows.values()):
            if (known.subject_id, known.purpose) == (token.subject_id, token.purpose):
                del self._rows[known.token_hash]
        self._rows[token.token_hash] = token

    async def find(self, purpose: Purpose, token_hash: bytes, *, now: datetime) -> OneTimeToken | None:
        known = self._rows.get(token_hash)
        return known if known and known.purpose == purpose and now < known.expires_at else None

    async def use(self, token: OneTimeToken) -> bool:
        return self._rows.pop(token.token_hash, None) is not None

    async def forget_expired(self, now: datetime) -> None:
        for key in [key for key, known in self._rows.items() if known.expires_at <= now]:
            del self._rows[key]


class KeptPost:
    """Keeps letters instead of sending them; ``refuses`` makes it fail."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuses = False

    async def send(self, letter: Letter) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.Post`."""
        if self.refuses:
            raise PostRefused("refused")
        self.letters.append(letter)
