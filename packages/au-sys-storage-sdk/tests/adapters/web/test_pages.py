"""Pages for administrators: what they show, what they change, what they refuse."""

import re
from urllib.parse import quote

import pytest
from httpx import AsyncClient


@pytest.fixture
def browser(client: AsyncClient) -> AsyncClient:
    """The client as a browser would ask: HTML, a session in a cookie, and forms from the platform's own pages."""
    del client.headers["Authorization"]
    client.headers.update({"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
    client.cookies.set("session", "ada")
    return client


async def put(client: AsyncClient, path: str, value: object) -> None:
    """Store a document as a program would."""
    await client.put(path, json=value, headers={"Authorization": "Bearer ada", "Cookie": ""})


async def form(client: AsyncClient, path: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    page = (await client.get(path)).text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


async def test_the_overview_names_backends_and_namespaces(browser: AsyncClient) -> None:
    """With sizes and links."""
    await put(browser, "/storage/notes/k", "four")
    page = await browser.get("/admin/storage")
    assert page.status_code == 200
    assert 'href="/admin/storage/notes"' in page.text
    assert "sqlite" in page.text


async def test_a_namespace_pages_and_searches(browser: AsyncClient) -> None:
    """Fifty at a time, by prefix; a bad prefix is told in the page; texts are escaped."""
    for number in range(60):
        await put(browser, f"/storage/notes/k{number:02}", 1)
    await put(browser, "/storage/notes/" + quote("<script>", safe=""), 1)
    first = (await browser.get("/admin/storage/notes")).text
    assert "k48" in first
    assert "k59" not in first
    assert "<script>" not in first.split("<main", 1)[1]
    link = re.search(r'href="(\?prefix=[^"]*)"', first)
    assert link
    assert "k59" in (await browser.get("/admin/storage/notes" + link[1].replace("&amp;", "&"))).text
    assert "k31" not in (await browser.get("/admin/storage/notes?prefix=k5")).text
    assert "control character" in (await browser.get("/admin/storage/notes?prefix=%00")).text


async def test_a_document_is_compared_saved_and_deleted(browser: AsyncClient) -> None:
    """Each step under the version that was read; a change in between is told and keeps what was typed."""
    path = "/admin/storage/notes/" + quote("a/b ö", safe="")
    await put(browser, "/storage/notes/" + quote("a/b ö", safe=""), {"n": 1})
    fields = await form(browser, path)
    compared = await browser.post(path, data={**fields, "value": '{"n": 2}', "action": "compare"})
    assert (compared.status_code, "What would change" in compared.text) == (200, True)
    broken = await browser.post(path, data={**fields, "value": "{nope", "action": "save"})
    assert (broken.status_code, "{nope" in broken.text) == (422, True)
    saved = await browser.post(path, data={**fields, "value": '{"n": 2}', "action": "save"})
    assert (303, path + "?saved=yes") == (saved.status_code, saved.headers["location"])
    stale = await browser.post(path, data={**fields, "value": '{"n": 3}', "action": "save"})
    assert (stale.status_code, "was expected at version" in stale.text) == (422, True)
    fresh = await form(browser, path)
    assert (await browser.post(path, data={**fresh, "action": "delete"})).status_code == 303
    assert (await browser.get(path)).status_code == 404


async def test_a_form_without_its_token_changes_nothing(browser: AsyncClient) -> None:
    """Another site cannot save."""
    await put(browser, "/storage/notes/k", 1)
    fields = await form(browser, "/admin/storage/notes/k")
    del fields["csrf_token"]
    assert (await browser.post("/admin/storage/notes/k", data={**fields, "value": "2"})).status_code == 403


async def test_the_platforms_namespaces_have_no_page(browser: AsyncClient) -> None:
    """Neither to read nor to change."""
    assert (await browser.get("/admin/storage/identity.users")).status_code == 403
    assert (await browser.get("/admin/storage/identity.users/k")).status_code == 403
