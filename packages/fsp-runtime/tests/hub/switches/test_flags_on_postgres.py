"""Nodes that share a PostgreSQL server share the flags that operators change."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for

pytestmark = pytest.mark.needs_postgres
API = {"authorization": "Bearer ada"}
FLAGS = {"new-page": {"description": "Show the new page.", "owner": "team-a"}}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


async def in_force(client: AsyncClient) -> bool:
    found: bool = (await client.get("/platform/api/v1/flags", headers=API)).json()[0]["default"]
    return found


async def test_a_change_on_one_node_holds_on_the_next(
    server: PostgresServer, tmp_path: Path, sample: Callable[..., Prepared]
) -> None:
    """Its file stays as it is, both nodes tell the history, and a node that starts later has the value at once."""
    url = server.database("flags")
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
        (folder / "feature_flags.json").write_text(json.dumps(FLAGS))
    one, two, three = (settings_for(folder, config_dir=folder, database_url=url) for folder in folders)
    with_identity = [believing_identity(), sample()]
    async with started_app(settings=one, capabilities=with_identity) as first:
        async with started_app(settings=two, capabilities=with_identity) as second:
            before = await in_force(second)
            change = {"flag": "new-page", "value": True, "reason": "Launch"}
            await first.put("/platform/api/v1/flags", json=change, headers=API)
            deadline = time.monotonic() + 60
            while not await in_force(second) and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
            after = await in_force(first), await in_force(second)
            history = (await second.get("/platform/api/v1/flags/history", headers=API)).json()
        async with started_app(settings=three, capabilities=with_identity) as third:
            late = await in_force(third)
    assert (before, after, late) == (False, (True, True), True)
    assert [(entry["flag"], entry["before"], entry["after"], entry["reason"]) for entry in history] == [
        ("new-page", False, True, "Launch")
    ]
    assert json.loads((folders[0] / "feature_flags.json").read_text()) == FLAGS
