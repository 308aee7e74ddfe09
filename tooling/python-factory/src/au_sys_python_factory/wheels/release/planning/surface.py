"""How the public interface of a member differs from the one of its last tag.

Public is what a door exports: the package itself and its direct modules, as far as they have ``__all__``.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import griffe

from au_sys_python_factory.wheels.release.planning.history import unpack


@dataclass(frozen=True, slots=True)
class Difference:
    """What is gone or other for callers, and what is new."""

    breaks: tuple[str, ...] = ()
    additions: tuple[str, ...] = ()


def differences(root: Path, tag: str, folder: Path) -> Difference:
    """Compare the interface at the tag with the present one. Nothing is imported."""
    present = folder / "src"
    with tempfile.TemporaryDirectory(prefix="fsp-surface-") as place:
        if not present.is_dir() or not unpack(root, tag, present, Path(place)):
            return Difference()
        before = Path(place) / present.relative_to(root)
        breaks: list[str] = []
        additions: list[str] = []
        for package in sorted(path.name for path in before.iterdir() if (path / "__init__.py").is_file()):
            if not (present / package / "__init__.py").is_file():
                breaks.append(f"{package}: the package is gone")
                continue
            old, new = _load(before, package), _load(present, package)
            breaks += _breaks(old, new)
            additions += _additions(old, new)
    return Difference(tuple(breaks), tuple(additions))


def _load(source: Path, package: str) -> griffe.Module:
    logging.getLogger("griffe").setLevel(logging.ERROR)
    found = griffe.load(
        package,
        search_paths=[source],
        allow_inspection=False,
        resolve_aliases=True,
        resolve_implicit=True,
        resolve_external=False,
        store_source=False,
    )
    if not isinstance(found, griffe.Module):
        raise TypeError(f"{package} is no package")
    return found


def _doors(package: griffe.Module) -> dict[str, griffe.Module]:
    modules = [package, *package.modules.values()]
    return {
        module.path: module
        for module in modules
        if isinstance(module, griffe.Module) and module.exports is not None and not module.name.startswith("_")
    }


def _names(door: griffe.Module) -> list[str]:
    return sorted(str(name) for name in door.exports or [])


def _breaks(old: griffe.Module, new: griffe.Module) -> Iterator[str]:
    doors = _doors(new)
    for path, door in _doors(old).items():
        if path not in doors:
            yield f"{path}: the door is gone"
            continue
        gone = [name for name in _names(door) if name not in _names(doors[path])]
        yield from (f"{path}.{name}: no longer offered" for name in gone)
        yield from _of_both(door, doors[path])


def _of_both(old: griffe.Module, new: griffe.Module) -> Iterator[str]:
    """What is other in the names of both doors; modules of only these are compared: nothing else counts."""
    names = [name for name in _names(old) if name in _names(new) and name in old.members and name in new.members]
    for name in names:
        before, after = griffe.Module(old.name), griffe.Module(new.name)
        before.members[name], after.members[name] = old.members[name], new.members[name]
        try:
            for breakage in griffe.find_breaking_changes(before, after):
                detail = f": {breakage.details}" if breakage.details else ""
                yield f"{breakage.obj.path}{detail} ({breakage.kind.value.lower()})"
        except (griffe.AliasResolutionError, griffe.CyclicAliasError):
            continue


def _additions(old: griffe.Module, new: griffe.Module) -> Iterator[str]:
    before = _doors(old)
    for path, door in _doors(new).items():
        known = _names(before[path]) if path in before else []
        yield from (f"{path}.{name}" for name in _names(door) if name not in known)
