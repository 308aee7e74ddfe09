"""Pages for everybody."""

from collections.abc import AsyncIterator, Callable

import pytest
from httpx import AsyncClient

from fastapi_services_platform import Card, MenuEntry, Permission, PlatformSettings
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

HTML = {"accept": "text/html"}
BROWSER = {"accept": "text/html", "cookie": "session=ada"}
DENIED = frozenset({"demo.secret.see", "platform.capabilities.read", "platform.health.read"})


@pytest.fixture
async def client(sample: Callable[..., Prepared], settings: PlatformSettings) -> AsyncIterator[AsyncClient]:
    demo = sample(
        permissions=(Permission("demo.secret.see", "See the secret"),),
        cards=(Card("Open tile", "For all.", "/open"), Card("Secret tile", "Not for all.", "/s", "demo.secret.see")),
        menu=(MenuEntry("Open entry", "/open"), MenuEntry("Secret entry", "/s", "demo.secret.see")),
        entry_page="/enter",
    )
    async with started_app(settings=settings, capabilities=[demo, believing_identity(DENIED)]) as started:
        yield started


async def test_strangers_are_shown_the_way_in(client: AsyncClient) -> None:
    """Somebody who is not signed in sees a friendly page with the entry page's link, and no tiles."""
    page = (await client.get("/", headers={"accept": "text/html"})).text
    assert ('href="/enter"' in page, "Open tile" in page) == (True, False)


async def test_the_hub_shows_what_one_may_use(client: AsyncClient) -> None:
    """Tiles and menu entries are filtered by permission."""
    page = (await client.get("/", headers=BROWSER)).text
    shown = {text: text in page for text in ("Open tile", "Open entry", "Secret tile", "Secret entry", "Is it well?")}
    assert shown == {
        "Open tile": True,
        "Open entry": True,
        "Secret tile": False,
        "Secret entry": False,
        "Is it well?": False,
    }


async def test_problems_are_pages_for_people(client: AsyncClient) -> None:
    """A browser gets a page with the correlation id; a program gets the problem document."""
    page = await client.get("/nowhere", headers=BROWSER)
    document = await client.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert page.headers["x-correlation-id"] in page.text
    assert document.json()["type"] == "http://platform.test/problems/platform/not-found"


async def test_every_problem_type_has_a_page(client: AsyncClient) -> None:
    """The address in ``type`` leads to its meaning; a type that nobody uses does not exist."""
    found = await client.get("/problems/platform/permission-denied", headers={"accept": "text/html"})
    mapped = await client.get("/problems/hub/audit-unavailable", headers={"accept": "text/html"})
    unknown = await client.get("/problems/platform/nonsense")
    assert (found.status_code, mapped.status_code, unknown.status_code) == (200, 200, 404)


async def test_public_files_come_with_strict_headers(client: AsyncClient) -> None:
    """The page's own files are public and keep the content policy."""
    answer = await client.get("/static/hub/hub.js")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (200, "nosniff")


@pytest.mark.parametrize(
    "path",
    ["/static/hub/../plugin.py", "/static/hub/%2e%2e/plugin.py", "/static/hub/..%2fplugin.py", "/static//etc/passwd"],
)
async def test_nothing_else_is_public(client: AsyncClient, path: str) -> None:
    """No spelling of a path leads out of the public folders."""
    assert (await client.get(path)).status_code == 404


async def test_the_theme_is_remembered(client: AsyncClient) -> None:
    """The choice is kept in a cookie and one is sent back to the page one came from."""
    token = await form_token(client)
    answer = await client.post(
        "/theme",
        data={"csrf_token": token, "theme": "dark"},
        headers={"cookie": "session=ada", "referer": "http://platform.test/platform/components?x=1"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/platform/components?x=1")
    assert "fsp-theme=dark" in answer.headers["set-cookie"]


@pytest.mark.parametrize("referer", ["https://evil.example/x", "http://platform.test//evil.example/x", "javascript:1"])
async def test_one_is_never_sent_to_another_host(client: AsyncClient, referer: str) -> None:
    """The way back stays on this host whatever the request says."""
    token = await form_token(client)
    headers = {"cookie": "session=ada", "referer": referer}
    answer = await client.post("/theme", data={"csrf_token": token, "theme": "no such"}, headers=headers)
    assert answer.headers["location"] in ("/", "/evil.example/x")


async def test_the_page_follows_the_theme(client: AsyncClient) -> None:
    """A cookie with nonsense is the system's choice."""
    dark = await client.get("/", headers={"accept": "text/html", "cookie": "fsp-theme=dark"})
    odd = await client.get("/", headers={"accept": "text/html", "cookie": 'fsp-theme="><script>'})
    assert ('data-theme="dark"' in dark.text, 'data-theme="auto"' in odd.text) == (True, True)


async def test_pages_hold_no_inline_code(client: AsyncClient) -> None:
    """Neither script, nor style, nor handler stands in a page: the content policy would block it."""
    page = (await client.get("/platform/components", headers=BROWSER)).text
    assert [text for text in ("<script>", "<style", " style=", " onclick=") if text in page] == []


async def test_names_are_only_text(client: AsyncClient) -> None:
    """Markup in a person's name is shown, never run."""
    headers = {"accept": "text/html", "authorization": "Bearer <img src=x onerror=alert(1)>"}
    page = (await client.get("/", headers=headers)).text
    assert ("<img src=x" in page, "&lt;img src=x onerror=alert(1)&gt;" in page) == (False, True)


async def form_token(client: AsyncClient) -> str:
    page = (await client.get("/", headers=BROWSER)).text
    return page.split('name="csrf_token" value="')[1].split('"')[0]


async def test_the_table_of_the_gallery_is_filtered_sorted_and_turned_over(client: AsyncClient) -> None:
    """The filter goes along with order and page; the heading says which order is in force and turns it round."""
    found = await client.get("/platform/components?q=grace&order=-rows", headers=HTML)
    assert found.text.index("Guardian list") < found.text.index("Absence report")
    assert "Alan Turing" not in found.text
    assert 'aria-sort="descending"' in found.text
    assert 'href="/platform/components?q=grace&amp;order=rows"' in found.text
    second = await client.get("/platform/components?order=tool&page=2", headers=HTML)
    assert "Page 2 of 2" in second.text
    odd = await client.get("/platform/components?order=__class__&page=900", headers=HTML)
    assert (odd.status_code, "Page 1 of 2" in odd.text) == (200, True)


async def test_a_page_that_is_not_there_knows_who_looks(client: AsyncClient) -> None:
    """A signed-in person is not asked to sign in by the page that says 404; a stranger is shown the way."""
    ada = await client.get("/nowhere", headers={**HTML, "cookie": "session=ada"})
    stranger = await client.get("/nowhere", headers=HTML)
    wrong = await client.get("/nowhere", headers={**HTML, "cookie": "session=broken"})
    assert (ada.status_code, "Sign in" in ada.text, "person-menu" in ada.text) == (404, False, True)
    assert (stranger.status_code, "person-menu" in stranger.text) == (404, False)
    assert (wrong.status_code, "person-menu" in wrong.text) == (404, False)


async def test_the_language_is_chosen_and_kept(client: AsyncClient) -> None:
    """The browser's wish counts until somebody chooses; an unknown language is the first of those offered."""
    swedish = await client.get("/", headers={"accept": "text/html", "accept-language": "sv"})
    assert ('<html lang="sv"' in swedish.text, "Logga in" in swedish.text, "English" in swedish.text) == (True,) * 3
    kept = await client.post("/language", data={"language": "sv"}, headers={"accept": "text/html"})
    assert (kept.status_code, "fsp-language=sv" in kept.headers["set-cookie"]) == (303, True)
    odd = await client.post("/language", data={"language": "tlh"}, headers={"accept": "text/html"})
    assert "fsp-language=en" in odd.headers["set-cookie"]
    assert '<html lang="en"' in (await client.get("/", headers={"accept": "text/html"})).text


async def test_problems_are_told_in_the_readers_language(client: AsyncClient) -> None:
    """Title and sentence of a page that is not there; the clock is the browser's where it says so."""
    headers = {**BROWSER, "accept-language": "sv", "cookie": "session=ada; fsp-zone=Europe/Stockholm"}
    page = (await client.get("/nowhere", headers=headers)).text
    assert ("Det finns inget på den här adressen." in page, 'data-zone="Europe/Stockholm"' in page) == (True, True)
    odd = {**headers, "cookie": "session=ada; fsp-zone=../../etc/passwd"}
    assert 'data-zone="UTC"' in (await client.get("/nowhere", headers=odd)).text
