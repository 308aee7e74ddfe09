"""The environment of the shell's processes: defaults from the example file, secrets made once, the caller's own.

``config/shell.env.example`` decides everything: ``NAME=value`` is a default, ``NAME=<random>`` a secret that is made at
the first start, ``# NAME=value`` only documents a variable. ``{state}``, ``{config}``, ``{url}``, ``{host}`` and
``{port}`` stand for what is known at the start.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.shell.supervision.state import StateFolder, url_of, write_private

EXAMPLE = "shell.env.example"
OVERRIDES = "shell.env"
"""The owner's own file in the state folder; the same form, and it wins over the example."""
RANDOM = "<random>"
_LINE = re.compile(r"^(?P<off>#\s?)?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$")
_BENDING = frozenset(
    {
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONPYCACHEPREFIX",
        "PYTHONSAFEPATH",
        "VIRTUAL_ENV",
        "PYTHONWARNINGS",
    }
)
"""Variables of Python that would change what runs, or keep byte code from being used."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of an environment file."""

    name: str
    value: str
    active: bool


def read_variables(path: Path) -> tuple[Variable, ...]:
    """The variables of an environment file, the commented ones included.

    Raises:
        UsageError: a line is neither a comment nor ``NAME=value``.
    """
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        match = _LINE.match(line.strip())
        if match:
            found.append(Variable(match["name"], match["value"].strip().strip('"'), active=not match["off"]))
        elif line.strip() and not line.lstrip().startswith("#"):
            raise UsageError("neither a comment nor NAME=value", where=f"{path}:{number}", fix="correct the line")
    return tuple(found)


def process_environment(
    config: Path, state: StateFolder, *, host: str, port: int, caller: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for every process of the shell; secrets that are missing are made.

    Variables of the platform and its capabilities count only if the example file knows them: a stray one would stop the
    start.
    Those that the example fills with a placeholder belong to this shell, and the caller's value is not taken.
    """
    known = read_variables(config / EXAMPLE)
    surroundings = os.environ if caller is None else caller
    prefixes = tuple({f"{variable.name.partition('_')[0]}_" for variable in known})
    names = {variable.name for variable in known}
    inherited = {
        name: value
        for name, value in surroundings.items()
        if name not in _BENDING and not name.startswith("UV_") and (name in names or not name.startswith(prefixes))
    }
    places = {
        "state": str(state.root.resolve()),
        "config": str(own_copy(config, state)),
        "url": url_of(host, port),
        "host": host,
        "port": str(port),
    }
    result = dict(inherited)
    for variable in known:
        if variable.active and variable.value == RANDOM:
            result.setdefault(variable.name, secret(state, variable.name))
        elif variable.active and _fill(variable.value, places) != variable.value:
            result[variable.name] = _fill(variable.value, places)
        elif variable.active:
            result.setdefault(variable.name, variable.value)
    own = state.root / OVERRIDES
    if own.is_file():
        result.update({item.name: _fill(item.value, places) for item in read_variables(own) if item.active})
    return {**result, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def own_copy(config: Path, state: StateFolder) -> Path:
    """The platform's files in the state folder: what changes while the platform runs, flags first, is no source file.

    A file is taken over when it is newer than its copy, so that a changed flag stays until somebody edits its file.
    """
    folder = state.root.resolve() / "config"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in config.iterdir():
        copy = folder / path.name
        if (
            path.is_file()
            and not path.name.startswith(".")
            and (not copy.exists() or copy.stat().st_mtime < path.stat().st_mtime)
        ):
            write_private(copy, path.read_text("utf-8"))
    return folder


def secret_values(state: StateFolder) -> tuple[str, ...]:
    """Every secret of this shell, for masking."""
    if not state.secrets.is_dir():
        return ()
    return tuple(path.read_text("utf-8").strip() for path in sorted(state.secrets.iterdir()) if path.is_file())


def secret(state: StateFolder, name: str) -> str:
    """A secret of this shell by its name: 32 random bytes in base64, made when it is asked for the first time."""
    path = state.secrets / name
    if not path.is_file():
        write_private(path, base64.b64encode(secrets.token_bytes(32)).decode("ascii") + "\n")
    return path.read_text("utf-8").strip()


def _fill(value: str, places: Mapping[str, str]) -> str:
    for name, text in places.items():
        value = value.replace("{" + name + "}", text)
    return value
