"""Key store for signing tokens: made on first use, sealed at rest, rotated with an overlap."""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta

from joserfc.jwk import ECKey, KeyParameters, OKPKey

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.tokens.models import SigningKey

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
        self._keys: dict[str, tuple[SigningKey, Key]] = {}
        self._looked = float("-inf")
        self._lock = asyncio.Lock()

    async def active(self) -> tuple[SigningKey, Key]:
        """The pair that signs now; the first one is made here."""
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

    async def by_kid(self, kid: str) -> tuple[SigningKey, Key] | None:
        """A pair by its id; a key that another process made is looked for, at most once a second."""
        if kid not in self._keys and time.monotonic() - self._looked > _LOOK_AGAIN_SECONDS:
            async with self._lock:
                await self._load()
        return self._keys.get(kid)

    async def published(self) -> list[dict[str, object]]:
        """The public halves: next, active and retiring (RFC 7517)."""
        await self.active()
        async with self._lock:
            await self._load()
        return [json.loads(stored.public_jwk) for stored, _ in self._keys.values()]

    async def rotate(self, *, now_active: bool = False) -> None:
        """Publish the next key a day before the active one's time is up, then swap, then forget what has retired.

        Harmless to run twice or in two processes: the database lets one key be active.
        """
        active, _ = await self.active()
        now = self._clock()
        due = active.active_from + self.rules.life
        async with self._lock:
            await self._load()
            following = [stored for stored, _ in self._keys.values() if stored.state == "next"]
            if not following and (now_active or now >= due - _PUBLISHED_BEFORE):
                await self._make("next")
                await self._load()
                following = [stored for stored, _ in self._keys.values() if stored.state == "next"]
            async with self._transactions.writing() as unit:
                if following and (now_active or now >= due):
                    retire_at = now + self.rules.longest_token * 2
                    await unit.signing_keys.set_state(active.kid, "retiring", retire_at=retire_at)
                    await unit.signing_keys.set_state(following[0].kid, "active", retire_at=None)
                for stored, _ in list(self._keys.values()):
                    if stored.state == "retiring" and stored.retire_at and stored.retire_at <= now:
                        await unit.signing_keys.remove(stored.kid)
            await self._load()

    def _active(self) -> tuple[SigningKey, Key] | None:
        return next((pair for pair in self._keys.values() if pair[0].state == "active"), None)

    async def _load(self) -> None:
        async with self._transactions.reading() as unit:
            stored = await unit.signing_keys.all()
        self._keys = {
            key.kid: (key, self._keys[key.kid][1] if key.kid in self._keys else self._opened(key)) for key in stored
        }
        self._looked = time.monotonic()

    def _opened(self, stored: SigningKey) -> Key:
        plain = json.loads(self._root.unseal(f"signing_keys:{stored.kid}", stored.private_sealed))
        return ECKey.import_key(plain) if stored.algorithm == "ES256" else OKPKey.import_key(plain)

    async def _make(self, state: str) -> None:
        kid = secrets.token_urlsafe(12)
        parameters: KeyParameters = {"kid": kid, "use": "sig", "alg": self.rules.algorithm}
        key: Key
        if self.rules.algorithm == "ES256":
            key = ECKey.generate_key("P-256", parameters)
        else:
            key = OKPKey.generate_key("Ed25519", parameters)
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
