"""The library in the platform's search."""

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork


async def test_tools_are_found_in_both_languages(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """A tool is found by a word of its texts, under its title in the reader's language."""
    for language, heading in (("en", "Tools"), ("sv", "Verktyg")):
        headers = {"accept": "text/html", "accept-language": language}
        answer = await client.get("/search", params={"q": "guardian"}, headers=headers)
        shown = f"{heading}</h2>" in answer.text
        assert (answer.status_code, shown, "/tools/guardian-emails" in answer.text) == (200, True, True), language
    nothing = await client.get("/search", params={"q": "no such tool"}, headers={"accept": "text/html"})
    assert "/tools/" not in nothing.text
