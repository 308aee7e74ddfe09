"""A bill of materials in CycloneDX 1.6: everything that an installation of a member holds, with hashes and URLs.

Without a time and a random number, so that two runs over the same lock give the same bytes.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from au_sys_python_factory.wheels.building import BuiltFile

Json = dict[str, Any]  # Any: a document of a foreign schema


@dataclass(frozen=True, slots=True)
class _Package:
    """One entry of ``uv.lock``."""

    name: str
    version: str
    hashes: tuple[str, ...]
    needs: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def bill_of_materials(root: Path, dist: str, files: Sequence[BuiltFile]) -> str:
    """The document for one member, as text; ``files`` are the built ones of all members."""
    packages = _locked(root, files)
    own = packages[str(canonicalize_name(dist))]
    reached = _reached(packages, own.name)
    document: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component(own, "application" if dist.startswith("fsp-shell") else "library")},
        "components": [_component(packages[name], "library") for name in reached if name != own.name],
        "dependencies": [
            {"ref": packages[name].purl, "dependsOn": sorted(packages[needed].purl for needed in packages[name].needs)}
            for name in reached
        ],
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def write_bills(root: Path, out: Path, files: Sequence[BuiltFile]) -> list[Path]:
    """One ``<wheel stem>.cdx.json`` beside each wheel."""
    written = []
    for file in files:
        if file.is_wheel:
            path = out / f"{'-'.join(file.path.name.split('-')[:2])}.cdx.json"
            path.write_text(bill_of_materials(root, file.member, files), "utf-8")
            written.append(path)
    return written


def _component(package: _Package, kind: str) -> Json:
    return {
        "type": kind,
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "hashes": [{"alg": "SHA-256", "content": value} for value in package.hashes],
    }


def _locked(root: Path, files: Sequence[BuiltFile]) -> dict[str, _Package]:
    built: dict[str, list[str]] = {}
    for file in files:
        built.setdefault(str(canonicalize_name(file.member)), []).append(file.sha256)
    found = {}
    for item in tomllib.loads((root / "uv.lock").read_text("utf-8")).get("package", []):
        delivered = [item.get("sdist", {}), *item.get("wheels", [])]
        hashes = [file["hash"].removeprefix("sha256:") for file in delivered if "hash" in file]
        name = item["name"]
        known = tuple(sorted(hashes or built.get(name, [])))
        found[name] = _Package(name, item.get("version", "0"), known, _needs(item))
    return found


def _needs(item: Mapping[str, Any]) -> tuple[str, ...]:  # Any: TOML
    return tuple(sorted({needed["name"] for needed in item.get("dependencies", [])}))


def _reached(packages: Mapping[str, _Package], start: str) -> list[str]:
    found, waiting = {start}, [start]
    while waiting:
        for name in packages[waiting.pop()].needs:
            if name not in found:
                found.add(name)
                waiting.append(name)
    return sorted(found)
