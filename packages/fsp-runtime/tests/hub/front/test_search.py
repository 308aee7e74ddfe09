"""The search and the command palette."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from httpx import AsyncClient

from fastapi_services_platform import Found, MenuEntry, Permission, PlatformSettings, Principal, Search
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

BROWSER = {"accept": "text/html", "cookie": "session=ada"}
DENIED = frozenset({"demo.secret.see", "platform.settings.read"})


async def _notes(who: Principal, words: str, language: str, limit: int) -> Sequence[Found]:
    return [
        Found(f"Note {number} of <b>{who.display_name}</b>", f"/notes/{number}", words) for number in range(limit + 5)
    ]


async def _broken(who: Principal, words: str, language: str, limit: int) -> Sequence[Found]:
    raise ConnectionError("the index is away")


async def _secret(who: Principal, words: str, language: str, limit: int) -> Sequence[Found]:
    return [Found("A secret", "/secret")]


async def _hanging(who: Principal, words: str, language: str, limit: int) -> Sequence[Found]:
    await asyncio.Event().wait()
    return ()


@pytest.fixture
async def client(
    sample: Callable[..., Prepared], settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncClient]:
    monkeypatch.setattr("fastapi_services_platform.hub.front.search._SECONDS", 0.2)
    demo = sample(
        permissions=(Permission("demo.secret.see", "See the secret"),),
        menu=(MenuEntry("Notebook", "/notes", section="Work"), MenuEntry("Vault", "/s", "demo.secret.see")),
        searches=(
            Search("Notes", _notes),
            Search("Secrets", _secret, "demo.secret.see"),
            Search("Ruins", _broken),
            Search("Bogs", _hanging),
        ),
    )
    async with started_app(settings=settings, capabilities=[demo, believing_identity(DENIED)]) as started:
        yield started


async def test_everything_at_once(client: AsyncClient) -> None:
    """Each place gives what it has, markup stays text, and a place that fails or hangs leaves the others' answers."""
    answer = await client.get("/search", params={"q": " note  "}, headers=BROWSER)
    assert answer.status_code == 200
    assert ("Note 0 of &lt;b&gt;" in answer.text, "<b>" in answer.text) == (True, False)
    assert ("Notebook" in answer.text, "Vault" in answer.text, "A secret" in answer.text) == (True, False, False)
    assert answer.text.count("This could not be searched just now.") == 2


async def test_only_the_results_for_a_part_of_the_page(client: AsyncClient) -> None:
    """While somebody types, only what changes is sent."""
    part = await client.get("/search", params={"q": "note"}, headers={**BROWSER, "hx-request": "true"})
    assert ("<html" in part.text, "Notebook" in part.text, part.headers["vary"]) == (False, True, "hx-request")


async def test_settings_are_for_who_may_see_them(client: AsyncClient) -> None:
    """A search leads nowhere that one may not go."""
    assert "FSP_PUBLIC_URL" not in (await client.get("/search", params={"q": "public_url"}, headers=BROWSER)).text


async def test_the_palette_offers_pages_and_acts(client: AsyncClient) -> None:
    """Without words there are pages and acts as options; with words also what was found."""
    empty = await client.get("/search/palette", headers=BROWSER)
    assert ('role="option"' in empty.text, "Colours: dark" in empty.text, "Note 0" in empty.text) == (True, True, False)
    found = await client.get("/search/palette", params={"q": "note"}, headers=BROWSER)
    assert (found.text.count("/notes/"), "Colours: dark" in found.text) == (5, False)


@pytest.mark.parametrize("path", ["/search?q=note", "/search/palette?q=note"])
async def test_strangers_search_nothing(client: AsyncClient, path: str) -> None:
    """Both are for who is signed in; words beyond the bound are refused."""
    assert (await client.get(path)).status_code == 401
    assert (await client.get("/search", params={"q": "x" * 201}, headers=BROWSER)).status_code == 422
