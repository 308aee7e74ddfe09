"""B4, B9 and the streams of B10: a whole platform in processes of its own, asked over HTTP.

The script of B4 needs the standard library only: what is measured is the way from submission to answer.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.attacks.running_platform import create_admin
from tests.benchmarks.runner.readers import streams_mib
from tests.journeys.house import ADMIN, House, Place, living_in, new_place

from fastapi_services_platform import Database
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.conformance.gates import Row
from skriptoteket.conformance.speed import percentile
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

SOURCE = "def run_tool(input_dir, output_dir):\n    return '<p>done</p>'\n"
FEW, MANY = 20, 2000
BARE = [sys.executable, "-I", "-S", "-c", "pass"]
DESCRIPTORS = 8192


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """One platform; its worker lives as long as runs are measured."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, most), most))
    os.environ.pop("SKRIPTOTEKET_ENVIRONMENTS_DIR", None)
    place = new_place(folder)
    create_admin(place.environment)
    with living_in(place, worker=True) as house:
        house.call(ADMIN, "GET", "/users/me")
        asyncio.run(_plant(place, 0, FEW))
        yield from _answers(house, 30 if quick else 300)
    with living_in(place) as house:
        yield from _pages(house, place, 20 if quick else 100)
        people = 25 if quick else 250
        yield Row(f"B10 memory of the web for {people * 4} streams", streams_mib(house, place, people), 64, "MiB")


def _answers(house: House, count: int) -> Iterator[Row]:
    house.until(lambda: house.call(ADMIN, "GET", "/api/v1/tools/tool-0")["runnable"], "the worker")
    took, bare = [], []
    for number in range(count + 5):
        began = time.perf_counter()
        run = house.call(ADMIN, "POST", "/api/v1/tools/tool-0/runs", {"inputs": {}}, headers={"prefer": "wait=30"})
        ended = time.perf_counter()
        if run["state"] != "succeeded":
            raise SystemExit(f"a run ended as {run['state']}")
        subprocess.run(BARE, check=True)
        if number >= 5:
            took.append(ended - began)
            bare.append(time.perf_counter() - ended)
    middle = percentile(took, 0.5)
    yield Row("B4 submit to final JSON, p50", middle, 25, "ms", absolute=True)
    yield Row("B4 submit to final JSON / bare", middle / percentile(bare, 0.5), 3, "x")


def _pages(house: House, place: Place, count: int) -> Iterator[Row]:
    few = _page(house, count)
    asyncio.run(_plant(place, FEW, MANY))
    many = _page(house, count)
    yield Row(f"B9 catalogue of {MANY} tools, search, p95", percentile(many, 0.95), 60, "ms", absolute=True)
    yield Row(f"B9 the same / with {FEW} tools", percentile(many, 0.5) / percentile(few, 0.5), 2, "x")


def _page(house: House, count: int) -> list[float]:
    took = []
    for number in range(count + 3):
        began = time.perf_counter()
        page = house.ask(ADMIN, "GET", "/browse?q=seventeen", headers={"accept": "text/html"})
        took.append(time.perf_counter() - began)
        if page.status_code != 200 or "Seventeen 17" not in page.text:
            raise SystemExit(f"/browse answered {page.status_code}, or not what was searched: {page.text[:200]}")
        del took[: number < 3]
    return took


async def _plant(place: Place, begin: int, end: int) -> None:
    """Published tools; every twentieth is found by the search, up to twenty of them."""
    database, now = (
        Database("skriptoteket", f"sqlite+aiosqlite:///{place.folder}/data/skriptoteket.db"),
        datetime.now(UTC),
    )
    behaviour = Behaviour(source_code=SOURCE, input_schema=())
    hashes = (content_hash(behaviour), behaviour_hash(behaviour))
    async with SqlUnitOfWork(database).write() as unit:
        for number in range(begin, end):
            tool_id, version_id = ToolId(uuid.uuid4()), VersionId(uuid.uuid4())
            word = "Seventeen" if number < FEW else "Other"
            tool = Tool(
                tool_id,
                f"tool-{number}",
                f"{word} {number}",
                "Counts rows of a table and tells what it found",
                "urn:x:owner",
                now,
                now,
                professions=("gemensamt",),
                categories=("ovrigt",),
                is_visible=True,
                first_shown_at=now,
            )
            await unit.tools.add(tool)
            await unit.versions.add(
                ToolVersion(version_id, tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:x:owner", now)
            )
            await unit.tools.update(replace(tool, active_version_id=version_id))
    await database.close()
