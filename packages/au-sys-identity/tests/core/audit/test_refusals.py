"""Refusals in the log."""

from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.audit.refusals import Refusals


async def test_nobody_floods_the_log(transactions: MemoryTransactions, clock: TurnedClock) -> None:
    """Beyond the limit of a minute refusals are counted; the caller's next event tells how many; others are kept."""
    refusals = Refusals(transactions, clock, most=2)
    for _ in range(5):
        await refusals.keep("urn:au:user:a", "GET /users", "permission-denied", "identity.users.read")
    await refusals.keep("urn:au:user:b", "GET /users", "permission-denied")
    clock.turn(minutes=1)
    await refusals.keep("urn:au:user:a", "GET /users", "permission-denied")
    told = [(fact.actor, fact.outcome, fact.details.get("left_out_before")) for fact in transactions.facts]
    first = [("urn:au:user:a", "denied", None)] * 2
    assert [*first, ("urn:au:user:b", "denied", None), ("urn:au:user:a", "denied", 3)] == told
