"""The revocation ledger beside the backups: numbered, chained and signed, so that a missing entry shows."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.audit.heads import moment
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.recovery.models import Revocation
from au_sys_identity.core.recovery.ports import Cipher, Clock, RecoveryTransactions, Vault

_PREFIX = "ledger/"
_BATCH = 200
BEGUN = "ledger.begun"
ERASED = "subject.erased"


@dataclass(frozen=True, slots=True)
class Since:
    """Entries after a number; ``whole`` is false when one is missing, forged, or there is no ledger at all."""

    entries: tuple[Revocation, ...]
    whole: bool


class Ledger:
    """Takes entries from the database in their order."""

    def __init__(self, transactions: RecoveryTransactions, vault: Vault, cipher: Cipher, clock: Clock) -> None:
        self._transactions = transactions
        self._vault = vault
        self._cipher = cipher
        self._clock = clock
        self._lock = asyncio.Lock()

    async def run(self, replace_keys: Callable[[], Awaitable[None]]) -> None:
        """Write what waits; nothing is touched when nothing does. An erased key goes from beside the archives first."""
        async with self._transactions.reading() as unit:
            waiting = await unit.archives.unwritten(_BATCH)
        if any(entry.kind == ERASED for entry in waiting):
            await replace_keys()
        if waiting:
            await self.flush()

    async def flush(self) -> int:
        """Write everything that waits; the number of the last entry."""
        async with self._lock:
            number, previous = await self._last()
            if number == 0:
                begun = Revocation(uuid7(), self._clock(), BEGUN, str(uuid7()))
                number, previous = await self._append(number, previous, begun)
            while True:
                async with self._transactions.reading() as unit:
                    waiting = await unit.archives.unwritten(_BATCH)
                for entry in waiting:
                    number, previous = await self._append(number, previous, entry)
                    async with self._transactions.writing() as unit:
                        await unit.archives.written(entry.id, number)
                if len(waiting) < _BATCH:
                    return number

    async def since(self, number: int) -> Since:
        """Entries after a number, that one included in the check."""
        found: list[Revocation] = []
        expected, previous, whole = number, None, number > 0
        after = f"{_PREFIX}{number - 1:012d}" if number > 1 else ""
        while True:
            names = await self._vault.names(_PREFIX, after)
            if not names:
                break
            for name in names:
                text = await self._vault.get(name) or b""
                entry = self._read(text)
                good = entry is not None and entry.number == expected and _place(expected) == name
                if not good or (previous is not None and _previous_of(text) != previous):
                    whole = False
                if entry is not None and entry.number is not None and entry.number > number and entry.kind != BEGUN:
                    found.append(entry)
                previous, expected = hashlib.sha256(text).hexdigest(), expected + 1
            after = names[-1]
        return Since(tuple(found), whole and expected > number)

    async def _append(self, number: int, previous: str, entry: Revocation) -> tuple[int, str]:
        while True:
            members = {
                "n": number + 1,
                "id": str(entry.id),
                "at": moment(entry.at),
                "kind": entry.kind,
                "what": entry.what,
                "previous": previous,
            }
            signature = base64.b64encode(self._cipher.sign(_message(members))).decode()
            text = json.dumps({**members, "signature": signature}).encode()
            if await self._vault.put_new(_place(number + 1), text):
                return number + 1, hashlib.sha256(text).hexdigest()
            number, previous = await self._last()  # another process was first

    async def _last(self) -> tuple[int, str]:
        """Number and hash of the last entry, found by doubling and halving."""
        low, high = 0, 1
        while await self._vault.get(_place(high)) is not None:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            if await self._vault.get(_place(middle)) is not None:
                low = middle
            else:
                high = middle
        text = await self._vault.get(_place(low)) if low else None
        return low, hashlib.sha256(text).hexdigest() if text else ""

    def _read(self, text: bytes) -> Revocation | None:
        try:
            found = json.loads(text)
            signature = base64.b64decode(found.pop("signature"))
            entry = Revocation(
                UUID(found["id"]),
                datetime.fromisoformat(found["at"].replace("Z", "+00:00")),
                str(found["kind"]),
                str(UUID(found["what"])),
                int(found["n"]),
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        return entry if self._cipher.signed(_message(found), signature) else None


def _place(number: int) -> str:
    return f"{_PREFIX}{number:012d}"


def _message(members: dict[str, object]) -> bytes:
    return b"au-sys-identity ledger v1\n" + json.dumps(members, sort_keys=True).encode()


def _previous_of(text: bytes) -> str:
    try:
        return str(json.loads(text)["previous"])
    except (ValueError, KeyError, TypeError):
        return ""
