"""Where each module goes: what its code says, lifted until no layer points upward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from au_sys_python_factory.checks.architecture.layers import FRAMEWORKS
from au_sys_python_factory.inventory.sources import Unreadable
from au_sys_python_factory.inventory.taking import Inventory, Module
from au_sys_python_factory.migration.model import LEFT, Entry, entry_of

_HEIGHT = {"core": 0, "adapters": 2, "manifest": 4}
_SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc", "base", "manager", "managers", "shared"}
_INSTEAD = {"db": "tables", "main": "container", "__main__": "container"}
_COMMANDS = {"cli", "setup"}


def placed(found: Inventory, scope: str) -> tuple[Entry, ...]:
    """One entry for each module below ``scope`` (everything where it is empty), by path."""
    asking = _asking(found, scope)
    own = [module for module in found.modules if inside(module.name, scope) or module.name in asking]
    code = {module.name: module for module in own if not module.tests}
    layers = _lifted(code, {name: _layer(module) for name, module in code.items()})
    top = scope or _common(code)
    entries: list[Entry] = []
    taken: set[str] = set()
    for module in own:
        entry = _test(module, top, as_package=bool(asking)) if module.tests else _code(module, layers[module.name], top)
        if entry.moves and entry.target in taken:
            risk = f"{entry.target} is taken by another module of that name"
            entry = entry_of(module.name, module.path, entry.target, 0.3, entry.evidence, risk)
        taken.add(entry.target)
        entries.append(_followed(entry, module))
    entries += [_unreadable(item) for item in found.unreadable]
    return tuple(sorted(entries, key=lambda entry: entry.path))


def _followed(entry: Entry, module: Module) -> Entry:
    """The same; a person looks where a module is imported by a name that is made while the code runs."""
    made = [item for item in module.imports if item.target.startswith("<")]
    if not made or not entry.moves:
        return entry
    risk = "; ".join(f"line {item.line} imports {item.target}: look whether what it names has moved" for item in made)
    return replace(entry, risk="; ".join(filter(None, (entry.risk, risk))), decide=True)


def _unreadable(item: Unreadable) -> Entry:
    name = ".".join(PurePosixPath(item.path).with_suffix("").parts)
    return Entry(name, item.path, LEFT, 0.0, risk=f"line {item.line} {item.why}: mend it, or leave it", decide=True)


def inside(name: str, scope: str) -> bool:
    """Whether a module lies in the scope; everything does where there is none."""
    return not scope or name == scope or name.startswith(f"{scope}.")


def _asking(found: Inventory, scope: str) -> set[str]:
    """Tests of what lies in the scope, those whose fixtures lead there, and what they stand on among the tests."""
    tests = {module.name: {item.target for item in module.imports} for module in found.modules if module.tests}
    leading = {name for name, targets in tests.items() if any(inside(target, scope) for target in targets)}
    more = leading if scope else set()
    while more:
        fixtures = {name.removesuffix("conftest") for name in more if name.endswith(".conftest")}
        more = {
            name
            for name in tests.keys() - leading
            if tests[name] & more or any(name.startswith(folder) for folder in fixtures)
        }
        leading |= more
    wanted, reached = list(leading if scope else ()), set[str]()
    while wanted:
        name = wanted.pop()
        if name not in reached and name in tests:
            reached.add(name)
            parts = name.split(".")
            above = [".".join(parts[:cut]) for cut in range(1, len(parts))]
            wanted += [*above, *(f"{folder}.conftest" for folder in above), *tests[name]]
    return reached


def _common(code: Iterable[str]) -> str:
    tops = {name.split(".")[0] for name in code}
    return tops.pop() if len(tops) == 1 else ""


def _layer(module: Module) -> str:
    places = set(module.places)
    foreign = {item.target.split(".")[0] for item in module.imports if item.kind != "internal" and not item.typing_only}
    if any(place.startswith("manifest/plugin") for place in places):
        return "manifest"
    outside = sorted(place for place in places if place.startswith("adapters/"))
    if "adapters/api" in outside or "adapters/web" in outside:
        return "adapters/web" if "adapters/web" in outside else "adapters/api"
    if outside:
        return outside[0]
    if foreign & {"fastapi", "starlette"}:
        return "adapters/api"
    if foreign & FRAMEWORKS or foreign & {"logging"} or "manifest/config.py" in places:
        return "adapters/outside"
    return "core"


def _lifted(code: Mapping[str, Module], layers: dict[str, str]) -> dict[str, str]:
    """The core imports no adapter, an adapter no manifest: who imports something higher goes up to it."""
    moved = True
    while moved:
        moved = False
        for name, module in sorted(code.items()):
            for item in module.imports:
                below = layers.get(item.target)
                if below is None or item.typing_only or item.target == name:
                    continue
                if _height(below) > _height(layers[name]):
                    layers[name] = "manifest" if below == "manifest" else "adapters/outside"
                    moved = True
    return layers


def _height(layer: str) -> int:
    return _HEIGHT[layer.split("/")[0]]


def _code(module: Module, layer: str, top: str) -> Entry:
    inner = module.name.removeprefix(f"{top}.") if module.name != top else ""
    parts = [part.lstrip("_") for part in inner.split(".") if part]
    stem = parts[-1] if parts else ""
    why = tuple(f"{item.line}: {item.why}" for item in module.evidence[:6])
    empty = not module.functions and not module.classes
    if PurePosixPath(module.path).name == "__init__.py" and empty and module.acts:
        risk = "it does something when it is imported: place it, or leave it if nobody needs that"
        return entry_of(module.name, module.path, LEFT, 0.5, why, risk)
    if PurePosixPath(module.path).name == "__init__.py" and empty:
        return entry_of(module.name, module.path, LEFT, 0.9, ("a door without code",), "")
    if stem in _COMMANDS and layer != "manifest":
        return entry_of(module.name, module.path, LEFT, 0.5, why, "a command line: the platform has its own")
    if layer == "manifest":
        risk = "" if stem in _INSTEAD else "settings and the application's making belong together: look at it"
        return entry_of(module.name, module.path, "manifest/container.py", 0.8 if stem in _INSTEAD else 0.5, why, risk)
    name = _INSTEAD.get(module.name.split(".")[-1], stem or "moved")
    certain = 0.9 if len(module.places) <= 1 else 0.7
    if name in _SAYS_NOTHING:
        return entry_of(module.name, module.path, f"{layer}/{name}.py", 0.4, why, f"{name} says nothing: name it")
    return entry_of(module.name, module.path, f"{layer}/{name}.py", certain, why, "")


def _test(module: Module, top: str, *, as_package: bool) -> Entry:
    path = PurePosixPath(module.path)
    if as_package:  # those that were picked out may import each other relatively
        kept = "/".join(["tests", *(part for part in path.parts if part not in ("tests", "src"))])
        return entry_of(module.name, module.path, kept, 0.9, ("it holds tests of what moves",), "")
    inner = [part for part in path.parts if part not in ("tests", "test", *top.split("."), "src")]
    if path.name == "__init__.py":
        return entry_of(module.name, module.path, LEFT, 0.9, ("tests need no package",), "")
    return entry_of(module.name, module.path, "/".join(["tests", *inner]), 0.9, ("it holds tests",), "")
