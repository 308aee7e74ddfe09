"""Compare what runs with what was built: files with wheels, packages with the lock, answers with what is declared."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.shell.assembly.configuration import process_environment
from au_sys_python_factory.shell.assembly.installed_commands import call
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.services.chosen import KNOWN, extras_of
from au_sys_python_factory.shell.supervision.readiness import Json, fetch_json
from au_sys_python_factory.shell.supervision.state import ShellRecord, StateFolder, read_record
from au_sys_python_factory.wheels.environment import export_lock

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)")
_MADE_HERE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
_OK = 200
Installed = dict[str, Distribution]
Wheels = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared, and what differs; nothing differs: the shell is what was built."""

    compared: tuple[tuple[str, int], ...]
    differences: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The last line."""
        counts = ", ".join(f"{number} {what}" for what, number in self.compared)
        found = f"{len(self.differences)} differ" if self.differences else "all as declared"
        return f"{counts}: {found}"


def verify(platform: PlatformFolder, state: StateFolder) -> Verified:
    """Everything that can be told apart from outside. Changes nothing.

    Raises:
        Refused: nothing runs here.
    """
    record = read_record(state)
    if record is None or not record.alive:
        raise Refused("nothing runs here", where=str(state.root), fix="start the shell first")
    wheels: Wheels = json.loads(state.manifest.read_text("utf-8"))["wheels"]
    installed: Installed = {canonicalize_name(found.name): found for found in _installed(state)}
    environment = process_environment(platform.config, state, host=record.host, port=record.port)
    if state.addresses.is_file():
        environment |= json.loads(state.addresses.read_text("utf-8"))
    files = list(_wheel_files(platform, state, wheels, installed))
    services = [item.name for item in record.processes if item.name in KNOWN]
    packages = list(_packages(platform, wheels, installed, extras_of(services)))
    declared: Json = json.loads(call(state, environment, "fsp", "list", "--json", doing="reading what is declared"))
    routes: Json = json.loads(call(state, environment, "fsp", "routes", "--json", doing="reading the declared routes"))
    answers = [*_capabilities(record, declared), *_routes(record, routes)]
    return Verified(
        (("wheels", len(wheels)), ("packages", len(installed)), ("routes", len(routes))),
        tuple(found for found in (*files, *packages, *answers)),
    )


def _installed(state: StateFolder) -> list[Distribution]:
    return list(distributions(path=[str(path) for path in state.venv.glob("lib/python*/site-packages")]))


def _wheel_files(platform: PlatformFolder, state: StateFolder, wheels: Wheels, installed: Installed) -> Iterator[str]:
    for name, wheel in sorted(wheels.items()):
        places = [folder / wheel["file"] for folder in (platform.packages, state.root / "released")]
        path = next((place for place in places if place.is_file()), None)
        if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != wheel["sha256"]:
            yield f"{wheel['file']} is not the wheel of the manifest"
            continue
        found = installed.get(canonicalize_name(name))
        if found is None or found.version != wheel["version"]:
            yield f"{name} {wheel['version']} is in the manifest, {found.version if found else 'nothing'} is installed"
            continue
        site = Path(str(found.locate_file("")))
        for line in _record_of(path):
            if not line.endswith(_MADE_HERE) and _digest(site / line) != _record_of(path)[line]:
                yield f"{line} is not as in {wheel['file']}"


def _record_of(wheel: Path) -> dict[str, str]:
    """Digest by file, as the wheel's own record says; scripts and data land elsewhere."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        rows = csv.reader(io.StringIO(archive.read(name).decode("utf-8")))
        return {row[0]: row[1].partition("=")[2] for row in rows if row and ".data/" not in row[0]}


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode("ascii").rstrip("=")


def _packages(
    platform: PlatformFolder,
    wheels: Wheels,
    installed: Installed,
    extras: Sequence[str],
) -> Iterator[str]:
    locked = export_lock(platform.workspace.root, [platform.member.name], extras)
    pinned: dict[str, set[str]] = {}
    for line in locked.splitlines():  # one name may have several versions, each for another Python or platform
        if match := _PINNED.match(line):
            pinned.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    own = {canonicalize_name(name) for name in wheels}
    for name, found in sorted(installed.items()):
        if name in own:
            continue
        if name not in pinned:
            yield f"{name} {found.version} is installed, and neither locked nor built here"
        elif found.version not in pinned[name]:
            yield f"{name} {found.version} is installed, {' or '.join(sorted(pinned[name]))} is locked"


def _capabilities(record: ShellRecord, declared: Json) -> Iterator[str]:
    wired = {item["name"]: item["version"] for item in declared["capabilities"] if item.get("state") != "off"}
    status, document = fetch_json(f"{record.url}/discovery")
    if status != _OK:
        yield f"/discovery answers {status}"
        return
    running = {item["name"]: item["version"] for item in document["capabilities"]}
    for name in sorted(wired.keys() | running.keys()):
        if wired.get(name) != running.get(name):
            yield f"capability {name}: {wired.get(name, 'not')} wired, {running.get(name, 'none')} runs"


def _routes(record: ShellRecord, routes: Json) -> Iterator[str]:
    """What strangers are shown: each public route, and in ``/openapi.json``, where that is public, no unknown one."""
    declared = {(method, item["path"]): item["access"] for item in routes for method in item["methods"]}
    shown = set(_shown(record))
    for method, path in sorted(shown - declared.keys()):
        yield f"{method} {path} runs, and no capability declares it"
    for method, path in sorted({route for route, access in declared.items() if access == "public"} - shown):
        yield f"{method} {path} is declared as public, and does not run"
    status, document = fetch_json(f"{record.url}/openapi.json")
    described = document["paths"] if status == _OK else {}
    for path, method in sorted((path, method) for path, methods in described.items() for method in methods):
        if (method.upper(), path) not in declared:
            yield f"/openapi.json describes {method.upper()} {path}, and no capability declares it"


def _shown(record: ShellRecord) -> Iterator[tuple[str, str]]:
    status, document = fetch_json(f"{record.url}/discovery")
    for item in document["routes"] if status == _OK else ():
        for method in item["methods"]:
            yield method, item["path"]
