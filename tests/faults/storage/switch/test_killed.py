"""kill -9 in every state of a live switch: nothing acknowledged is lost or stale, no gap, both sides agree."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.storage.switch.trial import Trial

from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from fastapi_services_platform.testing.redis import redis_server

EVERY = 9
"""In CI each ninth step of a switch; `just proof-storage-switch` takes all of them, for every pair of backends."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server for this module."""
    with postgres_server() as started:
        yield started


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
async def test_through_every_backend_under_sixty_four_writers(tmp_path: Path, server: PostgresServer) -> None:
    """SQLite to PostgreSQL to Redis to SQLite, killed at random moments."""
    with redis_server(tmp_path) as redis:
        urls = {
            "a": f"sqlite://{tmp_path}/a.db",
            "b": server.database("killed"),
            "c": redis,
            "d": f"sqlite://{tmp_path}/d.db",
        }
        trial = Trial(tmp_path, urls, ["a", "b", "c", "d"])
        trial.arrive(random.Random(1), kills=3)
        assert trial.arrived == ("d", "c")
        written = await trial.verify()
    print(f"{written} writes, {trial.kills} kills, pauses {trial.pauses}")


async def test_at_the_steps_of_a_switch(tmp_path: Path) -> None:
    """The process kills itself around a call of the switch; the next life takes it up and arrives."""
    step = 1
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        urls = {name: f"sqlite://{folder}/{name}.db" for name in "ab"}
        trial = Trial(folder, urls, ["a", "b"], writers=4)
        if (step // EVERY) % 2:  # every other time one namespace is moved, and another one stays
            trial.stays = f"sqlite://{folder}/stays.db"
        if trial.live(die=step):
            break
        trial.arrive()
        await trial.verify()
        step += EVERY
    assert step > 2 * EVERY
