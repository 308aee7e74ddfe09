"""The files of the new package: what the template gives, and what moves into it under its new names."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from au_sys_python_factory.blueprint.naming import Names
from au_sys_python_factory.blueprint.package import RUNTIME_PACKAGE
from au_sys_python_factory.blueprint.rendering import TEMPLATES, formatted, render
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.inventory.names import Names as OldNames
from au_sys_python_factory.inventory.routes.composing import routes
from au_sys_python_factory.inventory.sources import read
from au_sys_python_factory.migration.codemods.endpoints import declared, with_import
from au_sys_python_factory.migration.codemods.folders import beside
from au_sys_python_factory.migration.codemods.imports import Spelling, rewritten
from au_sys_python_factory.migration.codemods.logs import told
from au_sys_python_factory.migration.codemods.parts import kept
from au_sys_python_factory.migration.codemods.values import Values
from au_sys_python_factory.migration.exchanges import recorded
from au_sys_python_factory.migration.model import Entry, Migration
from au_sys_python_factory.migration.needing import requirements
from au_sys_python_factory.migration.patches import patched
from au_sys_python_factory.workspace.members import Workspace

_KIND = "migrated"
_DOORS = {"adapters": "One folder per outside thing.", "core": "What needs no framework."}


@dataclass(frozen=True)
class Made:
    """The package's files by path inside it; ``opened`` are routes that everybody may call, as before."""

    files: Mapping[str, str]
    opened: tuple[str, ...]
    moved_lines: int
    patched_lines: int


def make(migration: Migration, names: Names, where: Path, workspace: Workspace, plan_folder: Path) -> Made:
    """Everything that ``migrate apply`` puts into the package's folder.

    Raises:
        Refused: a module that moves cannot be parsed, or a patch does not fit.
    """
    sources = read(where)
    code = {file.relative: file for file in sources.files}
    old = OldNames(sources.files)
    spelling = _spelling(migration, names, old)
    product = tuple(file for file in sources.files if file.area == "source")
    answered = routes(OldNames(product), product)
    manifests = {entry.module for entry in migration.moved if entry.target.startswith("manifest/")}
    values_of = Values(OldNames(product), product, manifests)
    endpoints = {route.endpoint.name for route in answered}
    texts: dict[str, str] = {}
    for entry in migration.moved:
        text = _moved(entry, code, spelling, endpoints, values_of)
        text, folders = beside(text, where)
        texts[_place(entry, names)] = text
        for name, folder in folders.items():
            texts.update(_copied(folder, f"{PurePosixPath(_place(entry, names)).parent}/{name}"))
    values = _values(migration, names, spelling, workspace, texts, sorted({route.path for route in answered}))
    values["rows"] = _rows(plan_folder)
    given = render(TEMPLATES / _KIND / "v1", values, {"package": names.package, "capability": names.capability})
    if not any("core.chosen" in text for text in texts.values()):
        given = {path: text for path, text in given.items() if not path.endswith("core/chosen.py")}
    if not values["rows"]:
        given = {path: text for path, text in given.items() if "/gauntlet/" not in path}
    whole = {**given, **texts}
    whole.update(_packages(whole, names))
    files, lines = patched(formatted(whole, [names.package, RUNTIME_PACKAGE]), plan_folder / "patches")
    size = sum(len(code[entry.path].lines) for entry in migration.moved)
    return Made(files, tuple(f"{','.join(item.methods)} {item.path}" for item in answered), size, lines)


def _place(entry: Entry, names: Names) -> str:
    return entry.target if entry.target.startswith("tests/") else f"src/{names.package}/{entry.target}"


def _spelling(migration: Migration, names: Names, old: OldNames) -> Spelling:
    targets = {
        entry.module: ".".join([names.package, *PurePosixPath(entry.target).with_suffix("").parts])
        for entry in migration.moved
        if not entry.target.startswith("tests/")
    }

    def leads_to(dotted: str) -> tuple[str, str]:
        found = old.canonical(dotted)
        return found.module, found.inner

    with_prefix = {f"src.{module}": target for module, target in targets.items() if not module.startswith("src.")}
    return Spelling({**with_prefix, **targets}, leads_to)


def _copied(folder: Path, place: str) -> dict[str, str]:
    """The text files below a folder."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {f"{place}/{path.relative_to(folder).as_posix()}": path.read_text(encoding="utf-8") for path in found}


def _moved(
    entry: Entry, code: Mapping[str, SourceFile], spelling: Spelling, endpoints: set[str], values: Values
) -> str:
    """One module after all its codemods."""
    file = code.get(entry.path)
    if file is None:
        raise Refused("the module is not there, or cannot be parsed.", where=entry.path, fix="correct the plan.")
    in_tests = entry.target.startswith("tests/")
    late = values.made_late(file) if "globals" in entry.codemods and not in_tests else file.text
    text = kept(late, entry.drop, entry.module)
    if late != file.text:
        package = spelling.of(entry.module) or ""
        text = with_import(text, {"cache"}, "functools")
        text = with_import(text, {"blocking"}) if "blocking(" in text else text
        text = with_import(text, {"chosen"}, f"{package.split('.')[0]}.core.chosen")
    if "imports" in entry.codemods:
        text = rewritten(text, file.module, file.is_package, spelling)
    own = {name.removeprefix(f"{file.module}.") for name in endpoints if name.startswith(f"{file.module}.")}
    if not in_tests:
        text = declared(text, own, codemods=entry.codemods)
        text = told(text) if "logging" in entry.codemods else text
    ast.parse(text)
    return text


def _values(
    migration: Migration, names: Names, spelling: Spelling, workspace: Workspace, texts: Mapping[str, str],
    paths: Sequence[str],
) -> dict[str, object]:  # fmt: skip
    """Every name that the templates use."""
    application = migration.application
    module = spelling.of(application.module) or application.module
    settings = [
        {
            **{name: getattr(item, name) for name in ("name", "type", "default", "description", "variable")},
            "env": item.variable or f"{names.prefix}{item.name.upper()}",
            "shown": item.default.strip("\"'"),
        }
        for item in migration.settings
    ]
    return {
        "names": names,
        "summary": f"Answers what {migration.source.replace('_', '-')} answered.",
        "source": migration.source,
        "errors": migration.errors,
        "dependencies": requirements(migration, names, workspace, texts),
        "settings": settings,
        "chosen": [item for item in settings if item["variable"]]
        if any("core.chosen" in text for text in texts.values())
        else [],
        "routes": list(paths),
        "moved": [(entry.path, entry.target) for entry in migration.moved],
        "application_module": module,
        "application_name": application.make.split("(")[0],
        "application_make": application.make,
        "leave": list(application.leave),
    }


def _packages(whole: Mapping[str, str], names: Names) -> dict[str, str]:
    """An ``__init__.py`` for each folder of code that has none."""
    made: dict[str, str] = {}
    for path in whole:
        inner = PurePosixPath(path)
        for folder in inner.parents:
            door = f"{folder}/__init__.py"
            if inner.suffix == ".py" and path.startswith("src/") and len(folder.parts) > 2 and door not in whole:
                said = _DOORS.get(folder.name, f"Moved code: {folder.name}.")
                made[door] = f'"""{said}"""\n'
    return made


def _rows(plan_folder: Path) -> list[dict[str, object]]:
    """Plain requests of the recording, one for each path."""
    plain = {item.path: item.status for item in recorded(plan_folder) if item.method == "GET" and not item.headers}
    return [{"path": path, "status": status} for path, status in sorted(plain.items())]
