"""Both languages: each reader gets theirs, also of what is refused."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from httpx import AsyncClient

import skriptoteket
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.web.refusals import REFUSALS

CORE = Path(skriptoteket.__file__).parent / "core"

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


async def test_refusals_in_swedish(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """What is not there, and what somebody did first, are told in the reader's language, with what to do."""
    swedish = {**PAGE, "accept-language": "sv"}
    gone = (await client.get("/tools/nothing", headers=swedish)).text
    assert "Det finns inget sådant verktyg här" in gone
    assert "Kontrollera adressen, eller välj på nytt i katalogen." in gone
    form = {"kind": "profession", "verb": "remove", "slug": "larare", "label_en": "T", "label_sv": "L"}
    used = await client.post("/admin/taxonomy", data=form, headers=swedish)
    assert (used.status_code, "Ge dem en annan märkning först." in used.text) == (409, True)
    assert "There is no such tool here" in (await client.get("/tools/nothing", headers=PAGE)).text


def test_every_refusal_has_its_sentences() -> None:
    """Each sentence of a conflict and of a missing right stands in the list that the catalogues translate."""
    patterns = [re.escape(each).replace(re.escape("%(number)s"), r"\S+").removesuffix(r"\.") for each in REFUSALS]
    known = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    found = [sentence for path in sorted(CORE.rglob("*.py")) for sentence in _refused(ast.parse(path.read_text()))]
    assert len(found) > 40
    assert [each for each in found if not known.match(each)] == []


def _refused(module: ast.Module) -> Iterator[str]:
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        texts = {
            node.targets[0].id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _PLACES:
                given = call.args[_PLACES[call.func.id]]
                text = texts.get(given.id, given) if isinstance(given, ast.Name) else given
                yield from re.split(r"(?<=[.!?]) ", _written(text))


_PLACES = {"Conflict": 1, "Forbidden": 0}


def _written(text: ast.expr) -> str:
    """As it may read: a number or a state where something is filled in."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else _filled(part) for part in parts)


def _filled(part: ast.expr) -> str:
    source = ast.unparse(part)
    filled = {"status": "denied", "verdict": "approved", ".state": "archived", "words": "in review"}
    return next((word for name, word in filled.items() if name in source), "7")
