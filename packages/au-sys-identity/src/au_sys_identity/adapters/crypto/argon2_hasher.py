"""PasswordHasher with argon2id, off the event loop, in a pool whose queue is bounded."""

import asyncio
import hmac
import os
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import DEFAULT_HASH_LENGTH, DEFAULT_RANDOM_SALT_LENGTH, Type, extract_parameters
from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from au_sys_identity.adapters.crypto import foreign_hashes
from au_sys_identity.adapters.crypto.work_areas import WorkAreas
from au_sys_identity.core.derivation import Derivation
from au_sys_identity.core.errors import Busy

T = TypeVar("T")

_NETWORK_SHARE = 4
_PEPPERED = "pepper:"
_REST_SECONDS = 1.0
_MOST_KIB = 256 * 1024
_MOST_PASSES = 16


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs; the defaults are the first choice of OWASP's password storage sheet for little memory."""

    memory_kib: int = 19_456
    time_cost: int = 2
    parallelism: int = 1


@dataclass(frozen=True, slots=True)
class Pepper:
    """A key outside the database that goes into every hash (HMAC-SHA-256); hashes name the key that they hold.

    Off, it still verifies hashes that hold one, so that switching it off locks nobody out.
    """

    derivation: Derivation
    on: bool = False

    @property
    def mark(self) -> str:
        """How a hash with the present key begins."""
        return _marked(self.derivation.keyed_hash("pepper-name"))

    def stirred(self, password: str) -> str:
        """What is hashed instead of the password."""
        return self.derivation.keyed_hash("pepper", _bytes(password)).hex()

    def parts(self, password: str, kept: str) -> tuple[str, str] | None:
        """What to hash, and the bare hash that it must fit; ``None`` when the key is gone."""
        if not kept.startswith(_PEPPERED):
            return password, kept
        mark, bare = kept[: len(self.mark)], kept[len(self.mark) :]
        if mark == self.mark:
            return self.stirred(password), bare
        name = self.derivation.older_hash("pepper-name")
        older = self.derivation.older_hash("pepper", _bytes(password))
        if name is None or older is None or mark != _marked(name):
            return None
        return older.hex(), bare


def _settings(cost: HashCost) -> str:
    return f"$argon2id$v={ARGON2_VERSION}$m={cost.memory_kib},t={cost.time_cost},p={cost.parallelism}$"


def _encoded(cost: HashCost, salt: bytes, digest: bytes) -> str:
    """A hash as it is kept. With a digest of chance no password is known to fit it, and none was hashed for it."""
    return _settings(cost) + "$".join(b64encode(part).decode().rstrip("=") for part in (salt, digest))


def _decoded(part: str) -> bytes:
    return b64decode(part + "=" * (-len(part) % 4), validate=True)


def _marked(name: bytes) -> str:
    return f"{_PEPPERED}{name[:4].hex()}:"


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


class Argon2Hasher:
    """At most ``queue`` computations wait, at most a quarter of them for one network; more are refused at once."""

    def __init__(self, cost: HashCost, *, threads: int, queue: int, pepper: Pepper | None = None) -> None:
        self._pepper = pepper
        self._argon2 = Argon2(time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=cost.parallelism)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="identity-hash")
        self._threads = threads
        self._limit = threads + queue
        self._share = threads + max(1, queue // _NETWORK_SHARE)
        self._pending = 0
        self._by_network: Counter[str] = Counter()
        self._resting: asyncio.TimerHandle | None = None
        self._cost = cost
        self._areas = WorkAreas(cost.memory_kib) if cost.parallelism == 1 else None
        self._settings = _settings(cost)
        self._decoy = _encoded(cost, os.urandom(DEFAULT_RANDOM_SALT_LENGTH), os.urandom(DEFAULT_HASH_LENGTH))

    @property
    def pending(self) -> int:
        """Computations under way or waiting."""
        return self._pending

    async def hash(self, password: str, *, network: str = "") -> str:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        return await self._run(network, lambda: self._hashed(password))

    async def verify(self, password: str, hash: str | None, *, network: str = "") -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        fits = await self._run(network, lambda: self._fits(password, hash or self._decoy_hash()))
        return fits and hash is not None

    def outdated(self, hash: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        mark = self._pepper.mark if self._pepper is not None and self._pepper.on else ""
        if not hash.startswith(f"{mark}$argon2id$"):
            return True
        return self._argon2.check_needs_rehash(hash.removeprefix(mark))

    def verifies(self, hash: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        try:
            made = extract_parameters(hash)
        except InvalidHashError:
            return foreign_hashes.is_foreign(hash)
        return made.type is Type.ID and made.memory_cost <= _MOST_KIB and made.time_cost <= _MOST_PASSES

    def rest(self) -> None:
        """Give back the memory that nobody hashes in."""
        if self._areas is not None:
            self._areas.release()

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        if self._resting is not None:
            self._resting.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, password: str, hash: str) -> bool:
        found = self._pepper.parts(password, hash) if self._pepper is not None else (password, hash)
        if found is None:
            self._fits(password, self._decoy_hash())
            return False
        return self._verified(found[0], found[1])

    def _verified(self, secret: str, kept: str) -> bool:
        """Whether it is the secret of a bare hash; one with other settings than today's is the library's affair."""
        if not kept.startswith("$argon2"):
            return foreign_hashes.fits(secret, kept)
        try:
            if self._areas is None or not kept.startswith(self._settings):
                return self._argon2.verify(kept, secret)
            salt, digest = (_decoded(part) for part in kept.removeprefix(self._settings).split("$"))
            return hmac.compare_digest(digest, self._digest(self._areas, secret, salt, len(digest)))
        except (VerificationError, InvalidHashError, ValueError):
            return False

    def _hashed(self, password: str) -> str:
        if self._pepper is None or not self._pepper.on:
            return self._bare(password)
        return self._pepper.mark + self._bare(self._pepper.stirred(password))

    def _bare(self, secret: str) -> str:
        if self._areas is None:
            return self._argon2.hash(secret)
        salt = os.urandom(DEFAULT_RANDOM_SALT_LENGTH)
        return _encoded(self._cost, salt, self._digest(self._areas, secret, salt, DEFAULT_HASH_LENGTH))

    def _digest(self, areas: WorkAreas, secret: str, salt: bytes, length: int) -> bytes:
        return areas.digest(secret.encode(), salt, time_cost=self._cost.time_cost, length=length)

    def _decoy_hash(self) -> str:
        return self._pepper.mark + self._decoy if self._pepper is not None and self._pepper.on else self._decoy

    async def _run(self, network: str, work: Callable[[], T]) -> T:
        if self._pending >= self._limit or (network and self._by_network[network] >= self._share):
            raise Busy
        self._pending += 1
        self._by_network[network] += 1
        future = self._pool.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _done: _back(loop, self._left, network))
        return await asyncio.wrap_future(future)

    def _left(self, network: str) -> None:
        self._pending -= 1
        self._rest_soon()
        self._by_network[network] -= 1
        if self._by_network[network] <= 0:
            del self._by_network[network]

    def _rest_soon(self) -> None:
        """When nothing is hashed for a while, rest."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._pending == 0:
            self._resting = asyncio.get_running_loop().call_later(_REST_SECONDS, self.rest)


def _back(loop: asyncio.AbstractEventLoop, left: Callable[[str], None], network: str) -> None:
    """Count on the loop's thread, so that the counters need no lock; a loop that is gone counts no more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(left, network)
