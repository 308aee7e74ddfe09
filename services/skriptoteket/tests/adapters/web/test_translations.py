"""Both languages: every text is in the Swedish catalogue, which is current; each reader gets theirs."""

import re

import pytest
from httpx import AsyncClient
from starlette.requests import Request

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.http.languages import chosen
from skriptoteket.adapters.web.wording import translated

from .catalogues import SOURCE, SWEDISH, catalogue, compiled, texts

PAGE = {"accept": "text/html"}
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.S)
_TAG = re.compile(r"<code.*?</code>|<[^>]*>", re.S)
_PLACEHOLDER = re.compile(r"%\(\w+\)s")
NAMES = {"English", "Svenska"}
"""Languages are called by their own names in every language."""


def test_the_catalogue_is_complete() -> None:
    """Every text is there, nothing is fuzzy, empty or left over, and no placeholder is lost."""
    found = {str(each.id): each for each in catalogue() if each.id}
    assert set(texts()) == set(found), "just translations"
    for text, message in found.items():
        assert message.string, text
        assert not message.fuzzy, text
        assert sorted(_PLACEHOLDER.findall(text)) == sorted(_PLACEHOLDER.findall(str(message.string))), text


def test_the_compiled_catalogue_is_current() -> None:
    """What programs read is made of what people edit."""
    assert compiled(catalogue()) == SWEDISH.with_suffix(".mo").read_bytes(), "just translations"


@pytest.mark.parametrize("path", sorted(SOURCE.glob("adapters/web/templates/*.html")), ids=lambda path: path.name)
def test_no_text_is_unmarked(path: object) -> None:
    """Between the tags of a template stands nothing that is not looked up."""
    source = _TAG.sub(" ", _CODE.sub("", path.read_text()))  # type: ignore[attr-defined]  # a Path; pytest has objects
    assert [word for word in re.findall(r"[A-Za-zÅÄÖåäö]{2,}", source) if word not in NAMES] == []


@pytest.mark.parametrize(
    ("profile", "headers", "expected"),
    [
        ("sv-SE", {"accept-language": "en"}, "sv"),
        (None, {"cookie": "language=sv", "accept-language": "en"}, "sv"),
        (None, {"accept-language": "de, sv;q=0.8, en;q=0.5"}, "sv"),
        (None, {"accept-language": "sv;q=0.1, en;q=0.9"}, "en"),
        (None, {"accept-language": "sv;q=x, ;;, de"}, "en"),
        ("fi", {}, "en"),
        (None, {}, "en"),
    ],
)
def test_whose_language_counts(profile: str | None, headers: dict[str, str], expected: str) -> None:
    """The profile's, else the cookie's, else the browser's, else the platform's."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "headers": raw})
    assert expected == chosen(request, profile, "en")


def test_what_nobody_translated_stays() -> None:
    """An unknown text comes back as it is, an empty one stays empty."""
    assert (translated("sv", "Run"), translated("sv", "x"), translated("sv", "")) == ("Kör", "x", "")


async def test_pages_in_swedish(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Catalogue, tool, form and lists speak Swedish to who asks for it, and say so; the choice is kept in a cookie."""
    swedish = {**PAGE, "accept-language": "sv"}
    for path, text in (
        ("/browse", "Välj ett verktyg"),
        ("/tools/guardian-email-list", "Schemalägg"),
        ("/tools/guardian-email-list/run", "Dina filer raderas när körningen är klar"),
        ("/my-runs", "Du har inte kört något verktyg än"),
        ("/schedules", "Du har inget schema än"),
        ("/admin/taxonomy", "Yrken och uppgifter"),
        ("/admin/runs", "Alla tillstånd"),
        ("/admin/nominations", "Ingen har nominerats än"),
        ("/suggestions/new", "Vad det ska göra"),
    ):
        answer = await client.get(path, headers=swedish)
        assert (answer.status_code, text in answer.text) == (200, True), path
        assert '<html lang="sv"' in answer.text, path
    assert "Choose a tool" in (await client.get("/browse", headers=PAGE)).text
    wrong = await client.post("/suggestions/new", data={"title": "T", "description": "D"}, headers=swedish)
    assert (wrong.status_code, "välj minst en" in wrong.text) == (422, True)
    kept = await client.post("/language", data={"locale": "sv"}, headers=PAGE)
    assert (kept.status_code, "language=sv" in kept.headers["set-cookie"]) == (303, True)
    assert (await client.post("/language", data={"locale": "tlh"}, headers=PAGE)).status_code == 422
