"""Both languages: each reader gets theirs."""

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

PAGE = {"accept": "text/html"}


async def test_pages_in_swedish(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Catalogue, tool, form and lists speak Swedish to who asks for it, and say so; the choice is kept in a cookie."""
    swedish = {**PAGE, "accept-language": "sv"}
    for path, text in (
        ("/browse", "Välj ett verktyg"),
        ("/tools/guardian-emails", "Schemalägg"),
        ("/tools/guardian-emails/run", "Dina filer raderas när körningen är klar"),
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
    kept = await client.post("/language", data={"language": "sv"}, headers=PAGE)
    assert (kept.status_code, "fsp-language=sv" in kept.headers["set-cookie"]) == (303, True)
