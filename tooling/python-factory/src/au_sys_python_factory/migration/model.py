"""A plan as people edit it: ``migration.toml``, one entry for each module of the old application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import tomlkit

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.workspace.tables import Table, read_table, strings, table

FILE = "migration.toml"
CODEMODS = ("imports", "access", "async", "logging", "globals")
LEFT = "left behind"
"""The target of a module that the capability does not need."""

_SURE = 0.6


@dataclass(frozen=True, slots=True)
class Entry:
    """One module, or the top-level names of one that ``only`` lists. ``target`` is a path below the new import package,
    ``tests/…``, or ``left behind``; ``drop`` names what stays behind of it."""

    module: str
    path: str
    target: str
    confidence: float
    evidence: tuple[str, ...] = ()
    codemods: tuple[str, ...] = CODEMODS
    drop: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    risk: str = ""
    decide: bool = False

    @property
    def moves(self) -> bool:
        """Whether anything of it is kept."""
        return self.target != LEFT

    @property
    def in_tests(self) -> bool:
        """Whether it is a test, or something that tests stand on."""
        return self.target.startswith("tests/")


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the new settings class. ``variable`` is the old environment variable where there was one."""

    name: str
    type: str
    default: str
    description: str
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """How the old application object comes to be: an attribute, or a call in terms of ``settings``. ``leave``: paths
    that are the platform's own; ``also``: paths without a route that its middleware answers all the same."""

    module: str
    make: str
    leave: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Migration:
    """The whole plan. ``errors``: ``kept`` answers as before, ``problem`` as the platform does."""

    name: str
    source: str
    scope: str
    errors: str
    until: str
    application: Application
    dependencies: tuple[str, ...]
    settings: tuple[Setting, ...]
    entries: tuple[Entry, ...]

    @property
    def moved(self) -> tuple[Entry, ...]:
        """The entries whose modules move."""
        return tuple(entry for entry in self.entries if entry.moves)

    def to_decide(self) -> list[str]:
        """What a person has to decide before anything is applied."""
        return [f"{entry.path} → {entry.target}: {entry.risk}" for entry in self.entries if entry.decide]


def entry_of(module: str, path: str, target: str, confidence: float, evidence: tuple[str, ...], risk: str) -> Entry:
    """An entry; below a confidence of 0.6 a person decides."""
    return Entry(module, path, target, confidence, evidence, risk=risk, decide=confidence < _SURE)


def written(migration: Migration) -> str:
    """The plan as TOML."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Meant to be edited. What says `decide = true` waits for you: correct it, remove it."))
    document["name"] = migration.name
    document["source"] = migration.source
    document["scope"] = migration.scope
    document["errors"] = migration.errors
    document["until"] = migration.until
    document["dependencies"] = list(migration.dependencies)
    application = migration.application
    document["application"] = {**asdict(application), "leave": list(application.leave), "also": list(application.also)}
    document["setting"] = _tables(asdict(item) for item in migration.settings)
    document["module"] = _tables(_entry_table(entry) for entry in migration.entries)
    return tomlkit.dumps(document)


def _tables(items: object) -> tomlkit.items.AoT:
    found = tomlkit.aot()
    for item in items if hasattr(items, "__iter__") else ():
        row = tomlkit.table()
        row.update(item)
        found.append(row)
    return found


def _entry_table(entry: Entry) -> dict[str, object]:
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(entry).items()}
    if entry.codemods == CODEMODS:
        del found["codemods"]
    return {name: value for name, value in found.items() if value not in ([], "", False)}


def read_migration(path: Path) -> Migration:
    """A plan from its file.

    Raises:
        UsageError: a key is missing or unknown; all of them are named.
        Refused: the file is no TOML.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise UsageError("there is no such plan.", where=str(path), fix="make one: python-factory migrate plan PATH")
    found = read_table(file)
    wanted = {"name", "source", "scope", "errors", "until", "dependencies", "application", "setting", "module"}
    wrong = sorted(wanted - {"setting"} - set(found)) + sorted(set(found) - wanted)
    if wrong or found["errors"] not in ("kept", "problem"):
        raise UsageError(
            f"missing, unknown or wrong: {', '.join(wrong) or 'errors'}.",
            where=str(file),
            fix="compare it with a new plan: python-factory migrate plan PATH --as NAME",
        )
    application = table(found, "application")
    return Migration(
        str(found["name"]), str(found["source"]), str(found["scope"]), str(found["errors"]), str(found["until"]),
        Application(
            str(application.get("module", "")), str(application.get("make", "")),
            tuple(strings(application.get("leave"))), tuple(strings(application.get("also"))),
        ),
        tuple(strings(found["dependencies"])),
        tuple(_setting(item) for item in _rows(found, "setting")),
        tuple(_entry(item) for item in _rows(found, "module")),
    )  # fmt: skip


def _rows(found: Table, key: str) -> list[Table]:
    rows = found.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _setting(row: Mapping[str, object]) -> Setting:
    return Setting(
        *(str(row.get(name, "")) for name in ("name", "type", "default", "description", "variable")),
    )


def _entry(row: Mapping[str, object]) -> Entry:
    return Entry(
        str(row.get("module", "")), str(row.get("path", "")), str(row.get("target", LEFT)),
        float(str(row.get("confidence", 1.0))), tuple(strings(row.get("evidence"))),
        tuple(strings(row.get("codemods", list(CODEMODS)))), tuple(strings(row.get("drop"))),
        tuple(strings(row.get("only"))), str(row.get("risk", "")), bool(row.get("decide", False)),
    )  # fmt: skip
