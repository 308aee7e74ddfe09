"""One normaliser for each kind of output: a block comes out bounded and harmless, or a notice says what was dropped."""

import json
import re
from collections.abc import Callable, Mapping, Sequence

import nh3

from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.results.contract import (
    MAX_CELL_BYTES,
    MAX_HTML_BYTES,
    MAX_JSON_BYTES,
    MAX_JSON_DEPTH,
    MAX_JSON_ITEMS,
    MAX_JSON_KEYS,
    MAX_LABEL_BYTES,
    MAX_MARKDOWN_BYTES,
    MAX_NOTICE_BYTES,
    MAX_PLOT_BYTES,
    MAX_TABLE_COLUMNS,
    MAX_TABLE_ROWS,
    NOTICE_LEVELS,
    PLOT_TYPES,
)
from skriptoteket.core.results.harmless_text import clean_scalar, clean_text, cut_text

Block = dict[str, JsonValue]
Notes = Callable[[str], None]

_TAGS = set(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_IMAGE = re.compile(r'<img(?: [a-z]+="[^"<>]*")*>')
_IMAGE_DATA = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")


class Files:
    """The collected output files, by path; paths that are claimed are compared exactly."""

    def __init__(self, sizes: Mapping[str, int], ids: Mapping[str, str]) -> None:
        self._sizes = sizes
        self._ids = ids

    def find(self, path: object) -> str | None:
        """The path under ``output/``, or ``None``."""
        text = (
            path.removeprefix("/job/output/").removeprefix("output/").removeprefix("./")
            if isinstance(path, str)
            else ""
        )
        return text if text in self._sizes else None

    def size(self, path: str) -> int:
        """Bytes of a file that was found."""
        return self._sizes[path]

    def id(self, path: str) -> str:
        """Its artifact id."""
        return self._ids[path]


def text_of(value: object, most_bytes: int = MAX_LABEL_BYTES) -> str:
    """A label or title: cleaned, one line, cut; empty for anything that is no text."""
    if not isinstance(value, str):
        return ""
    return cut_text(clean_text(value).replace("\n", " ").strip(), most_bytes)[0]


def notice(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, level, message}``."""
    level = item.get("level")
    message, was_cut = cut_text(clean_text(str(item.get("message") or "")), MAX_NOTICE_BYTES)
    if not message:
        note("A notice without a message was left out.")
        return None
    if was_cut:
        note("A notice was shortened.")
    return {"kind": "notice", "level": level if level in NOTICE_LEVELS else "info", "message": message}


def markdown(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, markdown}``; HTML in it stays text when it is shown."""
    source = item.get("markdown")
    if not isinstance(source, str):
        note("A markdown output without text was left out.")
        return None
    text, was_cut = cut_text(clean_text(source), MAX_MARKDOWN_BYTES)
    if was_cut:
        note("A long text was shortened.")
    return {"kind": "markdown", "markdown": text}


def html(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, html}``, sanitised to an allow-list; what is too long is shown as shortened text."""
    source = item.get("html")
    if not isinstance(source, str):
        note("An html output without text was left out.")
        return None
    source, was_cut = cut_text(clean_text(source), 4 * MAX_HTML_BYTES)
    safe = sanitised(source)
    if len(safe.encode()) > MAX_HTML_BYTES:
        plain = nh3.clean(safe, tags=set())
        was_cut = True
        safe = sanitised(f"<p>{cut_text(plain, MAX_HTML_BYTES // 2)[0]}</p>")
    if was_cut:
        note("A long page was shortened to its text.")
    return {"kind": "html", "html": safe}


def sanitised(source: str) -> str:
    """HTML with only harmless structure, links and embedded images left; every image has a source and an ``alt``."""
    clean = _clean(source)
    # Cleaned again: what was put together from text is never trusted.
    return _clean(_IMAGE.sub(_image, clean)) if "<img" in clean else clean


def _image(found: re.Match[str]) -> str:
    tag = found[0]
    if ' src="' not in tag:
        return ""
    return tag if ' alt="' in tag else f'{tag[:-1]} alt="">'


def _clean(source: str) -> str:
    return nh3.clean(
        source,
        tags=_TAGS,
        clean_content_tags={"script", "style", "svg", "math", "template", "iframe", "object", "noscript"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if value.lower().startswith(_IMAGE_DATA) else None
    if name == "href":
        # relative links would lead into the platform's own pages
        return value if value.lower().startswith(("http://", "https://", "mailto:")) else None
    return value


def table(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, title, columns[{key, label, align}], rows}``; rows are objects by column key, or lists."""
    columns = _columns(item.get("columns"))
    rows = item.get("rows")
    if not columns or not isinstance(rows, Sequence) or isinstance(rows, str):
        note("A table without columns or rows was left out.")
        return None
    if isinstance(item.get("columns"), Sequence) and len(columns) > MAX_TABLE_COLUMNS:
        note(f"A table has {len(columns)} columns; the first {MAX_TABLE_COLUMNS} are shown.")
        columns = columns[:MAX_TABLE_COLUMNS]
    if len(rows) > MAX_TABLE_ROWS:
        note(f"A table has {len(rows)} rows; the first {MAX_TABLE_ROWS} are shown.")
    keys = [str(column["key"]) for column in columns]
    shown: list[JsonValue] = []
    cut_cells = 0
    for row in rows[:MAX_TABLE_ROWS]:
        cells, cut = _row(row, keys)
        shown.append(cells)
        cut_cells += cut
    if cut_cells:
        note(f"{cut_cells} long cells were shortened.")
    head: list[JsonValue] = [dict(column) for column in columns]
    return {"kind": "table", "title": text_of(item.get("title")), "columns": head, "rows": shown}


def _columns(raw: object) -> list[dict[str, JsonValue]]:
    columns: list[dict[str, JsonValue]] = []
    seen: set[str] = set()
    for column in raw if isinstance(raw, Sequence) and not isinstance(raw, str) else ():
        given = column if isinstance(column, Mapping) else {"key": column}
        key = text_of(str(given.get("key", ""))) or f"column_{len(columns) + 1}"
        if key in seen:
            continue
        seen.add(key)
        align = given.get("align")
        columns.append(
            {
                "key": key,
                "label": text_of(given.get("label")) or key,
                "align": align if align in ("left", "right", "center") else "left",
            }
        )
    return columns


def _row(row: object, keys: Sequence[str]) -> tuple[list[JsonValue], int]:
    if isinstance(row, Mapping):
        raw: list[object] = [row.get(key) for key in keys]
    elif isinstance(row, Sequence) and not isinstance(row, str):
        raw = [row[index] if index < len(row) else None for index in range(len(keys))]
    else:
        raw = [row, *[None] * (len(keys) - 1)]
    cells = [clean_scalar(value, MAX_CELL_BYTES) for value in raw]
    return [cell for cell, _ in cells], sum(cut for _, cut in cells)


def json_value(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, title, value}``, bounded in depth, keys, items and bytes."""
    budget = [MAX_JSON_KEYS]
    value, was_cut = _bounded(item.get("value"), MAX_JSON_DEPTH, budget)
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_JSON_BYTES:
        note("A data output was too big and was left out.")
        return None
    if was_cut:
        note("A data output was shortened.")
    return {"kind": "json", "title": text_of(item.get("title")), "value": value}


def _bounded(value: object, depth: int, budget: list[int]) -> tuple[JsonValue, bool]:
    if isinstance(value, Mapping):
        return _bounded_object(value, depth, budget)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if depth == 0:
            return None, True
        pairs = [_bounded(each, depth - 1, budget) for each in value[:MAX_JSON_ITEMS]]
        return [each for each, _ in pairs], len(value) > MAX_JSON_ITEMS or any(cut for _, cut in pairs)
    return clean_scalar(value, MAX_JSON_BYTES)


def _bounded_object(value: Mapping[str, object], depth: int, budget: list[int]) -> tuple[JsonValue, bool]:
    if depth == 0:
        return None, True
    found: dict[str, JsonValue] = {}
    was_cut = False
    for key, each in value.items():
        if budget[0] == 0:
            return found, True
        budget[0] -= 1
        found[text_of(key) or "?"], cut = _bounded(each, depth - 1, budget)
        was_cut = was_cut or cut
    return found, was_cut


def file(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, path, artifact_id, label}`` of a file that exists."""
    path = files.find(item.get("path"))
    if path is None:
        note(f"The file {text_of(item.get('path')) or '(no name)'} was announced and is not there.")
        return None
    return {"kind": "file", "path": path, "artifact_id": files.id(path), "label": text_of(item.get("label"))}


def plot(item: Mapping[str, object], files: Files, note: Notes) -> Block | None:
    """``{kind, file, artifact_id, title, alt, media_type}`` of an image that exists; without alt there is no plot."""
    path = files.find(item.get("file"))
    alt = text_of(item.get("alt"), 2_000)
    suffix = f".{path.rpartition('.')[2].lower()}" if path else ""
    if path is None or suffix not in PLOT_TYPES or files.size(path) > MAX_PLOT_BYTES:
        note("A picture is missing, too big or of an unknown kind, and was left out.")
        return None
    if not alt:
        note(f"The picture {path} has no text for people who cannot see it, and is offered as a file only.")
        return None
    return {
        "kind": "plot",
        "file": path,
        "artifact_id": files.id(path),
        "title": text_of(item.get("title")),
        "alt": alt,
        "media_type": PLOT_TYPES[suffix],
    }


NORMALISERS: Mapping[str, Callable[[Mapping[str, object], Files, Notes], Block | None]] = {
    "notice": notice,
    "markdown": markdown,
    "table": table,
    "json": json_value,
    "html": html,
    "file": file,
    "plot": plot,
}
