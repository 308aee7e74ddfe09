"""Find capabilities through the entry points of installed wheels."""

import inspect
import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from time import perf_counter
from types import TracebackType

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from fastapi_services_platform.capability.manifest import Capability, Manifest
from fastapi_services_platform.capability.reading import read_manifest
from fastapi_services_platform.errors import (
    CapabilityError,
    CapabilityImportError,
    DuplicateCapability,
    NotACapability,
    RuntimeBoundsNotMet,
)

GROUP = "au_sys_plugins"
HUB = "hub"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FRAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What an entry point (or a caller of ``create_app``) offers: a capability, or the error that it is instead.

    ``manifest`` is there for a broken one too, where its source tells it; ``seconds`` is what its import took.
    """

    name: str
    target: str
    distribution: str
    capability: Capability | None
    error: CapabilityError | None = None
    manifest: Manifest | None = None
    seconds: float = 0.0


def discover(runtime_version: str) -> list[Found]:
    """Every capability of the environment, by name; a fault becomes the ``error`` of its entry and does not raise."""
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return _refuse_duplicates([_load(point, runtime_version) for point in points])


def adopt(capabilities: Sequence[Capability], runtime_version: str) -> list[Found]:
    """The same for capabilities that are given as objects; the hub is added when it is not among them."""
    found = [_check(_target(item), "", item, runtime_version, None) for item in capabilities]
    if HUB not in {entry.name for entry in found}:
        points = entry_points(group=GROUP, name=HUB)
        found += [
            _load(point, runtime_version) for point in points if point.value.startswith("fastapi_services_platform.")
        ]
    return _refuse_duplicates(found)


def frames_of(error: BaseException) -> list[str]:
    """The innermost stack frames outside the runtime and outside Python, as ``file:line in function``."""
    return _frames(error.__traceback__)


def _frames(trace: TracebackType | None) -> list[str]:
    own = str(Path(__file__).parent.parent)
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith((own, "<")) and "importlib" not in frame.filename
    ]
    return frames[-_FRAMES_SHOWN:]


def _load(point: EntryPoint, runtime_version: str) -> Found:
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist is not None else ""
    begun = perf_counter()
    try:
        loaded = point.load()
        item = loaded() if isinstance(loaded, type) else loaded
    except Exception as error:
        failure = CapabilityImportError(point.name, point.value, error, frames_of(error))
        return Found(point.name, point.value, distribution, None, failure, read_manifest(point))
    checked = _check(point.value, distribution, item, runtime_version, point.name)
    return replace(checked, seconds=perf_counter() - begun)


def _check(target: str, distribution: str, item: Capability, runtime_version: str, expected: str | None) -> Found:
    manifest: object = getattr(item, "manifest", None)
    name = expected or (manifest.name if isinstance(manifest, Manifest) else target)
    error: CapabilityError | None = None
    if not isinstance(manifest, Manifest):
        error = NotACapability(name, target, "it has no `manifest` of type Manifest.")
    elif not _are_coroutines(item):
        error = NotACapability(
            name, target, "initialize, startup and shutdown are coroutine methods, where it has them."
        )
    elif expected is not None and manifest.name != expected:
        error = NotACapability(name, target, f"its manifest is named {manifest.name!r}, its entry point {expected!r}.")
    elif _NAME.fullmatch(manifest.name) is None:
        error = NotACapability(name, target, f"the name {manifest.name!r} is not lower-case letters, digits and _.")
    else:
        error = _check_bounds(manifest, target, runtime_version)
    known = manifest if isinstance(manifest, Manifest) else None
    return Found(name, target, distribution, None if error else item, error, known)


def _are_coroutines(item: object) -> bool:
    hooks = (getattr(item, name, None) for name in ("initialize", "startup", "shutdown"))
    return all(hook is None or inspect.iscoroutinefunction(hook) for hook in hooks)


def _check_bounds(manifest: Manifest, target: str, runtime_version: str) -> CapabilityError | None:
    try:
        bounds = SpecifierSet(manifest.runtime)
    except InvalidSpecifier:
        return NotACapability(manifest.name, target, f"runtime={manifest.runtime!r} is not a version specifier.")
    if not bounds.contains(runtime_version, prereleases=True):
        return RuntimeBoundsNotMet(manifest.name, manifest.runtime, runtime_version)
    return None


def _refuse_duplicates(found: list[Found]) -> list[Found]:
    by_name: dict[str, list[Found]] = {}
    for entry in found:
        by_name.setdefault(entry.name, []).append(entry)
    unique: list[Found] = []
    for name, entries in by_name.items():
        if len(entries) == 1:
            unique.append(entries[0])
        else:
            error = DuplicateCapability(name, [entry.target for entry in entries])
            unique.append(Found(name, entries[0].target, entries[0].distribution, None, error))
    return unique


def _target(item: object) -> str:
    kind = type(item)
    return f"{kind.__module__}:{kind.__qualname__}"
