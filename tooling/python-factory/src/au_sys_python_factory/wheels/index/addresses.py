"""Names of indexes in the root's ``[tool.python-factory.indexes]``, and their two addresses."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from au_sys_python_factory.errors import UsageError


@dataclass(frozen=True, slots=True)
class Index:
    """Where files are sent to, and where they are listed."""

    name: str
    upload: str
    simple: str


def find_index(root: Path, named: str) -> Index:
    """The index of that name, or at that address.

    Raises:
        UsageError: unknown, without an address, or an address with a credential in it.
    """
    document = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    known = document.get("tool", {}).get("python-factory", {}).get("indexes", {})
    if named in known:
        return _named(named, known[named])
    if "://" not in named:
        raise UsageError(f"no index is called {named}", fix=f"known are {', '.join(sorted(known)) or 'none'}, or a URL")
    return _at(named, named)


def _named(name: str, entry: dict[str, str]) -> Index:
    if "upload" in entry:
        return Index(name, entry["upload"], entry["simple"].rstrip("/"))
    variable = entry["variable"]
    address = os.environ.get(variable, "")
    if not address:
        raise UsageError(f"the index {name} has no address", fix=f"export {variable}=https://…")
    return _at(name, address)


def _at(name: str, address: str) -> Index:
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError("the address of an index begins with https:// (or http:// on this machine)")
    if parts.username or parts.password:
        raise UsageError(
            f"the address of {parts.hostname} holds a credential",
            fix="leave it out: UV_PUBLISH_TOKEN, or UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD",
        )
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(f"{parts.hostname} is not on this machine", fix="use https://")
    base = address.rstrip("/").removesuffix("/simple").rstrip("/")
    return Index(parts.netloc if "://" in name else name, f"{base}/", f"{base}/simple")
