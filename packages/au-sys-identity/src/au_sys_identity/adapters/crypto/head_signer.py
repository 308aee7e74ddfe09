"""The pair that signs heads of the audit log and nothing else: made once, sealed at rest."""

import asyncio
import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from au_sys_identity.adapters.crypto.sealing import Unsealable
from au_sys_identity.core.audit.heads import CheckSignature, Head
from au_sys_identity.core.audit.models import HeadKey
from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.ports import Clock, Transactions


class HeadKeys:
    """Implements ``HeadSigner``. A stored public key counts only when its private half opens with the root key, so
    whoever writes to the database cannot add one.
    """

    def __init__(self, transactions: Transactions, root: Sealing, clock: Clock) -> None:
        self._transactions = transactions
        self._root = root
        self._clock = clock
        self._active: tuple[str, Ed25519PrivateKey] | None = None
        self._lock = asyncio.Lock()

    async def sign(self, head: Head) -> Head:
        """See :class:`~au_sys_identity.core.audit.ports.HeadSigner`."""
        key_id, key = await self._signing()
        unsigned = Head(head.tree_size, head.root_hash, head.at, key_id)
        return Head(head.tree_size, head.root_hash, head.at, key_id, key.sign(unsigned.message))

    async def trusted(self) -> Mapping[str, bytes]:
        """See :class:`~au_sys_identity.core.audit.ports.HeadSigner`."""
        async with self._transactions.reading() as unit:
            kept = await unit.audit.head_keys()
        return {key.key_id: public_of(own) for key in kept if (own := self._opened(key)) is not None}

    async def checks(self) -> CheckSignature:
        """See :class:`~au_sys_identity.core.audit.ports.HeadSigner`."""
        return signature_check(await self.trusted())

    async def _signing(self) -> tuple[str, Ed25519PrivateKey]:
        async with self._lock:
            if self._active is None:
                self._active = await self._loaded() or await self._made()
        return self._active

    async def _loaded(self) -> tuple[str, Ed25519PrivateKey] | None:
        async with self._transactions.reading() as unit:
            kept = await unit.audit.head_keys()
        usable = [(key.key_id, own) for key in kept if (own := self._opened(key)) is not None]
        return usable[0] if usable else None

    async def _made(self) -> tuple[str, Ed25519PrivateKey]:
        key = Ed25519PrivateKey.generate()
        public = public_of(key)
        key_id = key_id_of(public)
        sealed = self._root.seal(f"audit_keys:{key_id}", key.private_bytes_raw())
        async with self._transactions.writing() as unit:
            await unit.audit.add_head_key(HeadKey(key_id, public, sealed, self._clock()))
        return key_id, key

    def _opened(self, kept: HeadKey) -> Ed25519PrivateKey | None:
        try:
            key = Ed25519PrivateKey.from_private_bytes(
                self._root.unseal(f"audit_keys:{kept.key_id}", kept.private_sealed)
            )
        except (Unsealable, ValueError):
            return None
        return key if public_of(key) == kept.public_key else None


def public_of(key: Ed25519PrivateKey) -> bytes:
    """The public half, 32 bytes."""
    return key.public_key().public_bytes_raw()


def key_id_of(public: bytes) -> str:
    """The start of the key's SHA-256."""
    return hashlib.sha256(public).hexdigest()[:32]


def signature_check(keys: Mapping[str, bytes]) -> CheckSignature:
    """Whether one of these keys signed."""
    loaded = {key_id: Ed25519PublicKey.from_public_bytes(public) for key_id, public in keys.items()}

    def check(key_id: str, message: bytes, signature: bytes) -> bool:
        try:
            if key_id in loaded:
                loaded[key_id].verify(signature, message)
                return True
        except InvalidSignature:
            return False
        return False

    return check
