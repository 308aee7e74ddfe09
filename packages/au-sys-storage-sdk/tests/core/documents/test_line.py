"""Batches in a line: decided ahead, written in order, and never on what is not so."""

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.line import Answers, Line, Seen, Tip, Turn
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, Put
from au_sys_storage_sdk.core.documents.planning import Address, Batch, touched
from au_sys_storage_sdk.core.errors import Conflict, Unavailable

HERE = Space("default", "things")


class Server:
    """What several nodes share: documents and a tip; ``gate`` holds writes back, ``failing`` loses one."""

    def __init__(self) -> None:
        self.tip = Tip(0)
        self.records: dict[Address, Stored] = {}
        self.looks = 0
        self.here = 0
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    def node(self, timer: Callable[[], float] = time.perf_counter) -> Line:
        """A line of its own on the same documents."""
        return Line(lambda: 1000, self.look, self.write, self.alone, timer=timer)

    async def look(self, addresses: Sequence[Address]) -> tuple[Tip, Seen]:
        """One moment."""
        self.looks += 1
        await asyncio.sleep(0)
        return self.tip, {address: self.records[address] for address in addresses if address in self.records}

    async def write(self, turn: Turn) -> bool:
        """All or nothing, on the tip that it was decided on."""
        self.here += 1
        try:
            await self.gate.wait()
            if self.failing:
                self.failing = False
                raise Unavailable("the connection is lost")
        finally:
            self.here -= 1
        if turn.upon != self.tip:
            return False
        self.tip = turn.tip
        for address, record in turn.batch.records.items():
            if record is None:
                del self.records[address]
            else:
                self.records[address] = record
        return True

    async def alone(self, commits: list[Sequence[Operation]]) -> tuple[Answers, int]:
        """At once."""
        tip, seen = await self.look(touched(commits))
        batch = Batch(tip.sequence, 1000, seen)
        answers = batch.decide_all(commits)
        if batch.changes:
            assert await self.write(Turn.alone(batch, tip))
        return answers, batch.sequence


def put(key: str, value: bytes, condition: int | None = None) -> list[Sequence[Operation]]:
    """A batch of one."""
    return [(Put(HERE, key, value, condition),)]


async def _turns() -> None:
    """Let everybody come as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_next_batch_builds_on_one_that_is_not_written_yet() -> None:
    """Its condition holds for the version that the batch ahead will make, and nothing is looked at twice."""
    server = Server()
    line = server.node()
    server.gate.clear()
    first = asyncio.create_task(line.run(put("k", b"1")))
    second = asyncio.create_task(line.run(put("k", b"2", 1)))
    await _turns()
    server.gate.set()
    assert await first == ([(Outcome(1, None, True),)], 1)
    assert await second == ([(Outcome(2),)], 2)
    await line.run(put("k", b"3"))
    assert (server.tip.sequence, server.looks) == (3, 1)


@pytest.mark.parametrize(("second", "expected"), [("other", 2), ("k", 1)])
async def test_a_batch_is_sent_before_the_one_ahead_is_answered(second: str, expected: int) -> None:
    """Unless both write to one document."""
    server = Server()
    line = server.node()
    server.gate.clear()
    running = [asyncio.create_task(line.run(put(key, b"1"))) for key in ("k", second)]
    await _turns()
    assert expected == server.here
    server.gate.set()
    assert [sequence for _, sequence in await asyncio.gather(*running)] == [1, 2]


async def test_the_same_number_reached_by_somebody_else_is_not_the_one_ahead() -> None:
    """A batch is lost, another node writes as many: what was decided on top of it is decided anew."""
    server = Server()
    line, other = server.node(), server.node()
    await line.run(put("k", b"0"))
    server.gate.clear()
    server.failing = True
    lost = asyncio.create_task(line.run(put("k", b"mine")))
    behind = asyncio.create_task(line.run(put("behind", b"1")))
    await _turns()
    foreign = Turn.alone(Batch(1, 1000, {}), server.tip)
    foreign.batch.decide_all(put("k", b"theirs"))
    server.tip = foreign.tip
    server.gate.set()
    with pytest.raises(Unavailable):
        await lost
    assert await behind == ([(Outcome(3, None, True),)], 3)
    assert ([(Outcome(4),)], 4) == await other.run(put("behind", b"2", 3))


async def test_a_refusal_behind_a_batch_on_its_way_waits_for_it() -> None:
    """It is so once that is written, and needs no look."""
    server = Server()
    line = server.node()
    await line.run(put("k", b"0"))
    server.gate.clear()
    first = asyncio.create_task(line.run(put("k", b"1")))
    second = asyncio.create_task(line.run(put("k", b"2", 1)))
    await _turns()
    assert not second.done()
    server.gate.set()
    await first
    (refused,), _ = await second
    assert isinstance(refused, Conflict)
    assert (refused.actual, server.looks) == (2, 1)


async def test_what_another_node_wrote_is_noticed() -> None:
    """Before a write and before a refusal: what is known is not taken for true."""
    server = Server()
    one, two = server.node(), server.node()
    await one.run(put("k", b"1"))
    await two.run(put("k", b"2"))
    (refused,), _ = await one.run(put("k", b"3", 1))
    assert isinstance(refused, Conflict)
    assert refused.actual == 2
    await two.run(put("k", b"4"))
    assert ([(Outcome(4),)], 4) == await one.run(put("k", b"5", 3))


async def test_a_batch_on_top_of_one_that_failed_is_decided_anew() -> None:
    """It was promised a version that never came to be."""
    server = Server()
    line = server.node()
    await line.run(put("other", b"0"))
    server.gate.clear()
    server.failing = True
    first = asyncio.create_task(line.run(put("k", b"1")))
    second = asyncio.create_task(line.run(put("k", b"2", 2)))
    await _turns()
    server.gate.set()
    with pytest.raises(Unavailable):
        await first
    (refused,), sequence = await second
    assert isinstance(refused, Conflict)
    assert (refused.actual, sequence) == (None, 1)


async def test_a_refusal_by_a_batch_that_never_came_to_be_is_taken_back() -> None:
    """Somebody wants the key to be as it was, and it still is."""
    server = Server()
    line = server.node()
    await line.run(put("k", b"0"))
    server.gate.clear()
    server.failing = True
    first = asyncio.create_task(line.run(put("k", b"1")))
    second = asyncio.create_task(line.run(put("k", b"2", 1)))
    await _turns()
    server.gate.set()
    with pytest.raises(Unavailable):
        await first
    assert await second == ([(Outcome(2),)], 2)


async def test_many_nodes_go_on_after_being_overtaken() -> None:
    """Every commit gets a version of its own, whoever makes it."""
    server = Server()
    nodes = [server.node() for _ in range(3)]
    done = await asyncio.gather(*(nodes[n % 3].run(put(f"k{n % 7}", b"%d" % n)) for n in range(200)))
    versions = [answers[0][0].version for answers, _ in done if not isinstance(answers[0], Exception)]
    assert sorted(version or 0 for version in versions) == list(range(1, 201))


async def test_two_batches_at_a_time_are_worth_it_where_writing_is_quick_for_its_size() -> None:
    """A slow disk is waited for once for everything; a large value may take its time."""
    moment, taking = 0.0, 0.0

    def timer() -> float:
        nonlocal moment
        moment += taking
        return moment

    line = Server().node(timer)

    async def write(value: bytes, seconds: float) -> int:
        nonlocal taking
        taking = seconds
        for key in "abcdefghij":
            await line.run(put(key, value))
        return line.worth

    assert await write(b"1", 0.001) == 2
    assert await write(b"1", 0.005) == 1
    assert await write(b"1" * 250_000, 0.005) == 2
