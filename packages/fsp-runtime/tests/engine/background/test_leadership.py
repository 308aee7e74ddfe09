"""One process leads, and another follows its end: given back, killed, paused, cut off. On SQLite and on PostgreSQL."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fastapi_services_platform import Database, Job, fencing_token
from fastapi_services_platform.engine.background import jobs
from fastapi_services_platform.engine.background.jobs import JobRunner
from fastapi_services_platform.engine.background.leadership import Lease, LeaseLost
from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server

SECONDS = 3.0

NODE = """
import asyncio, sys
from fastapi_services_platform import Database, Job, fencing_token
from fastapi_services_platform.engine.background.jobs import JobRunner
from fastapi_services_platform.engine.background.leadership import Lease

def tell(*words):
    print(*words, flush=True)

async def work():
    tell("began", fencing_token())
    while True:
        await asyncio.sleep(0.02)

async def main():
    runner = JobRunner(Lease(Database("hub", sys.argv[1]), seconds=float(sys.argv[2])))
    runner.start([("demo", Job("work", work, 0.05))])
    while not runner.states[0].failures:
        await asyncio.sleep(0.02)
    tell("ended", runner.states[0].error)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One server for the module."""
    try:
        with postgres_server() as found:
            yield found
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database that every node of a test shares."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    server: PostgresServer = request.getfixturevalue("server")
    return server.database(f"lease_{os.getpid()}_{abs(hash(request.node.name)) % 10**8}")


@pytest.fixture
async def nodes(url: str) -> AsyncIterator[Callable[..., Lease]]:
    """Makes the lease of one more node."""
    databases: list[Database] = []

    def node(seconds: float = 60.0) -> Lease:
        databases.append(Database("hub", url))
        return Lease(databases[-1], seconds=seconds)

    yield node
    for database in databases:
        await database.close()


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so."""
    async with asyncio.timeout(120):
        while not await question():
            await asyncio.sleep(0.05)


async def test_one_node_leads_and_the_next_follows(nodes: Callable[..., Lease]) -> None:
    """A lease that is given back goes to whoever asks next, with a higher token."""
    one, two = nodes(), nodes()
    assert (await one.is_mine(), await two.is_mine(), await one.is_mine()) == (True, False, True)
    first = one.token
    await one.release()
    three = nodes()
    assert (await three.is_mine(), one.leads, two.leads) == (True, False, False)
    assert three.token > first
    await two.release()
    await three.release()


async def test_only_one_of_many_wins(nodes: Callable[..., Lease]) -> None:
    """Twelve nodes that start together agree."""
    many = [nodes() for _ in range(12)]
    won = await asyncio.gather(*(lease.is_mine() for lease in many))
    assert won.count(True) == 1
    for lease in many:
        await lease.release()


async def test_a_leader_renews_what_it_has(nodes: Callable[..., Lease]) -> None:
    """It leads on, with the same token, long after the first lease has ended."""
    one, two = nodes(SECONDS), nodes(SECONDS)
    await until(one.is_mine)
    first = one.token
    for _ in range(40):
        await asyncio.sleep(SECONDS / 10)
        if not one.leads:
            pytest.skip("the machine kept the loop from renewing in time")
        assert not await two.is_mine()
    assert one.token == first
    await one.release()
    await two.release()


async def test_work_of_a_leader_that_is_cut_off_is_cancelled(nodes: Callable[..., Lease]) -> None:
    """Without an answer of the database the lease runs out, and with it what only a leader may do."""
    lease = nodes(SECONDS)
    await until(lease.is_mine)
    lease._name = "another"  # of which the other one is the holder
    other = nodes(600.0)
    other._name = "another"
    assert await other.is_mine()
    tokens: list[int | None] = []

    async def work() -> None:
        async with lease.term():
            tokens.append(fencing_token())
            await asyncio.sleep(600)

    first = lease.token
    with pytest.raises(LeaseLost):
        await work()
    assert tokens == [first]
    assert (lease.leads, fencing_token()) == (False, None)
    await lease.release()
    await other.release()


async def test_an_end_from_outside_is_no_lost_lease(nodes: Callable[..., Lease]) -> None:
    """A job that the platform's own end cancels is cancelled."""
    lease = nodes()
    assert await lease.is_mine()
    inside = asyncio.Event()

    async def work() -> None:
        async with lease.term():
            inside.set()
            await asyncio.sleep(600)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await lease.release()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "paused"])
async def test_another_node_takes_over_from_one_that_stands_still(
    how: signal.Signals, url: str, nodes: Callable[..., Lease], tmp_path: Path
) -> None:
    """In the middle of a job. One that wakes up finds its job cancelled, and its token is lower than the new one's."""
    (tmp_path / "node.py").write_text(NODE)
    arguments = [sys.executable, str(tmp_path / "node.py"), url, str(SECONDS)]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            began = (await process.stdout.readline()).split()
        assert began[0] == b"began"
        follower = nodes(SECONDS)
        process.send_signal(how)
        await until(follower.is_mine)
        assert follower.token > int(began[1])
        if how is signal.SIGSTOP:
            process.send_signal(signal.SIGCONT)
            async with asyncio.timeout(120):
                said = await process.stdout.readline()
            assert said == b"ended LeaseLost: the lease of jobs was lost\n"
        await follower.release()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_job_knows_its_token_and_one_for_everybody_has_none(
    nodes: Callable[..., Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does a run that a person asked for: it is nobody's duty."""
    lease = nodes()
    seen: dict[str, int | None] = {}

    async def led() -> None:
        seen["led"] = fencing_token()

    async def everywhere() -> None:
        seen["everywhere"] = fencing_token()

    async def by_hand() -> None:
        seen["by hand"] = fencing_token()

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0.01 if seconds < 100 else 3600)

    monkeypatch.setattr(jobs, "_pause", pause)
    runner = JobRunner(lease)
    runner.start(
        [
            ("demo", Job("led", led, 1.0)),
            ("demo", Job("everywhere", everywhere, 1.0, everywhere=True)),
            ("demo", Job("by hand", by_hand, 36_000.0)),
        ]
    )
    await runner.run_now("demo.by hand")

    async def all_ran() -> bool:
        return len(seen) == 3

    await until(all_ran)
    expected = {"led": lease.token, "everywhere": None, "by hand": None}
    await runner.stop()
    assert seen == expected
