"""An application on a port of this host while a block runs: the old one as planned, the new one on a platform."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from au_sys_python_factory.blueprint.naming import Names
from au_sys_python_factory.errors import FactoryError, Missing
from au_sys_python_factory.migration.model import Migration

_PATIENCE = 180.0
_LOOK = 0.05
_OLD = """
import importlib, json, sys, types
import uvicorn
folder, module, make, values, port = sys.argv[1:]
sys.path[:0] = [folder, folder + "/src"]
settings = types.SimpleNamespace(**json.loads(values))
application = eval(make, {**vars(importlib.import_module(module)), "settings": settings})
uvicorn.run(application, host="127.0.0.1", port=int(port), log_level="warning")
"""
_NEW = """
import importlib, sys
import uvicorn
from fastapi_services_platform import PlatformSettings, create_app
source, module, plugin, folder, port = sys.argv[1:]
sys.path.insert(0, source)
capability = getattr(importlib.import_module(module), plugin)()
application = create_app(PlatformSettings(environment="test", data_dir=folder), capabilities=[capability])
uvicorn.run(application, host="127.0.0.1", port=int(port), log_level="warning")
"""


@contextlib.contextmanager
def old_application(where: Path, migration: Migration, python: str, values: Mapping[str, object]) -> Iterator[str]:
    """The old application under an interpreter that has what it needs; gives its base URL."""
    made = migration.application
    chosen = {item.name: _default(item.default) for item in migration.settings} | dict(values)
    with _running([python, "-c", _OLD, str(where), made.module, made.make, json.dumps(chosen)], where, {}) as base:
        yield base


@contextlib.contextmanager
def new_capability(
    package: Path, names: Names, migration: Migration, python: str, values: Mapping[str, object]
) -> Iterator[str]:
    """A platform that holds the new capability alone; gives its base URL."""
    known = {item.name: item.variable for item in migration.settings}
    environment = {
        known.get(name) or f"{names.prefix}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
    with TemporaryDirectory(prefix="python-factory-verify-") as data:
        command = [python, "-c", _NEW, str(package / "src"), f"{names.package}.manifest.plugin", names.plugin, data]
        with _running(command, Path(data), environment) as base:
            yield base


def _default(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


@contextlib.contextmanager
def _running(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    with TemporaryDirectory(prefix="python-factory-log-") as place:
        log = Path(place) / "log"
        with log.open("wb") as output:
            # Nothing is left in the trees that are looked at: no compiled files either.
            whole = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **environment}
            process = subprocess.Popen(  # noqa: S603 - our own program under the interpreter that was named
                [*command, str(port)], cwd=folder, env=whole, stdout=output, stderr=output
            )
        try:
            _await(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.head(f"http://127.0.0.1:{port}/", timeout=_PATIENCE)
            return
        time.sleep(_LOOK)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise FactoryError(
        f"the application did not start: {' / '.join(said[-2:]) or 'it said nothing'}",
        fix="look at what it needs: its interpreter (--python), its settings (--set).",
    )


def interpreter(named: str) -> str:
    """The interpreter that was named, else the one that runs the factory.

    Raises:
        Missing: there is none of that name.
    """
    found = shutil.which(named) if named else sys.executable
    if not found:
        raise Missing(f"there is no interpreter {named}.", fix="name one with --python, for example .venv/bin/python.")
    return os.path.abspath(found)
