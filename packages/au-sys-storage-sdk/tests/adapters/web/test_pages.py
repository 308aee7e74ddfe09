"""Pages for administrators: what they show, what they change, what they refuse."""

import re
from html import unescape
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


async def test_pages_speak_the_readers_language(browser: AsyncClient) -> None:
    """Labels, errors, numbers, and times on the reader's clock."""
    await put(browser, "/storage/notes/k", 1)
    swedish = {
        "Accept-Language": "sv",
        "Cookie": "; ".join([f"{k}={v}" for k, v in browser.cookies.items()] + ["fsp-zone=Europe/Stockholm"]),
    }
    page = (await browser.get("/admin/storage/notes", headers=swedish)).text
    assert "Nycklar som börjar med" in page
    assert re.search(r'<time datetime="[^"]*\+00:00">[^<]*</time>', page)
    assert (
        "den innehåller ett styrtecken" in (await browser.get("/admin/storage/notes?prefix=%00", headers=swedish)).text
    )


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
    assert (stale.status_code, "Somebody has changed a/b ö meanwhile." in stale.text) == (422, True)
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


async def test_a_document_is_made_by_hand(browser: AsyncClient) -> None:
    """A new key is stored; one that is taken, a bad key and a bad value keep what was typed."""
    fields = await form(browser, "/admin/storage/notes")
    made = await browser.post("/admin/storage/notes", data={**fields, "key": "a/b", "value": "[1]"})
    assert (made.status_code, made.headers["location"]) == (303, "/admin/storage/notes/a%2Fb?saved=yes")
    for key, value in (("a/b", "2"), ("", "2"), ("new", "{nope")):
        answer = await browser.post("/admin/storage/notes", data={**fields, "key": key, "value": value})
        assert (answer.status_code, value in answer.text) == (422, True)
    assert "[\n  1\n]" in (await browser.get("/admin/storage/notes/a%2Fb")).text


async def test_the_past_of_a_document_is_shown(browser: AsyncClient) -> None:
    """Every version of the feed; for a change by hand who made it, and its before and after."""
    path = "/admin/storage/notes/k"
    await put(browser, "/storage/notes/k", {"colour": "red"})
    fields = await form(browser, path)
    saved = await browser.post(path, data={**fields, "value": '{"colour": "green"}', "action": "save"})
    assert saved.status_code == 303
    await put(browser, "/storage/notes/k", {"colour": "blue"})
    page = (await browser.get(path)).text
    assert (page.count("urn:fsp:person:ada"), page.count("<td>stored</td>")) == (1, 3)
    link = re.search(r'href="(\?change=\d+)#change"', page)
    assert link
    change = unescape((await browser.get(path + link[1])).text.split("Change to version")[1])
    assert [change.count(f'"{colour}"') for colour in ("red", "green", "blue")] == [1, 1, 0]
    assert (await browser.get("/admin/storage/storage.history")).status_code == 403


PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
BLOBS = [
    ("a picture", PICTURE, "image/png", 'src="/admin/storage/files:preview/'),
    ("a text", "å < b".encode(), "text/html", "å &lt; b"),
    ("a script as a picture", b"<svg onload='x()'/>", "image/svg+xml", "&lt;svg"),
    ("bytes", b"\0\1\2", "application/octet-stream", "Only pictures and text"),
    ("nothing", b"", "text/plain", "It is empty."),
]


@pytest.mark.parametrize(("name", "content", "kind", "shown"), BLOBS)
async def test_a_blob_is_uploaded_shown_and_deleted(
    browser: AsyncClient, name: str, content: bytes, kind: str, shown: str
) -> None:
    """As what it is, not as what it was called; under the version that was seen."""
    fields = await form(browser, "/admin/storage/files:blobs")
    file = {"file": (f"{name}.x", content, kind)}
    made = await browser.post("/admin/storage/files:blobs", data=fields, files=file)
    path = f"/admin/storage/files:blobs/{quote(name)}.x"
    assert (303, path + "?saved=yes") == (made.status_code, made.headers["location"])
    page = await browser.get(path)
    assert (page.status_code, shown in page.text) == (200, True)
    assert f"{name}.x" in (await browser.get("/admin/storage/files:blobs")).text
    again = await browser.post("/admin/storage/files:blobs", data=fields, files=file)
    assert (again.status_code, "is there already" in again.text) == (422, True)
    seen = await form(browser, path)
    assert (await browser.post(path, data={**seen, "version": "999"})).status_code == 422
    assert (await browser.post(path, data=seen)).status_code == 303
    assert (await browser.get(path)).status_code == 404


async def test_a_preview_runs_nothing(browser: AsyncClient) -> None:
    """Sandboxed, of the sniffed type, and only for pictures."""
    fields = await form(browser, "/admin/storage/files:blobs")
    for name, content in (("p", PICTURE), ("s", b"<script>")):
        file = {"file": (name, content, "image/png")}
        await browser.post("/admin/storage/files:blobs", data=fields, files=file)
    picture = await browser.get("/admin/storage/files:preview/p")
    assert (picture.status_code, picture.headers["content-type"], picture.content) == (200, "image/png", PICTURE)
    assert picture.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert (await browser.get("/admin/storage/files:preview/s")).status_code == 404
    assert (await browser.get("/admin/storage/identity.photos:preview/p")).status_code == 403
    assert (await browser.get("/admin/storage/identity.photos:blobs")).status_code == 403


async def test_a_switch_that_makes_no_sense_is_told_in_the_page(browser: AsyncClient) -> None:
    """Nothing configured, nothing under way, nothing to go back to."""
    page = await browser.get("/admin/storage/:switch")
    assert (page.status_code, "No other backend is configured" in page.text) == (200, True)
    fields = {"csrf_token": re.findall(r'name="csrf-token" content="([^"]*)"', page.text)[0]}
    for more in (
        {"action": "check", "target": "nowhere"}, {"action": "begin", "target": "default"},
        {"action": "abort", "operation": "x"}, {"action": "rollback", "operation": "x"},
    ):  # fmt: skip
        assert (await browser.post("/admin/storage/:switch", data={**fields, **more})).status_code in {404, 422}


async def test_a_change_by_hand_keeps_the_end_of_life(browser: AsyncClient) -> None:
    """What was to be gone stays to be gone."""
    headers = {"Authorization": "Bearer ada", "Cookie": "", "Storage-TTL": "600"}
    await browser.put("/storage/notes/k", json=1, headers=headers)
    before = (await browser.head("/storage/notes/k")).headers["storage-expires"]
    fields = await form(browser, "/admin/storage/notes/k")
    await browser.post("/admin/storage/notes/k", data={**fields, "value": "2", "action": "save"})
    answer = await browser.get("/storage/notes/k")
    assert (answer.json(), answer.headers["storage-expires"]) == (2, before)
