"""The live view: in order and resumable, logs for those who may read them, and an end when it has to have one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from fastapi_services_platform import open_database
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.http.event_stream import EventStream, Streams
from skriptoteket.adapters.memory.artifacts import RememberedBell
from skriptoteket.adapters.platform.time_and_ids import SystemClock, TimeOrderedIds
from skriptoteket.core.errors import TooManyStreams
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import AUTHOR_ANY, Actor
from skriptoteket.core.runs.observing.reading import MOST_STREAMS, Reading
from skriptoteket.core.runs.watching import RunWatching

from .test_runs import finished, submitted

ANNA = "urn:fsp:person:anna"
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("progress", {"percent": 10, "message": "begun"}),
    ("log", {"stream": "stdout", "offset": 0, "text": "secret"}),
    ("progress", {"percent": 90, "message": "nearly"}),
]


def events(text: str) -> list[tuple[str, str, Any]]:
    """Kind, id and data of each event."""
    found = []
    for block in text.strip().split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if parts:
            found.append((parts["event"], parts.get("id", ""), json.loads(parts["data"])))
    return found


async def told(library: SqlUnitOfWork, run_id: str) -> None:
    """A worker tells what happens."""
    async with library.write() as unit:
        await unit.runs.append_events(RunId(UUID(run_id)), STEPS, datetime.now(UTC))


async def test_order_resume_and_end(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Steps by increasing id, then state and done; a known id resumes, a strange or future one begins anew."""
    run = await submitted(client)
    await told(library, run["id"])
    await finished(library, tmp_path)
    at = f"/api/v1/runs/{run['id']}/events"
    whole = events((await client.get(at)).text)
    assert [kind for kind, _, _ in whole] == ["progress", "progress", "state", "done"]
    assert whole[-1][2] == {"state": "succeeded", "outcome": "ok"}
    ids = [int(number) for _, number, _ in whole if number]
    assert sorted(ids) == ids
    resumed = events((await client.get(at, headers={"last-event-id": str(ids[0])})).text)
    assert [kind for kind, _, _ in resumed] == ["progress", "state", "done"]
    for strange in ("x", "-1", "99999", "9" * 30):
        assert len(events((await client.get(at, headers={"last-event-id": strange})).text)) == 4


async def _stream(
    library: SqlUnitOfWork, run_id: str, actor: Actor, look: Any = None, **times: Any
) -> EventStream:  # Any: as in EventStream, and its times
    async def same() -> Actor:
        return actor

    watching = RunWatching(library, SystemClock(), RememberedBell())
    streams = Streams(Reading(library, TimeOrderedIds()), **times)
    return EventStream(streams, watching, RunId(UUID(run_id)), actor, look or same, await streams.begin(actor.subject))


async def test_what_waits_is_told_its_place(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Position, lane and estimate of a queued run, once; somebody else's right that goes away ends the stream."""
    run = await submitted(client)
    looked: list[int] = []

    async def gone() -> Actor:
        looked.append(1)
        return Actor("")

    stream = await _stream(library, run["id"], Actor(ANNA), gone, pause=0.01, recheck=0.02, silence=0.01)
    heard = "".join([line async for line in stream.told()])
    kinds = [kind for kind, _, _ in events(heard)]
    assert (kinds, looked) == (["queue", "state"], [1])
    assert (events(heard)[0][2]["position"], events(heard)[0][2]["lane"]) == (1, "interactive")
    assert ": still here" in heard


async def test_logs_are_for_those_who_may_read_them(
    client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path
) -> None:
    """Whoever may read the source gets log events, also from another process of the same database; others do not."""
    run = await submitted(client)
    await told(library, run["id"])
    await finished(library, tmp_path)
    elsewhere = open_database("skriptoteket", settings_for(tmp_path))
    for rights, wanted in ((frozenset({AUTHOR_ANY}), 1), (frozenset[str](), 0)):
        stream = await _stream(SqlUnitOfWork(elsewhere), run["id"], Actor(ANNA, rights))
        heard = events("".join([line async for line in stream.told()]))
        assert wanted == [kind for kind, _, _ in heard].count("log")
    await elsewhere.close()


async def test_a_reader_far_behind_is_cut_off(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Who missed more than 256 KiB gets no more; the page connects again and resumes."""
    run = await submitted(client)
    reader = Actor(ANNA, frozenset({AUTHOR_ANY}))
    lines = (await _stream(library, run["id"], reader, pause=0.01)).told()
    assert "queue" in await anext(lines)
    long: list[tuple[str, dict[str, Any]]] = [("log", {"stream": "stdout", "offset": 0, "text": "x" * 100_000})] * 3
    async with library.write() as unit:
        await unit.runs.append_events(RunId(UUID(run["id"])), long, datetime.now(UTC))
    assert [line async for line in lines if "event: log" in line] == []


async def test_four_streams_for_each(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """The fifth is refused whichever web process it is asked of; a stream that ends makes room, for its subject."""
    run = await submitted(client)
    await finished(library, tmp_path)
    elsewhere = open_database("skriptoteket", settings_for(tmp_path))
    processes = [library, SqlUnitOfWork(elsewhere)]
    anna = Actor(ANNA)
    open_ones = [await _stream(processes[place % 2], run["id"], anna) for place in range(MOST_STREAMS)]
    for process in processes:
        with pytest.raises(TooManyStreams):
            await _stream(process, run["id"], anna)
    refused = await client.get(f"/api/v1/runs/{run['id']}/events")
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_STREAMS")
    assert refused.headers["retry-after"] == "15"
    await _stream(processes[1], run["id"], Actor("urn:fsp:person:bob"))
    assert "done" in "".join([line async for line in open_ones.pop().told()])
    assert (await client.get(f"/api/v1/runs/{run['id']}/events")).status_code == 200
    assert (await client.get(f"/api/v1/runs/{run['id']}/events")).status_code == 200
    await elsewhere.close()
