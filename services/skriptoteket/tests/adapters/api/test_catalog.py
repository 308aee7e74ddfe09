"""Browse and search over HTTP."""

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 8),
        ({"q": "guardian"}, 1),
        ({"q": "vardnads"}, 1),
        ({"q": "GUARD list"}, 1),
        ({"q": "guardian spaceship"}, 0),
        ({"professions": ["larare", "nonsense"]}, 6),
        ({"professions": "nonsense"}, 0),
        ({"professions": "larare", "categories": "lektionsplanering"}, 4),
        ({"professions": "larare", "categories": ["lektionsplanering", "mentorskap"]}, 6),
        ({"favourite": "true"}, 0),
    ],
)
async def test_finding_a_tool(client: AsyncClient, params: dict[str, str], expected: int) -> None:
    """Every word as a prefix, å ä ö also as a a o; OR inside a facet, AND across."""
    assert expected == (await client.get("/api/v1/tools", params=params)).json()["total"]


async def test_professions_and_their_categories(client: AsyncClient) -> None:
    """The first start installed them, in order."""
    professions = (await client.get("/api/v1/professions")).json()
    assert [each["slug"] for each in professions] == [
        "larare",
        "specialpedagog",
        "skoladministrator",
        "rektor",
        "gemensamt",
    ]
    categories = (await client.get("/api/v1/professions/larare/categories")).json()
    assert [each["slug"] for each in categories] == ["lektionsplanering", "mentorskap", "administration", "ovrigt"]
    assert len((await client.get("/api/v1/categories")).json()) == 4
    assert (await client.get("/api/v1/professions/astronaut/categories")).status_code == 404


async def test_favourites_are_idempotent_and_one_s_own(client: AsyncClient) -> None:
    """Kept twice is kept once; Bob's list stays empty."""
    path = "/api/v1/tools/guardian-emails"
    for _ in range(2):
        assert (await client.put(f"{path}/favourite")).status_code == 204
    assert (await client.get(path)).json()["favourite"]
    bob = await client.get("/api/v1/tools", params={"favourite": "true"}, headers={"authorization": "Bearer bob"})
    assert bob.json()["total"] == 0
    for _ in range(2):
        assert (await client.delete(f"{path}/favourite")).status_code == 204
    assert (await client.put("/api/v1/tools/nothing/favourite")).status_code == 404


async def test_favourites_and_recent_tools(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """What one kept and what one ran, newest first, each once."""
    await client.put("/api/v1/tools/compare-lists/favourite")
    assert [each["slug"] for each in (await client.get("/api/v1/me/favourites")).json()["items"]] == ["compare-lists"]
    for slug, field, name in (
        ("guardian-emails", "export", "a.csv"),
        ("remove-personal-data", "document", "a.txt"),
        ("guardian-emails", "export", "a.csv"),
    ):
        assert (await client.post(f"/api/v1/tools/{slug}/runs", files={field: (name, b"a")})).status_code == 202
    found = (await client.get("/api/v1/me/recent-tools")).json()["items"]
    assert [each["slug"] for each in found] == ["guardian-emails", "remove-personal-data"]


async def test_unknown_tools_are_not_found(client: AsyncClient) -> None:
    """404 with the code, as a problem document."""
    answer = await client.get("/api/v1/tools/nothing")
    assert (
        answer.status_code,
        answer.json()["code"],
        answer.headers["content-type"],
    ) == (404, "NOT_FOUND", "application/problem+json")


async def test_pages_of_tools(client: AsyncClient) -> None:
    """By a cursor that the list gave, in one order without gaps; a forged one and a limit out of bounds are refused."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/api/v1/tools", params={"limit": "3", **cursor})).json()
        assert (page["total"], len(page["items"]) <= 3) == (8, True)
        seen += [each["slug"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert [each["slug"] for each in (await client.get("/api/v1/tools")).json()["items"]] == seen
    for wrong in ({"cursor": "x"}, {"cursor": "0" * 32}, {"limit": "0"}, {"limit": "101"}):
        assert (await client.get("/api/v1/tools", params=wrong)).status_code == 422


async def test_instructions_are_searched_and_changes_are_seen(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Words of the instructions find a tool, after those whose title has them; what is hidden is found no more."""
    tool = (
        await client.post(
            "/api/v1/admin/tools",
            json={"title": "Zebra", "slug": "zebra", "professions": ["larare"], "categories": ["ovrigt"]},
        )
    ).json()["id"]
    body = {"source_code": "x = 1\n", "usage_instructions": "Choose the **Guardian** file."}
    draft = (await client.post(f"/api/v1/tools/{tool}/versions", json=body)).json()
    await client.post(f"/api/v1/tool-versions/{draft['id']}/submit-review", json={})
    decision = {"rationale": "Fine.", "expected_behaviour_hash": draft["behaviour_hash"], "show": True}
    assert (await client.get("/api/v1/tools", params={"q": "zebra"})).json()["total"] == 0
    assert (await client.post(f"/api/v1/tool-versions/{draft['id']}/publish", json=decision)).status_code == 201
    found = (await client.get("/api/v1/tools", params={"q": "guardian"})).json()["items"]
    assert [each["slug"] for each in found] == ["guardian-emails", "zebra"]
    await client.post(f"/api/v1/admin/tools/{tool}/hide")
    assert (await client.get("/api/v1/tools", params={"q": "zebra"})).json()["total"] == 0
