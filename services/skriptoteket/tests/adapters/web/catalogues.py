"""Find every text that people read, and bring the Swedish catalogue up to date (``just translations``)."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from skriptoteket.core.runs.models import PUBLIC_MESSAGES

SOURCE = Path(__file__).parents[3] / "src" / "skriptoteket"
SWEDISH = SOURCE / "adapters" / "web" / "locale" / "sv" / "LC_MESSAGES" / "skriptoteket.po"
_MARKS = {"_": 0, "marked": 0, "FieldIssue": 2}


def texts() -> dict[str, str]:
    """Every text with the file that it stands in."""
    found: dict[str, str] = {}
    for path in sorted(SOURCE.glob("adapters/web/templates/*.html")):
        for text in _of_template(path.read_text()):
            found.setdefault(text, path.name)
    for path in sorted(SOURCE.rglob("*.py")):
        for text in _of_module(path.read_text()):
            found.setdefault(text, path.name)
    for text in PUBLIC_MESSAGES.values():
        if text:
            found.setdefault(text, "models.py")
    return found


def _of_template(source: str) -> Iterator[str]:
    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        named = isinstance(call.node, nodes.Name) and call.node.name == "_"
        if named and call.args and isinstance(call.args[0], nodes.Const):
            yield str(call.args[0].value)


def _of_module(source: str) -> Iterator[str]:
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _MARKS:
            place = _MARKS[call.func.id]
            if len(call.args) > place:
                given = call.args[place]
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield given.value


def catalogue() -> Catalog:
    """The Swedish catalogue as it is kept."""
    with SWEDISH.open("rb") as file:
        return read_po(file, locale="sv")


def compiled(found: Catalog) -> bytes:
    """The catalogue as programs read it."""
    found.creation_date = found.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same texts, the same bytes
    file = BytesIO()
    write_mo(file, found)
    return file.getvalue()


def update() -> list[str]:
    """Write the catalogue anew, keeping what is translated; the answer is what is not."""
    known = {str(each.id): str(each.string) for each in catalogue() if each.id} if SWEDISH.exists() else {}
    made = Catalog(locale="sv", header_comment="# Swedish texts of the script library.", fuzzy=False)
    for text, place in sorted(texts().items()):
        made.add(text, known.get(text, ""), locations=[(place, 1)])
    SWEDISH.parent.mkdir(parents=True, exist_ok=True)
    with SWEDISH.open("wb") as file:
        write_po(file, made, omit_header=True, include_lineno=False, width=120)
    SWEDISH.with_suffix(".mo").write_bytes(compiled(catalogue()))
    return [str(each.id) for each in catalogue() if each.id and not each.string]


if __name__ == "__main__":
    print("\n".join(update()) or "complete")
