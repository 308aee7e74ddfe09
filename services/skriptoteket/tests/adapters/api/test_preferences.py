"""Settings and seen instructions, as JSON and as pages."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

PAGE = {"accept": "text/html"}
SCHEMA: tuple[Mapping[str, JsonValue], ...] = (
    {"kind": "string", "name": "school", "label": {"en": "School", "sv": "Skola"}, "required": True},
    {"kind": "integer", "name": "rows", "min": 1, "max": 9, "default": 3},
)
PATH = "/api/v1/tools/counter/settings"


@pytest.fixture
async def counter(library: SqlUnitOfWork) -> None:
    """A published tool with settings and instructions."""
    now = datetime.now(UTC)
    tool_id, version_id = ToolId(uuid4()), VersionId(uuid4())
    behaviour = Behaviour("x = 1\n", input_schema=(), settings_schema=SCHEMA, usage_instructions="Read **this**.")
    hashes = content_hash(behaviour), behaviour_hash(behaviour)
    tool = Tool(tool_id, "counter", "Counter", "", "urn:o", now, now, is_visible=True)
    version = ToolVersion(version_id, tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:o", now)
    async with library.write() as unit:
        await unit.tools.add(tool)
        await unit.versions.add(replace(version, published_at=now))
        await unit.tools.update(replace(tool, active_version_id=version_id))


@pytest.mark.usefixtures("counter")
async def test_settings_are_saved_by_compare_and_set(client: AsyncClient) -> None:
    """Missing first, then there; a stale rev is told with the present one."""
    assert (await client.get(PATH)).json()["missing"] == ["school"]
    saved = await client.put(PATH, json={"values": {"school": "Ek"}, "expected_rev": 0})
    assert (saved.status_code, saved.json()["values"], saved.json()["rev"]) == (200, {"school": "Ek", "rows": 3}, 1)
    stale = await client.put(PATH, json={"values": {"school": "Alm"}, "expected_rev": 0})
    assert (stale.status_code, stale.json()["reason"], stale.json()["rev"]) == (409, "settings_rev_stale", 1)
    wrong = await client.put(PATH, json={"values": {"rows": 99}, "expected_rev": 1})
    assert (422, {"school", "rows"}) == (wrong.status_code, {each["field"] for each in wrong.json()["errors"]})
    assert (await client.get("/api/v1/tools/nothing/settings")).status_code == 404


@pytest.mark.usefixtures("counter")
async def test_a_run_without_required_settings_is_refused_by_name(client: AsyncClient) -> None:
    """422 before anything is queued; with settings it is taken."""
    refused = await client.post("/api/v1/tools/counter/runs", json={"inputs": {}})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["settings.school"])
    await client.put(PATH, json={"values": {"school": "Ek"}, "expected_rev": 0})
    assert (await client.post("/api/v1/tools/counter/runs", json={"inputs": {}})).status_code == 202


@pytest.mark.usefixtures("counter")
async def test_seen_instructions_are_folded_away(client: AsyncClient) -> None:
    """Open at first; after the button closed, for this reader only."""
    page = await client.get("/tools/counter", headers=PAGE)
    assert '<details class="card sk-prose" open>' in page.text
    assert not (await client.get("/api/v1/tools/counter")).json()["instructions_seen"]
    assert (await client.post("/tools/counter/instructions/seen", headers=PAGE)).status_code == 303
    page = await client.get("/tools/counter", headers=PAGE)
    assert '<details class="card sk-prose">' in page.text
    bob = await client.get("/api/v1/tools/counter", headers={"authorization": "Bearer bob"})
    assert not bob.json()["instructions_seen"]
    assert (await client.post("/api/v1/tools/counter/instructions/seen")).status_code == 204


@pytest.mark.usefixtures("counter")
async def test_the_form_keeps_what_was_typed(client: AsyncClient) -> None:
    """A wrong form, one that another window overtook, and a right one."""
    page = (await client.get("/tools/counter/settings", headers=PAGE)).text
    found = re.search(r'name="rev" value="(\d+)"', page)
    assert (found is not None, True) == (True, "School" in page)
    wrong = await client.post("/tools/counter/settings", data={"rev": "0", "school": "Ek", "rows": "99"}, headers=PAGE)
    assert (wrong.status_code, 'value="Ek"' in wrong.text) == (422, True)
    await client.put(PATH, json={"values": {"school": "Alm"}, "expected_rev": 0})
    stale = await client.post("/tools/counter/settings", data={"rev": "0", "school": "Ek"}, headers=PAGE)
    assert (stale.status_code, 'value="Ek"' in stale.text, 'name="rev" value="1"' in stale.text) == (409, True, True)
    right = await client.post("/tools/counter/settings", data={"rev": "1", "school": "Ek", "rows": ""}, headers=PAGE)
    assert (right.status_code, right.headers["location"]) == (303, "/tools/counter")
    assert (await client.get(PATH)).json()["values"] == {"school": "Ek", "rows": 3}
