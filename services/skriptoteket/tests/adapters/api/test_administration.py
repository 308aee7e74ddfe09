"""Taxonomy and operations over HTTP, as JSON and as pages."""

from typing import Any

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

ADMIN = "/api/v1/admin"
PAGE = {"accept": "text/html"}


async def _slugs(client: AsyncClient, path: str) -> list[str]:
    return [each["slug"] for each in (await client.get(f"/api/v1/{path}")).json()]


async def test_taxonomy(client: AsyncClient) -> None:
    """Added, renamed, ordered, removed; in use, twice and badly named refused."""
    made = await client.post(f"{ADMIN}/categories", json={"slug": "trips", "label_en": "Trips", "label_sv": "Resor"})
    assert made.status_code == 201, made.text
    assert (await _slugs(client, "professions/larare/categories"))[-1] == "trips"
    order: list[Any] = ["trips", "ovrigt"]
    texts = {"slug": "vaktmastare", "label_en": "Caretaker", "label_sv": "Vaktmästare", "categories": order}
    assert (await client.post(f"{ADMIN}/professions", json=texts)).status_code == 201
    assert order == await _slugs(client, "professions/vaktmastare/categories")
    first = await client.patch(f"{ADMIN}/professions/vaktmastare", json={"sort_order": 0, "categories": order[::-1]})
    assert (first.status_code, first.json()["label_en"]) == (200, "Caretaker")
    assert (await _slugs(client, "professions"))[0] == "vaktmastare"
    assert order[::-1] == await _slugs(client, "professions/vaktmastare/categories")
    renamed = await client.patch(f"{ADMIN}/categories/trips", json={"label_sv": "Utflykter"})
    assert renamed.json()["label_sv"] == "Utflykter"
    for path, body, status in (
        ("professions", texts, 409),
        ("professions", {**texts, "slug": "No Slug"}, 422),
        ("professions", {**texts, "slug": "other", "categories": ["nothing"]}, 422),
        ("categories", {"slug": "other"}, 422),
        ("categories", {"slug": "other", "label_en": " ", "label_sv": "x"}, 422),
    ):
        assert status == (await client.post(f"{ADMIN}/{path}", json=body)).status_code, body
    used = await client.delete(f"{ADMIN}/professions/larare")
    assert (used.status_code, used.json()["reason"]) == (409, "in_use")
    for path in ("professions/vaktmastare", "categories/trips"):
        assert [(await client.delete(f"{ADMIN}/{path}")).status_code for _ in range(2)] == [204, 404]
        assert (await client.patch(f"{ADMIN}/{path}", json={"sort_order": 1})).status_code == 404


async def test_the_taxonomy_page(client: AsyncClient) -> None:
    """One form for each tag; a wrong one is shown again with its text."""
    path = "/admin/taxonomy"
    assert "Vaktmästare" not in (await client.get(path, headers=PAGE)).text
    form = {"kind": "profession", "verb": "add", "slug": "vaktmastare", "label_en": "Caretaker"}
    wrong = await client.post(path, data={**form, "label_sv": ""}, headers=PAGE)
    assert (wrong.status_code, 'value="Caretaker"' in wrong.text) == (422, True)
    assert (await client.post(path, data={**form, "label_sv": "Vaktmästare"}, headers=PAGE)).status_code == 303
    change = {**form, "verb": "change", "label_sv": "Vaktis", "ordered": "1", "categories": "ovrigt"}
    assert (await client.post(path, data=change, headers=PAGE)).status_code == 303
    assert await _slugs(client, "professions/vaktmastare/categories") == ["ovrigt"]
    used = await client.post(path, data={**form, "verb": "remove", "slug": "larare"}, headers=PAGE)
    assert (used.status_code, "Tools are tagged with" in used.text) == (409, True)
    assert (await client.post(path, data={**form, "verb": "remove"}, headers=PAGE)).status_code == 303
    assert (await client.post(path, data={**form, "verb": "explode"}, headers=PAGE)).status_code == 404


@pytest.mark.parametrize("denied", [frozenset()])
async def test_operations(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Workers with what they isolate, lanes, environments; a drain is kept beside the worker's own record."""
    [worker] = (await client.get("/api/v1/operations/workers")).json()
    assert (worker["id"], worker["alive"], worker["capabilities"]["seccomp"]) == ("w", True, "yes")
    queue = (await client.get("/api/v1/operations/queue")).json()
    assert [each["lane"] for each in queue["lanes"]] == ["interactive", "sandbox", "scheduled"]
    known = (await client.get("/api/v1/environments")).json()
    assert [(each["name"], each["workers"]) for each in known] == [("standard@1", ["w"])]
    assert "standard@1" in (await client.get("/admin/operations", headers=PAGE)).text
    assert (await client.post("/api/v1/operations/workers/nobody/drain")).status_code == 404
    assert (await client.post("/api/v1/operations/workers/w/drain")).status_code == 202
    async with library.write() as unit:
        await unit.workers.save((await unit.workers.all())[0])
        assert await unit.workers.asked_to_drain((await unit.workers.all())[0].id)
