"""The files of the new package: what the template gives, and what moves into it under its new names."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from au_sys_python_factory.blueprint.naming import Names
from au_sys_python_factory.blueprint.package import RUNTIME_PACKAGE
from au_sys_python_factory.blueprint.rendering import TEMPLATES, formatted, render
from au_sys_python_factory.checks.manifest.offers import settings, variable
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.inventory.names import Names as OldNames
from au_sys_python_factory.inventory.routes.composing import routes
from au_sys_python_factory.inventory.sources import read
from au_sys_python_factory.migration.codemods.debts import settled, source
from au_sys_python_factory.migration.codemods.endpoints import declared, with_import
from au_sys_python_factory.migration.codemods.engines import pinging
from au_sys_python_factory.migration.codemods.folders import beside, companions
from au_sys_python_factory.migration.codemods.imports import Spelling, rewritten
from au_sys_python_factory.migration.codemods.logs import loggers, makers, told
from au_sys_python_factory.migration.codemods.parts import apart, kept
from au_sys_python_factory.migration.codemods.stars import expanded
from au_sys_python_factory.migration.codemods.values import Values
from au_sys_python_factory.migration.exchanges import played_rows, recorded
from au_sys_python_factory.migration.model import Entry, Migration
from au_sys_python_factory.migration.needing import requirements
from au_sys_python_factory.migration.patches import patched
from au_sys_python_factory.workspace.members import Workspace

_KIND = "migrated"
_DOORS = {"adapters": "One folder per outside thing.", "core": "What needs no framework."}


@dataclass(frozen=True)
class Made:
    """The package's files by path inside it; ``opened`` are routes that everybody may call, as before; ``inherited``
    counts the untyped places that gave no reason."""

    files: Mapping[str, str]
    opened: tuple[str, ...]
    moved_lines: int
    patched_lines: int
    inherited: int


@dataclass(frozen=True)
class _Old:
    """What is known of the old application while its modules are rewritten."""

    names: OldNames
    spelling: Spelling
    endpoints: set[str]
    values: Values
    makers: frozenset[str]
    pieces: Mapping[str, set[str]]


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
    pieces: dict[str, set[str]] = {}
    for entry in migration.moved:
        pieces.setdefault(entry.module, set()).update(entry.only)
    known = _Old(old, spelling, {route.endpoint.name for route in answered}, values_of, makers(product), pieces)
    texts: dict[str, str] = {}
    inherited = 0
    for entry in migration.moved:
        text = _moved(entry, code, known)
        text, folders = beside(text, where)
        text, number = settled(text, entry.module, "tests" if entry.in_tests else "source")
        inherited += number
        texts[_place(entry, names)] = text
        place = PurePosixPath(_place(entry, names)).parent
        for name, folder in folders.items():
            texts.update(_copied(folder, f"{place}/{name}"))
        for name, path in companions(text, (where / entry.path).parent, everything=entry.in_tests).items():
            texts[f"{place}/{name}"] = path.read_text(encoding="utf-8")
    values = _values(migration, names, spelling, workspace, texts, sorted({route.path for route in answered}))
    values["rows"] = played_rows(recorded(plan_folder))
    given = render(TEMPLATES / _KIND / "v1", values, {"package": names.package, "capability": names.capability})
    if not any("core.chosen" in text for text in texts.values()):
        given = {path: text for path, text in given.items() if not path.endswith("core/chosen.py")}
    if not values["rows"]:
        given = {path: text for path, text in given.items() if "/gauntlet/" not in path}
    whole = {**given, **texts}
    whole.update(_packages(whole, names))
    files, lines = patched(formatted(whole, [names.package, RUNTIME_PACKAGE]), plan_folder / "patches")
    size = sum(len(code[path].lines) for path in {entry.path for entry in migration.moved})
    opened = tuple(f"{','.join(item.methods)} {item.path}" for item in answered)
    return Made(files, opened, size, lines, inherited)


def _place(entry: Entry, names: Names) -> str:
    return entry.target if entry.in_tests else f"src/{names.package}/{entry.target}"


def _spelling(migration: Migration, names: Names, old: OldNames) -> Spelling:
    targets: dict[str, str] = {}
    for entry in migration.moved:
        if not entry.in_tests:
            new = ".".join([names.package, *PurePosixPath(entry.target).with_suffix("").parts])
            targets.update({f"{entry.module}.{name}": f"{new}.{name}" for name in entry.only} or {entry.module: new})

    def leads_to(dotted: str) -> tuple[str, str]:
        found = old.canonical(dotted)
        return found.module, found.inner

    with_prefix = {f"src.{module}": target for module, target in targets.items() if not module.startswith("src.")}
    return Spelling({**with_prefix, **targets}, leads_to)


def _copied(folder: Path, place: str) -> dict[str, str]:
    """The text files below a folder."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {f"{place}/{path.relative_to(folder).as_posix()}": path.read_text(encoding="utf-8") for path in found}


def _moved(entry: Entry, code: Mapping[str, SourceFile], known: _Old) -> str:
    """One module, or one part of it, after all its codemods."""
    file = code.get(entry.path)
    if file is None:
        raise Refused("the module is not there, or cannot be parsed.", where=entry.path, fix="correct the plan.")
    late = known.values.made_late(file) if "globals" in entry.codemods and not entry.in_tests else file.text
    text = kept(late, entry.drop, entry.module)
    text = expanded(text, file, known.names) if "imports" in entry.codemods else text
    elsewhere = known.pieces[entry.module]
    text = apart(text, entry.only, elsewhere, entry.module) if elsewhere else text
    if late != file.text:
        package = known.spelling.of(entry.module) or ""
        text = with_import(text, {"cache"}, "functools")
        text = with_import(text, {"blocking"}) if "blocking(" in text else text
        text = with_import(text, {"chosen"}, f"{package.split('.')[0]}.core.chosen")
    if "imports" in entry.codemods:
        text = rewritten(text, file.module, file.is_package, known.spelling)
    own = {name.removeprefix(f"{file.module}.") for name in known.endpoints if name.startswith(f"{file.module}.")}
    if not entry.in_tests:
        text = declared(text, own, codemods=entry.codemods)
        if "logging" in entry.codemods:
            text = told(text, loggers(file, known.names, known.makers))
        text = pinging(text) if "async" in entry.codemods else text
    ast.parse(text)
    return text


def _values(
    migration: Migration, names: Names, spelling: Spelling, workspace: Workspace, texts: Mapping[str, str],
    paths: Sequence[str],
) -> dict[str, object]:  # fmt: skip
    """Every name that the templates use."""
    application = migration.application
    module = spelling.of(application.module) or application.module
    chosen = [
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
        "settings": chosen,
        "kept_settings": list(_kept_settings(texts, names)),
        "chosen": [item for item in chosen if item["variable"]]
        if any("core.chosen" in text for text in texts.values())
        else [],
        "routes": list(paths),
        "moved": [(entry.path, entry.target) for entry in migration.moved],
        "application_module": module,
        "application_name": application.make.split("(")[0],
        "application_make": application.make,
        "paths": {"leave": list(application.leave), "also": list(application.also)},
    }


def _kept_settings(texts: Mapping[str, str], names: Names) -> Iterator[tuple[str, str, str]]:
    """Variable, default and place of every field of the settings classes that move as they were."""
    for path, text in sorted(texts.items()):
        if path.startswith(f"src/{names.package}/") and path.endswith(".py") and "BaseSettings" in text:
            for owner, prefix, fields in settings(source(text, path)):
                for field in fields:
                    plain = isinstance(field.value, ast.Constant) and field.value.value is not None
                    default = str(ast.literal_eval(field.value)) if plain and field.value else ""
                    yield variable(field, prefix), default, f"{owner.name}.{ast.unparse(field.target)}"


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
