"""Normalised blocks become HTML: everything a script wrote is escaped or sanitised once more at this border."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import nh3
from markupsafe import Markup

from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.results.blocks import sanitised
from skriptoteket.core.runs.models import Artifact

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_MARKDOWN_TAGS = set(
    [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # sixty modules that a start has no use for

    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def markdown_html(source: str) -> Markup:
    """Markdown as safe HTML; raw HTML in it stays text, links go out of the platform only."""
    rendered = _markdown().render(source)
    clean = nh3.clean(
        rendered,
        tags=_MARKDOWN_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=_outside_only,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - nh3 has just reduced it to the allow-list above


def _outside_only(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if value.lower().startswith(("http://", "https://", "mailto:")) else None
    return value


def view_blocks(outputs: Sequence[Mapping[str, JsonValue]], artifacts: Sequence[Artifact]) -> list[dict[str, object]]:
    """What the template shows for each block; kinds that are unknown here are left out."""
    files = {artifact.artifact_id: artifact for artifact in artifacts}
    shown = []
    for index, block in enumerate(outputs):
        view = _view(block, files)
        if view is not None:
            shown.append({"index": index, "kind": block["kind"], **view})
    return shown


def unmentioned(outputs: Sequence[Mapping[str, JsonValue]], artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Files that no block shows; they are listed behind the outputs."""
    mentioned = {block.get("artifact_id") for block in outputs if block.get("kind") in ("file", "plot")}
    return [artifact for artifact in artifacts if artifact.artifact_id not in mentioned]


def _view(block: Mapping[str, JsonValue], files: Mapping[str, Artifact]) -> dict[str, object] | None:
    kind = block.get("kind")
    if kind == "notice":
        tone = {"info": "info", "warning": "warn", "error": "bad"}.get(str(block.get("level")), "info")
        return {"tone": tone, "message": block.get("message")}
    if kind == "markdown":
        return {"html": markdown_html(str(block.get("markdown", "")))}
    if kind == "html":
        safe = Markup(sanitised(str(block.get("html", ""))))  # noqa: S704 - sanitised again, in case a row was changed
        return {"html": safe}
    if kind == "table":
        return {"title": block.get("title"), "columns": block.get("columns"), "rows": _cells(block.get("rows"))}
    if kind == "json":
        return {"title": block.get("title"), "lines": _json_lines(block.get("value"))}
    if kind in ("file", "plot"):
        artifact = files.get(str(block.get("artifact_id")))
        if artifact is None:
            return None
        texts = {name: block.get(name, "") for name in ("label", "title", "alt")}
        return {"artifact": artifact, **texts}
    return None


def _cells(rows: JsonValue) -> list[list[str]]:
    if not isinstance(rows, list):
        return []
    return [[_cell(cell) for cell in row] for row in rows if isinstance(row, list)]


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _json_lines(value: JsonValue) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2)


def csv_cell(value: JsonValue) -> str:
    """A cell for a CSV file; what a spreadsheet would run as a formula gets an apostrophe in front."""
    text = _cell(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
