"""What has to hold before a file leaves the house."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from au_sys_python_factory.errors import FINDINGS, FactoryError
from au_sys_python_factory.wheels.building import BuiltFile
from au_sys_python_factory.wheels.resolving import metadata

_TESTS = re.compile(r"(^|/)tests/.*\.py$|\.(pyc|db)$")
_CREDENTIAL = re.compile(rb"https?://[^/\s\"'<>@]+:[^/\s\"'<>@]+@")
_PATH = re.compile(rb"file:///(?:home|root|work|tmp|Users)/")


class Refusal(FactoryError):
    """Files that must not be published."""

    exit_code = FINDINGS


def inspect(files: Sequence[BuiltFile], index_host: str = "") -> None:
    """Look into each file.

    Raises:
        Refusal: every finding, by file.
    """
    found = [f"{file.path.name}: {text}" for file in files for text in _of_file(file, index_host)]
    if found:
        raise Refusal("these files are not fit to be published:\n  " + "\n  ".join(found))


def _of_file(file: BuiltFile, index_host: str) -> Iterator[str]:
    if file.is_wheel:
        yield from _of_wheel(file.path)
        with zipfile.ZipFile(file.path) as archive:
            described = archive.read(next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")))
    else:
        with tarfile.open(file.path) as tape:
            name = next(name for name in tape.getnames() if name.endswith("/PKG-INFO"))
            opened = tape.extractfile(name)
            described = opened.read() if opened else b""
    if index_host and index_host.encode() in described:
        yield f"names the index {index_host}"
    if _CREDENTIAL.search(described):
        yield "an address with a credential in its metadata"
    if _PATH.search(described):
        yield "a path of this machine in its metadata"


def _of_wheel(path: Path) -> Iterator[str]:
    told = metadata(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    tests = [name for name in names if _TESTS.search(name)]
    if tests:
        yield f"holds tests or leftovers: {', '.join(tests[:3])}"
    if not any("licenses/" in name and "LICENSE" in name.upper() for name in names):
        yield "has no licence inside"
    if not (told["License-Expression"] or "").strip():
        yield "has no licence expression"
    if told["Description-Content-Type"] != "text/markdown" or not str(told.get_payload()).strip():
        yield "has no readable description"


def host_of(address: str) -> str:
    """Host and port of an index that is not public."""
    host = urlsplit(address).netloc
    return "" if host.endswith("pypi.org") else host
