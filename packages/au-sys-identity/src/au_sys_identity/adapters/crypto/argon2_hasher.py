"""PasswordHasher with argon2id, off the event loop, in a pool whose queue is bounded."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from au_sys_identity.core.errors import Busy

T = TypeVar("T")

_NETWORK_SHARE = 4


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs; the defaults are the first choice of OWASP's password storage sheet for little memory."""

    memory_kib: int = 19_456
    time_cost: int = 2
    parallelism: int = 1


class Argon2Hasher:
    """At most ``queue`` computations wait, at most a quarter of them for one network; more are refused at once."""

    def __init__(self, cost: HashCost, *, threads: int, queue: int) -> None:
        self._argon2 = Argon2(time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=cost.parallelism)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="identity-hash")
        self._threads = threads
        self._limit = threads + queue
        self._share = threads + max(1, queue // _NETWORK_SHARE)
        self._pending = 0
        self._by_network: Counter[str] = Counter()
        self._decoy: str | None = None

    @property
    def pending(self) -> int:
        """Computations under way or waiting."""
        return self._pending

    async def hash(self, password: str, *, network: str = "") -> str:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        return await self._run(network, lambda: self._argon2.hash(password))

    async def verify(self, password: str, hash: str | None, *, network: str = "") -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        fits = await self._run(network, lambda: self._fits(password, hash or self._decoy_hash()))
        return fits and hash is not None

    def outdated(self, hash: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.PasswordHasher`."""
        return self._argon2.check_needs_rehash(hash)

    async def warm_up(self) -> None:
        """Make the decoy before the first stranger could notice that it is made."""
        await self._run("", self._decoy_hash)

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, password: str, hash: str) -> bool:
        try:
            return self._argon2.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def _decoy_hash(self) -> str:
        if self._decoy is None:
            self._decoy = self._argon2.hash("nobody has this password")
        return self._decoy

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
        self._by_network[network] -= 1
        if self._by_network[network] <= 0:
            del self._by_network[network]


def _back(loop: asyncio.AbstractEventLoop, left: Callable[[str], None], network: str) -> None:
    """Count on the loop's thread, so that the counters need no lock; a loop that is gone counts no more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(left, network)
