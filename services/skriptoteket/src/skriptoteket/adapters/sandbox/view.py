"""What a script may read of the host: the interpreter with its libraries, the entry code, nothing else."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_SHARED_DATA = ("/usr/share/zoneinfo", "/usr/lib/locale/C.utf8")
RUNNER_AT = "/runner"
ENVIRONMENT_AT = "/environment"


@dataclass(frozen=True, slots=True)
class ReadOnlyBind:
    """A file or folder of the host, and where the script sees it."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class InterpreterView:
    """An interpreter as a script sees it: its program, the binds that make it run, links to make, folders to cover."""

    program: str
    binds: tuple[ReadOnlyBind, ...]
    links: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]


def runner_folder() -> Path:
    """The folder of entry code and toolkit: package data in a wheel, ``runner/`` beside ``src/`` in a checkout.

    Raises:
        FileNotFoundError: the installation is broken.
    """
    package = Path(__file__).parents[2]
    for folder in (package / "runner", package.parents[1] / "runner"):
        if (folder / "entrypoint.py").is_file():
            return folder
    raise FileNotFoundError(f"{package}/runner/entrypoint.py is missing. Install the skriptoteket wheel again.")


@cache
def interpreter_view(packages: Path | None = None) -> InterpreterView:
    """The view of the interpreter that runs this process, found through its real prefix (pyenv, uv, Debian alike).

    ``packages`` is the folder of an environment's packages, which scripts may import.
    """
    program = os.path.realpath(sys.executable)
    prefix = Path(program).parents[1]
    standard = {str(prefix / folder / _python_folder()) for folder in ("lib", sys.platlibdir)}
    libraries, links = _system_libraries()
    paths = {program, *standard, *_own_library(prefix), *libraries, *_SHARED_DATA}
    shown = tuple(ReadOnlyBind(path, path) for path in _outermost({path for path in paths if os.path.exists(path)}))
    own = () if packages is None else (ReadOnlyBind(str(packages), ENVIRONMENT_AT),)
    others = tuple(str(Path(folder, "site-packages")) for folder in standard)
    return InterpreterView(
        program=program,
        binds=(*shown, ReadOnlyBind(str(runner_folder()), RUNNER_AT), *own),
        links=links,
        hidden=tuple(folder for folder in others if os.path.isdir(folder)),
    )


def _python_folder() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _own_library(prefix: Path) -> Iterator[str]:
    name = str(sysconfig.get_config_var("INSTSONAME") or "")
    shared = prefix / "lib" / name
    if ".so" in name and shared.is_file():
        yield str(shared)


def _system_libraries() -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    # Debian keeps shared libraries in one folder per architecture; elsewhere the whole library folder is needed.
    folders: list[str] = []
    links: list[tuple[str, str]] = []
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    for place in _SYSTEM_LIBRARIES:
        if os.path.islink(place):
            links.append((os.readlink(place), place))
        elif os.path.isdir(os.path.join(place, multiarch)):
            folders.append(os.path.join(place, multiarch))
        elif os.path.isdir(place):
            folders.append(place)
    return tuple(folders), tuple(links)


def _outermost(paths: set[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(paths):
        if not any(path == outer or path.startswith(outer + "/") for outer in kept):
            kept.append(path)
    return kept
