"""Catalogues of a member: find every text that people read, keep the translations, compile them, say what is missing.

``python -m fastapi_services_platform.testing.translations <member> …`` for members whose ``pyproject.toml`` has

    [tool.fsp.translations]
    domain = "notes"                          # the capability
    source = "src/my_notes"
    locale = "src/my_notes/adapters/web/locale"
    marks = { FieldIssue = [2] }              # further calls whose literal arguments at these places are shown
    tables = ["MEANINGS"]                     # names of mappings and sequences whose texts are shown

Texts stand in ``_("…")`` and ``_n("…", "…", n)`` of templates, in ``marked("…")``, and in what is contributed: labels,
cards, permissions, bundles, flags, titles of problems.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, nodes

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Text = str | tuple[str, str]
"""A text, or its forms for one and for many."""

_MARKS: Mapping[str, tuple[int | str, ...]] = {
    "_": (0,),
    "marked": (0,),
    "MenuEntry": (0, "label", "section"),
    "Search": (0, "heading"),
    "Card": (0, 1, "title", "text"),
    "Permission": (1, "summary"),
    "Bundle": (1, "summary"),
    "ProblemMapping": (3, "title"),
    "Problem": (2, 3, "title", "detail"),
    "FeatureFlag": (1, "description"),
    "Manifest": (2, "summary"),
}
_LOOKING_UP = ("_", "_n", "said", "told", "has_page")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.S)
_TAG = re.compile(r"<code.*?</code>|<[^>]*>|&\w+;", re.S)
_WORD = re.compile(r"[A-Za-zÅÄÖåäö]{2,}")
_SENTENCE = re.compile(r"[A-ZÅÄÖ]-?[a-zåäö]|[a-z]+ [a-z]+ [a-z]+")


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member keeps its texts and its catalogues."""

    folder: Path
    domain: str
    source: Path
    locale: Path
    marks: Mapping[str, tuple[int | str, ...]]
    tables: frozenset[str]

    @property
    def languages(self) -> list[str]:
        """The languages that it has a catalogue for."""
        return sorted(path.name for path in self.locale.glob("*") if (path / "LC_MESSAGES").is_dir())

    def file(self, language: str) -> Path:
        """The catalogue of a language, as people edit it."""
        return self.locale / language / "LC_MESSAGES" / f"{self.domain}.po"

    def templates(self) -> list[Path]:
        """Every template."""
        return sorted(self.source.rglob("*.html"))


def member(folder: Path) -> Member:
    """What the member's ``pyproject.toml`` says.

    Raises:
        LookupError: it says nothing of translations.
    """
    table = tomllib.loads((folder / "pyproject.toml").read_text()).get("tool", {}).get("fsp", {}).get("translations")
    if table is None:
        raise LookupError(f"{folder / 'pyproject.toml'} has no [tool.fsp.translations]")
    marks = {**_MARKS, **{name: tuple(places) for name, places in table.get("marks", {}).items()}}
    source, locale = folder / table["source"], folder / table["locale"]
    return Member(folder, table["domain"], source, locale, marks, frozenset(table.get("tables", ())))


def texts(of: Member) -> dict[Text, str]:
    """Every text with the file that it stands in."""
    found: dict[Text, str] = {}
    for path in of.templates():
        for text in _of_template(path.read_text(encoding="utf-8")):
            found.setdefault(text, path.name)
    likely = re.compile(r"\b(?:" + "|".join(map(re.escape, [*of.marks, *of.tables])) + r")\b")
    for path in sorted(of.source.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for text in _of_module(source, of) if likely.search(source) else ():
            found.setdefault(text, path.name)
    return found


def _of_template(source: str) -> Iterator[Text]:
    for call in _parsed(source).find_all(nodes.Call):
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        given = [arg.value for arg in call.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        if name == "_" and given:
            yield given[0]
        elif name == "_n" and len(given) > 1:
            yield given[0], given[1]


def _of_module(source: str, of: Member) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _handed_over(node, of.marks)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id in of.tables for target in targets):
                yield from _of_table(node.value)


def _handed_over(call: ast.Call, marks: Mapping[str, tuple[int | str, ...]]) -> Iterator[str]:
    called = call.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    for place in marks.get(name, ()):
        if isinstance(place, str):
            given = next((keyword.value for keyword in call.keywords if keyword.arg == place), None)
        else:
            given = call.args[place] if len(call.args) > place else None
        if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value:
            yield given.value


def _of_table(table: ast.expr) -> Iterator[str]:
    """The strings of a mapping's values, or of a sequence; keys are not shown."""
    if isinstance(table, ast.Constant) and isinstance(table.value, str) and _WORD.search(table.value):
        yield table.value
    elif isinstance(table, ast.Dict):
        for value in table.values:
            yield from _of_table(value)
    elif isinstance(table, ast.Tuple | ast.List | ast.Set):
        for value in table.elts:
            yield from _of_table(value)


def unmarked(source: str) -> list[str]:
    """What a template shows without looking it up: words between its tags, and sentences that it hands to macros."""
    between = _WORD.findall(_TAG.sub(" ", _CODE.sub("", source)))
    tree = _parsed(source)
    looked_up = {
        id(arg)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in _LOOKING_UP
        for arg in call.args
    } | {id(pair.key) for pair in tree.find_all(nodes.Pair)}
    handed = [
        const.value
        for const in tree.find_all(nodes.Const)
        if isinstance(const.value, str) and id(const) not in looked_up and _SENTENCE.match(const.value)
    ]
    return between + handed


def _parsed(source: str) -> nodes.Template:
    return Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(source)


def catalogue(of: Member, language: str) -> "Catalog":
    """The catalogue of a language as it is kept."""
    from babel.messages.pofile import read_po

    with of.file(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(found: "Catalog") -> bytes:
    """The catalogue as programs read it."""
    from babel.messages.mofile import write_mo

    found.creation_date = found.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same texts, the same bytes
    file = BytesIO()
    write_mo(file, found)
    return file.getvalue()


def update(of: Member, language: str) -> list[str]:
    """Write the catalogue anew, keeping what is translated, and compile it; the answer is what is not translated."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    kept = {each.id: each.string for each in catalogue(of, language) if each.id} if of.file(language).exists() else {}
    made = Catalog(locale=language, header_comment="", fuzzy=False)
    for text, place in sorted(texts(of).items(), key=lambda item: str(item[0])):
        made.add(text, kept.get(text, ""), locations=[(place, 1)])
    of.file(language).parent.mkdir(parents=True, exist_ok=True)
    with of.file(language).open("wb") as file:
        write_po(file, made, omit_header=True, include_lineno=False, width=120)
    of.file(language).with_suffix(".mo").write_bytes(compiled(catalogue(of, language)))
    return faults(of, language)


def faults(of: Member, language: str) -> list[str]:
    """Texts that the catalogue lacks, has too many, leaves empty, calls fuzzy, or strips of a placeholder."""
    kept = {each.id: each for each in catalogue(of, language) if each.id}
    wanted = texts(of)
    found = [f"not in the catalogue: {text}" for text in wanted if text not in kept]
    for text, message in kept.items():
        said = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        source = text if isinstance(text, str) else text[-1]
        if text not in wanted:
            found.append(f"left over: {source}")
        elif not all(said):
            found.append(f"not translated: {source}")
        elif message.fuzzy:
            found.append(f"fuzzy: {source}")
        elif set(_PLACEHOLDER.findall(source)) != set(_PLACEHOLDER.findall(said[-1])):
            found.append(f"placeholders differ: {source}")
    return found


def current(of: Member, language: str) -> bool:
    """Whether what programs read is made of what people edit."""
    return compiled(catalogue(of, language)) == of.file(language).with_suffix(".mo").read_bytes()


def main(folders: list[str]) -> int:
    """Bring every catalogue of the members up to date and say what is missing."""
    missing = 0
    for folder in folders:
        try:
            of = member(Path(folder))
        except LookupError as error:
            sys.stdout.write(f"{error}\n")
            continue
        for language in of.languages:
            left = update(of, language)
            missing += len(left)
            sys.stdout.write(f"{of.domain} {language}: {f'{len(left)} missing' if left else 'complete'}\n")
            sys.stdout.writelines(f"  {line}\n" for line in left)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
