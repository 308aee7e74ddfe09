"""The folder of environments: build one from wheels, read what is there, check it."""

import compileall
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from skriptoteket.adapters.environments.wheels import (
    EnvironmentProblem,
    changed_files,
    compiled_files,
    lock_digest,
    read_lock,
    take_wheel,
    unpack,
)
from skriptoteket.core.governance.environments.models import NAME, BuiltEnvironment

_MANIFEST = "environment.json"
_BY_HAND = "was not made by `skriptoteket environment build`, so nobody knows what is in it"


def build_environment(folder: Path, name: str, lock: Path, wheels: Path) -> BuiltEnvironment:
    """Make ``name@revision`` anew from a lock and a folder of wheels, offline; it replaces the former one at once.

    Blocks.

    Raises:
        EnvironmentProblem: name, lock or wheels are not what they must be; the former one stays.
    """
    if NAME.fullmatch(name) is None:
        raise EnvironmentProblem(f"{name!r} is no name of an environment: lower-case name@revision, as standard@1")
    text = lock.read_text(encoding="utf-8")
    pinned = read_lock(text)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as place:
        draft = Path(place) / "draft"
        draft.mkdir()
        for wheel in [take_wheel(wheels, one, Path(place)) for one in pinned]:
            unpack(wheel, draft)
            wheel.unlink()
        built = BuiltEnvironment(name, lock_digest(text), tuple(sorted(f"{one.name} {one.version}" for one in pinned)))
        # Nobody can write there later: what is not compiled now is compiled at every start.
        compileall.compile_dir(draft, quiet=2, stripdir=str(draft), prependdir="/environment")
        manifest = {
            "name": name,
            "digest": built.digest,
            "packages": list(built.packages),
            "python": _python(),
            "compiled": compiled_files(draft),
        }
        (draft / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        _open_to_all(draft)
        if (folder / name).exists():
            (folder / name).rename(Path(place) / "former")
        draft.rename(folder / name)
    return built


def built_environments(folder: Path | None, names: Sequence[str]) -> tuple[BuiltEnvironment, ...]:
    """Every environment that versions may choose, as it lies in the folder. Blocks."""
    return tuple(_built(folder, name) for name in names)


def verify_environment(folder: Path, name: str) -> list[str]:
    """What is not as it was built; empty when everything is. Blocks."""
    built = _built(folder, name)
    if built.problem:
        return [built.problem]
    return changed_files(folder / name, _compiled(folder / name)) if built.digest else [f"{folder / name} is not there"]


def packages_of(folder: Path | None, name: str) -> Path | None:
    """Where an environment's packages lie, ``None`` where it has none."""
    path = None if folder is None else folder / name
    return path if path is not None and path.is_dir() else None


def _built(folder: Path | None, name: str) -> BuiltEnvironment:
    path = packages_of(folder, name)
    if path is None:
        return BuiltEnvironment(name)
    try:
        told = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        built = BuiltEnvironment(name, str(told["digest"]), tuple(map(str, told["packages"])))
        if told["python"] != _python():
            return BuiltEnvironment(
                name, built.digest, built.packages, f"was built for {told['python']}; build it again"
            )
    except FileNotFoundError:
        return BuiltEnvironment(name, problem=_BY_HAND)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        return BuiltEnvironment(name, problem=f"its {_MANIFEST} cannot be read: {problem}")
    return built


def _compiled(path: Path) -> dict[str, str]:
    told = json.loads((path / _MANIFEST).read_text(encoding="utf-8")).get("compiled")
    return {str(name): str(digest) for name, digest in told.items()} if isinstance(told, dict) else {}


def _python() -> str:
    return f"{sys.implementation.cache_tag} {os.uname().machine}"


def _open_to_all(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        os.chmod(place, 0o755)  # noqa: S103 - scripts run as other users and must read it
        for file in files:
            os.chmod(os.path.join(place, file), 0o644)
