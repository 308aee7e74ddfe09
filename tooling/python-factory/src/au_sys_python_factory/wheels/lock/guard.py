"""Which hosts does ``uv.lock`` name, and are they the public ones?"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.wheels.uv import PUBLIC_INDEX

FILE_HOSTS = {"pypi.org": frozenset({"files.pythonhosted.org"})}
"""Index host -> where it keeps its files."""
VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_FIND_LINKS")
_ADDRESS = re.compile(r'(?:registry|url) = "([a-z][a-z0-9+.\-]*://[^"]*)"')


@dataclass(frozen=True, slots=True)
class Leak:
    """Hosts that do not belong into the lock, and the variables that may have brought them."""

    hosts: tuple[str, ...]
    variables: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What to write in a message; an address in a variable may hold a credential and is not shown."""
        cause = f"; {' and '.join(self.variables)} is set and names it" if self.variables else ""
        return f"names {', '.join(self.hosts)} instead of the public index{cause}"


def find_leak(root: Path) -> Leak | None:
    """What is foreign in the lock; ``None`` is good. Reads two files and starts nothing."""
    allowed = public_hosts(root)
    hosts = {host for address in _ADDRESS.findall(_lock(root)) if (host := _host(address)) not in allowed}
    if not hosts:
        return None
    variables = [name for name in VARIABLES if any(host in os.environ.get(name, "") for host in hosts)]
    return Leak(tuple(sorted(hosts)), tuple(variables))


def refuse_leak(root: Path) -> None:
    """Stop when the lock names a foreign host.

    Raises:
        Refused: with the hosts, the variable that caused it if it is set, and the fix.
    """
    leak = find_leak(root)
    if leak is not None:
        raise Refused(leak.sentence, where=str(root / "uv.lock"), fix="python-factory lock repair")


def public_index(root: Path) -> str:
    """The address of the workspace's default index."""
    document = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    indexes = document.get("tool", {}).get("uv", {}).get("index", [])
    return next((str(index["url"]) for index in indexes if index.get("default")), PUBLIC_INDEX)


def public_hosts(root: Path) -> frozenset[str]:
    """The default index's host and its file hosts."""
    host = _host(public_index(root))
    return FILE_HOSTS.get(host, frozenset()) | {host}


def foreign_packages(root: Path) -> dict[str, str]:
    """Name -> version of each locked package that has a foreign address anywhere."""
    allowed = public_hosts(root)
    found = {}
    for package in tomllib.loads(_lock(root)).get("package", []):
        files = [package.get("sdist", {}), *package.get("wheels", [])]
        addresses = [package["source"].get("registry"), *[file.get("url") for file in files]]
        if any(address and "://" in address and _host(address) not in allowed for address in addresses):
            found[str(package["name"])] = str(package["version"])
    return found


def hashes(root: Path) -> dict[tuple[str, str], frozenset[str]]:
    """(Name, version) -> hashes of its files, for comparing two locks."""
    return {
        (package["name"], package.get("version", "")): frozenset(
            file["hash"] for file in [package.get("sdist", {}), *package.get("wheels", [])] if "hash" in file
        )
        for package in tomllib.loads(_lock(root)).get("package", [])
    }


def _lock(root: Path) -> str:
    path = root / "uv.lock"
    return path.read_text("utf-8") if path.is_file() else ""


def _host(address: str) -> str:
    parts = urlsplit(address)
    return parts.netloc.rpartition("@")[2] or parts.path
