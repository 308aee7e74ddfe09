"""Attackers slow, victims unharmed."""

import pytest

from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.credentials.lockout import Lockout, network_of

LOCKOUT = Lockout()


async def _guess(transactions: MemoryTransactions, clock: TurnedClock, network: bytes, *, known: bool = False) -> int:
    async with transactions.writing() as unit:
        return await LOCKOUT.reserve(
            unit.guesses, pair=b"ann" + network, identifier=b"ann", known_device=known, now=clock()
        )


async def test_after_five_failures_each_try_waits_longer(transactions: MemoryTransactions, clock: TurnedClock) -> None:
    """Five tries are free, then the waits double; trying while waiting is not evaluated."""
    assert [await _guess(transactions, clock, b"1") for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(4):
        wait = await _guess(transactions, clock, b"1")
        waits.append(wait)
        clock.turn(seconds=wait)
        assert await _guess(transactions, clock, b"1") == 0
    assert waits == [1, 2, 4, 8]


async def test_a_hundred_guesses_at_once_evaluate_five(transactions: MemoryTransactions, clock: TurnedClock) -> None:
    """Counting comes before evaluating, so a burst gains nothing."""
    waits = [await _guess(transactions, clock, b"1") for _ in range(100)]
    assert waits.count(0) == 5


async def test_another_network_is_not_blocked(transactions: MemoryTransactions, clock: TurnedClock) -> None:
    """Guessing from one network does not slow the owner on another."""
    for _ in range(20):
        await _guess(transactions, clock, b"1")
    assert await _guess(transactions, clock, b"2") == 0


async def test_a_known_device_gets_in_while_the_world_guesses(
    transactions: MemoryTransactions, clock: TurnedClock
) -> None:
    """Above fifty failures an hour strangers wait at most a minute, and a known device not at all."""
    for network in range(60):
        await _guess(transactions, clock, bytes([network]))
    assert 0 < await _guess(transactions, clock, b"stranger") <= 60
    assert await _guess(transactions, clock, b"home", known=True) == 0


async def test_success_starts_the_network_anew(transactions: MemoryTransactions, clock: TurnedClock) -> None:
    """The right secret clears what this network failed before."""
    for _ in range(4):
        await _guess(transactions, clock, b"1")
    async with transactions.writing() as unit:
        await LOCKOUT.succeeded(unit.guesses, pair=b"ann1", identifier=b"ann")
    assert [await _guess(transactions, clock, b"1") for _ in range(5)] == [0] * 5


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", "unknown"),
        (None, "unknown"),
    ],
)
def test_networks(address: str | None, network: str) -> None:
    """Addresses are counted by /24 and /64; one machine cannot pose as many."""
    assert network_of(address) == network
