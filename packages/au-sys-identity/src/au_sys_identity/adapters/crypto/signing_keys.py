"""Key store for signing tokens: made on first use, sealed at rest, rotated with an overlap.

joserfc and what it stands on are loaded when the first key is opened: a start needs none.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.tokens.models import SigningKey
from fastapi_services_platform import blocking

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, KeyParameters, OKPKey

    Key = ECKey | OKPKey

_LOOK_AGAIN_SECONDS = 1.0
_PUBLISHED_BEFORE = timedelta(hours=24)


@dataclass(slots=True)
class SignatureRules:
    """Which algorithm new keys use, how long each one signs, and how long its last token may live.

    Changed in place when an administrator changes a setting.
    """

    algorithm: str = "ES256"
    life: timedelta = timedelta(days=30)
    longest_token: timedelta = timedelta(minutes=10)


class SigningKeys:
    """All key pairs in memory; private halves are opened from the database once."""

    def __init__(self, transactions: Transactions, root: RootKey, clock: Clock, rules: SignatureRules) -> None:
        self._transactions = transactions
        self._root = root
        self._clock = clock
        self.rules = rules
        self._keys: dict[str, SigningKey] = {}
        self._opened: dict[str, Key] = {}
        self._looked = float("-inf")
        self._lock = asyncio.Lock()

    async def ensure(self) -> SigningKey:
        """The stored key that signs now; the first one is made here."""
        found = self._active()
        if found is None:
            async with self._lock:
                await self._load()
                found = self._active()
                if found is None:
                    await self._make("active")
                    await self._load()
                    found = self._active()
        if found is None:
            raise LookupError("no signing key could be made")
        return found

    async def active(self) -> "tuple[SigningKey, Key]":
        """The pair that signs now; the first one is made here."""
        return await self._pair(await self.ensure())

    async def by_kid(self, kid: str) -> "tuple[SigningKey, Key] | None":
        """A pair by its id; a key that another process made is looked for, at most once a second."""
        if kid not in self._keys and time.monotonic() - self._looked > _LOOK_AGAIN_SECONDS:
            async with self._lock:
                await self._load()
        found = self._keys.get(kid)
        return await self._pair(found) if found is not None else None

    async def published(self) -> list[dict[str, object]]:
        """The public halves: next, active and retiring (RFC 7517)."""
        await self.ensure()
        async with self._lock:
            await self._load()
        return [json.loads(stored.public_jwk) for stored in self._keys.values()]

    async def rotate(self, *, now_active: bool = False) -> None:
        """Publish the next key a day before the active one's time is up, then swap, then forget what has retired.

        Harmless to run twice or in two processes: the database lets one key be active.
        """
        active = await self.ensure()
        now = self._clock()
        due = active.active_from + self.rules.life
        async with self._lock:
            await self._load()
            following = [stored for stored in self._keys.values() if stored.state == "next"]
            if not following and (now_active or now >= due - _PUBLISHED_BEFORE):
                await self._make("next")
                await self._load()
                following = [stored for stored in self._keys.values() if stored.state == "next"]
            async with self._transactions.writing() as unit:
                if following and (now_active or now >= due):
                    retire_at = now + self.rules.longest_token * 2
                    await unit.signing_keys.set_state(active.kid, "retiring", retire_at=retire_at)
                    await unit.signing_keys.set_state(following[0].kid, "active", retire_at=None)
                for stored in list(self._keys.values()):
                    if stored.state == "retiring" and stored.retire_at and stored.retire_at <= now:
                        await unit.signing_keys.remove(stored.kid)
            await self._load()

    def _active(self) -> SigningKey | None:
        return next((key for key in self._keys.values() if key.state == "active"), None)

    async def _load(self) -> None:
        async with self._transactions.reading() as unit:
            self._keys = {key.kid: key for key in await unit.signing_keys.all()}
        self._opened = {kid: key for kid, key in self._opened.items() if kid in self._keys}
        self._looked = time.monotonic()

    async def _pair(self, stored: SigningKey) -> "tuple[SigningKey, Key]":
        key = self._opened.get(stored.kid)
        if key is None:
            key = self._opened[stored.kid] = await blocking(self._open, stored)
        return stored, key

    def _open(self, stored: SigningKey) -> "Key":
        from joserfc import jwt  # noqa: F401  # whoever opens a key is about to use it
        from joserfc.jwk import ECKey, OKPKey

        plain = json.loads(self._root.unseal(f"signing_keys:{stored.kid}", stored.private_sealed))
        return ECKey.import_key(plain) if stored.algorithm == "ES256" else OKPKey.import_key(plain)

    async def _make(self, state: str) -> None:
        kid = secrets.token_urlsafe(12)
        key = await blocking(_generated, self.rules.algorithm, kid)
        sealed = self._root.seal(f"signing_keys:{kid}", json.dumps(key.as_dict(private=True)).encode())
        stored = SigningKey(
            kid=kid,
            algorithm=self.rules.algorithm,
            public_jwk=json.dumps(key.as_dict(private=False), sort_keys=True),
            private_sealed=sealed,
            state="active" if state == "active" else "next",
            active_from=self._clock(),
        )
        async with self._transactions.writing() as unit:
            await unit.signing_keys.add(stored)


def _generated(algorithm: str, kid: str) -> "Key":
    from joserfc.jwk import ECKey, OKPKey

    parameters: KeyParameters = {"kid": kid, "use": "sig", "alg": algorithm}
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters)
    return OKPKey.generate_key("Ed25519", parameters)
