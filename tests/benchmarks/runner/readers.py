"""Readers of live runs, four for each person, and the memory that they cost the web process."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.journeys.house import House, Place
from tests.runs.library import LIMITS

from fastapi_services_platform import Database
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState

EACH = 4
PATIENCE = 120.0
TOGETHER = 20


def streams_mib(house: House, place: Place, people: int) -> float:
    """MiB by which the web process grew once every reader had its first event."""
    urns = {f"reader{number}@example.org": house.person(f"reader{number}") for number in range(people)}
    runs = asyncio.run(_waiting_runs(place, list(urns.values())))
    tokens = {urn: house.tokens[email] for email, urn in urns.items()}
    before = _memory_mib(place)
    return asyncio.run(_read(place, [(runs[urn], token) for urn, token in tokens.items()])) - before


async def _waiting_runs(place: Place, urns: list[str]) -> dict[str, RunId]:
    """A run for each, which waits: there is no worker."""
    database = Database("skriptoteket", f"sqlite+aiosqlite:///{place.folder}/data/skriptoteket.db")
    made: dict[str, RunId] = {}
    async with SqlUnitOfWork(database).write() as unit:
        tool = await unit.tools.by_slug("tool-0")
        assert tool is not None
        assert tool.active_version_id is not None
        version = await unit.versions.get(tool.active_version_id)
        run = Run(
            id=RunId(uuid.uuid4()),
            kind=RunKind.PRODUCTION,
            context=RunContext.PRODUCTION,
            lane=Lane.INTERACTIVE,
            state=RunState.QUEUED,
            tool_id=tool.id,
            version_id=version.id,
            snapshot_id=None,
            behaviour_hash=version.behaviour_hash,
            requested_by="",
            requested_at=datetime.now(UTC),
            environment="standard@1",
            limits=LIMITS,
        )
        for urn in urns:
            made[urn] = RunId(uuid.uuid4())
            await unit.runs.add(replace(run, id=made[urn], requested_by=urn))
    await database.close()
    return made


async def _read(place: Place, readers: list[tuple[RunId, str]]) -> float:
    gate, writers = asyncio.Semaphore(TOGETHER), []

    async def one(run: RunId, token: str) -> None:
        async with gate, asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            writers.append(writer)
            path = f"/api/v1/runs/{run}/events"
            head = f"GET {path} HTTP/1.1\r\nhost: localhost:{place.port}\r\nauthorization: Bearer {token}\r\n"
            writer.write(f"{head}accept: text/event-stream\r\n\r\n".encode())
            status = await reader.readline()
            if b" 200 " not in status:
                raise SystemExit(f"a stream was answered {status.decode().strip()}")
            await reader.readuntil(b"data:")

    try:
        await asyncio.gather(*(one(run, token) for run, token in readers for _ in range(EACH)))
        return _memory_mib(place)
    finally:
        for writer in writers:
            writer.close()
        for writer in writers:
            with suppress(OSError):
                await writer.wait_closed()


def _memory_mib(place: Place) -> float:
    """Resident memory of the process that serves."""
    port = str(place.port).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if port in words and b"run" in words:
                status = (folder / "status").read_text(encoding="ascii")
                return int(status.partition("VmRSS:")[2].split()[0]) / 1024
    raise LookupError(place.port)
