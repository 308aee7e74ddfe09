"""Rows of the gauntlet as capabilities write them: one request each, with who sends it and what must come back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from au_sys_python_factory.errors import UsageError

Toml = Any  # Any: whatever TOML can say; a row is checked when it is read
STAGES = (
    *("boot", "authentication", "identity", "access", "machines", "graph", "storage", "scripts"),
    *("recovery", "hub", "faults", "coverage"),
)
WHO = ("anonymous", "admin", "person", "other")
SESSIONS = ("bearer", "cookie")
BODIES = ("json", "form", "body")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer must look like. The matchers of ``fields`` and ``headers`` are those of :mod:`.matching`."""

    status: tuple[int, ...]
    fields: Mapping[str, Toml] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    headers: Mapping[str, Toml] = field(default_factory=dict)
    content_type: str = ""
    text: tuple[str, ...] = ()
    no_text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """The letter that a row needs: the token of its link to ``page`` is saved before the request is made."""

    to: str
    page: str
    save: str


@dataclass(frozen=True, slots=True)
class Row:
    """One request. ``owner`` is the capability that wrote it, ``folder`` where its files are looked for.

    ``provider`` rows need the outside login provider that a run lends. Of an answer that does not end by itself, a
    ``stream``, only the beginning is read, until it holds the expected text.
    """

    name: str
    stage: str
    owner: str
    folder: Path
    method: str
    path: str
    expect: Expectation
    who: str = "anonymous"
    session: str = "bearer"
    fresh: str = ""
    query: Mapping[str, Toml] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Toml = None
    form: Mapping[str, Toml] | None = None
    body: str | None = None
    files: Mapping[str, Toml] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    until: float = 0.0
    cleanup: bool = False
    destructive: bool = False
    provider: bool = False
    stream: bool = False
    letter: Letter | None = None

    @property
    def label(self) -> str:
        """How a report names it."""
        return f"{self.owner}: {self.name}"


_KEYS = frozenset(item.name for item in fields(Row)) - {"owner", "folder", "who"} | {"as"}
_LETTER_KEYS = frozenset(item.name for item in fields(Letter))
_EXPECT_KEYS = frozenset(item.name for item in fields(Expectation))


def read_folder(folder: Path, owner: str) -> list[Row]:
    """Every row of the TOML files in a folder, in the order of file names and rows.

    Raises:
        UsageError: a file or row is not in the form; it names file, row, key and the right form.
    """
    rows: list[Row] = []
    for path in sorted(folder.glob("*.toml")):
        rows += _read_file(path, owner)
    return rows


def _read_file(path: Path, owner: str) -> list[Row]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"not valid TOML: {error}", where=str(path), fix="correct the file") from None
    default = document.pop("stage", "")
    tables = document.pop("row", [])
    if document:
        raise UsageError(f"unknown key {sorted(document)[0]}", where=str(path), fix="use stage and [[row]] only")
    rows = [_row(table, default, owner, path) for table in tables]
    names = [row.name for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(path, name, "the name is there twice", "give every row of a file its own name")
    for row in rows:
        for needed in row.needs:
            if needed not in names:
                raise _wrong(path, row.name, f"needs the unknown row {needed!r}", f"rows: {', '.join(names)}")
    return rows


def _row(table: dict[str, Toml], default_stage: str, owner: str, path: Path) -> Row:
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise _wrong(path, "?", "a row has no name", 'name = "what it proves"')
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise _wrong(path, name, f"unknown key {unknown[0]}", f"keys: {', '.join(sorted(_KEYS))}")
    row = Row(
        name=name,
        stage=table.get("stage", default_stage),
        owner=owner,
        folder=path.parent,
        method=str(table.get("method", "GET")).upper(),
        path=str(table.get("path", "")),
        expect=_expectation(table.get("expect"), path, name),
        who=table.get("as", "anonymous"),
        session=table.get("session", "bearer"),
        fresh=_fresh(table.get("fresh"), name),
        query=table.get("query", {}),
        headers=table.get("headers", {}),
        json=table.get("json"),
        form=table.get("form"),
        body=table.get("body"),
        files=table.get("files", {}),
        save=table.get("save", {}),
        needs=tuple(table.get("needs", ())),
        until=float(table.get("until", 0)),
        cleanup=bool(table.get("cleanup", False)),
        destructive=bool(table.get("destructive", False)),
        provider=bool(table.get("provider", False)),
        stream=bool(table.get("stream", False)),
        letter=_letter(table.get("letter"), path, name),
    )
    _check(row, path)
    return row


def _check(row: Row, path: Path) -> None:
    for key, value, allowed in (("stage", row.stage, STAGES), ("as", row.who, WHO), ("session", row.session, SESSIONS)):
        if value not in allowed:
            raise _wrong(path, row.name, f"{key} is {value!r}", f"one of {', '.join(allowed)}")
    if not row.path.startswith(("/", "${")):
        raise _wrong(path, row.name, f"path is {row.path!r}", "a path that begins with / or with a saved one")
    bodies = [key for key in BODIES if getattr(row, key) is not None]
    if len(bodies) > 1 or (row.files and bodies not in ([], ["form"])):
        raise _wrong(path, row.name, "several bodies", "one of json, form, body; files go with form only")
    for table in (table for value in row.files.values() for table in _tables(value)):
        if "file" in table and not (row.folder / str(table["file"])).is_file():
            raise _wrong(path, row.name, f"file {table['file']!r} is not there", f"put it into {row.folder}")


def _expectation(table: object, path: Path, name: str) -> Expectation:
    if not isinstance(table, dict) or "status" not in table:
        raise _wrong(path, name, "expect.status is missing", "expect = { status = 200 }")
    unknown = sorted(set(table) - _EXPECT_KEYS)
    if unknown:
        raise _wrong(path, name, f"unknown key expect.{unknown[0]}", f"keys: {', '.join(sorted(_EXPECT_KEYS))}")
    return Expectation(
        status=tuple(_listed(table["status"])),
        fields=table.get("fields", {}),
        absent=tuple(_listed(table.get("absent", []))),
        headers=table.get("headers", {}),
        content_type=table.get("content_type", ""),
        text=tuple(_listed(table.get("text", []))),
        no_text=tuple(_listed(table.get("no_text", []))),
    )


def _letter(table: Toml, path: Path, name: str) -> Letter | None:
    if table is None:
        return None
    if not isinstance(table, dict) or set(table) != _LETTER_KEYS:
        raise _wrong(path, name, "letter has other keys", f"all of {', '.join(sorted(_LETTER_KEYS))}")
    return Letter(**{key: str(value) for key, value in table.items()})


def _fresh(value: object, name: str) -> str:
    return name if value is True else str(value or "")


def _listed(value: Toml) -> Sequence[Toml]:
    return value if isinstance(value, list) else [value]


def _tables(value: Toml) -> Sequence[Mapping[str, Toml]]:
    return _listed(value)


def _wrong(path: Path, row: str, what: str, fix: str) -> UsageError:
    return UsageError(f"row {row!r}: {what}", where=str(path), fix=fix)
