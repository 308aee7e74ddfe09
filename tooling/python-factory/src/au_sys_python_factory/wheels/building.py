"""Build wheels (and sdists) of the members whose content changed since the last build into the same folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.wheels.fingerprint import fingerprint
from au_sys_python_factory.wheels.locking import exclusively
from au_sys_python_factory.wheels.members import Member, Workspace
from au_sys_python_factory.wheels.uv import run_uv

RECORD = ".built.json"
EPOCH = "1580601600"
"""hatchling's own default time stamp (2020-02-02): a constant, so that equal content gives equal files."""


class Entry(TypedDict):
    """What the record keeps of one member; ``files`` is file name -> SHA-256."""

    fingerprint: str
    version: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file in the output folder."""

    member: str
    version: str
    path: Path
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Whether this is the wheel (else the sdist)."""
        return self.path.suffix == ".whl"


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left in the output folder, and for which members it had to work."""

    files: tuple[BuiltFile, ...]
    rebuilt: tuple[str, ...]

    @property
    def wheels(self) -> tuple[BuiltFile, ...]:
        """Only the wheels, in the order of their names."""
        return tuple(file for file in self.files if file.is_wheel)


def build(
    workspace: Workspace,
    members: Sequence[Member],
    out: Path,
    *,
    sdists: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    """Bring ``out`` to the state of ``members``; files of ours that no member stands for any more are removed.

    Raises:
        UvFailed: a member does not build; the others' files stay as they were.
    """
    out.mkdir(parents=True, exist_ok=True)
    with exclusively(out / ".lock"):
        return _build(workspace, members, out, sdists, tell)


def _build(
    workspace: Workspace, members: Sequence[Member], out: Path, sdists: bool, tell: Callable[[str], None]
) -> Built:
    builder = _builder(workspace.root)
    record = _read_record(out)
    wanted = {member.name: fingerprint(member, builder, wheel_only=not sdists) for member in members}
    stale = [member for member in members if not _current(out, record.get(member.name), wanted[member.name])]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda member: _build_one(workspace.root, member, out, sdists, tell), stale)
        fresh = dict(zip([member.name for member in stale], results, strict=True))
    kept = {member.name: record[member.name] for member in members if member.name not in fresh}
    for member in stale:
        kept[member.name] = Entry(fingerprint=wanted[member.name], version=member.version, files=fresh[member.name])
    _remove_old(out, record, kept)
    (out / RECORD).write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", "utf-8")
    return Built(_files(out, kept), tuple(member.name for member in stale))


def read_built(out: Path) -> Built:
    """What an earlier build left, checked against its record.

    Raises:
        FactoryError: nothing was built there, or a file is missing or differs from what was built.
    """
    record = _read_record(out)
    if not record:
        raise FactoryError("no built wheels here", where=str(out), fix="leave out --no-build")
    for name, entry in record.items():
        for file, sha256 in entry["files"].items():
            found = out / file
            if not found.is_file():
                raise FactoryError(f"the file of {name} is missing", where=str(found), fix="leave out --no-build")
            if _sha256(found) != sha256:
                raise FactoryError(
                    f"not the file that was built for {name} {entry['version']}",
                    where=str(found),
                    fix="leave out --no-build",
                )
    return Built(_files(out, record), ())


def write_sums(out: Path, built: Built) -> Path:
    """``SHA256SUMS`` in the form that ``sha256sum --check`` reads."""
    path = out / "SHA256SUMS"
    lines = [f"{file.sha256}  {file.path.name}\n" for file in sorted(built.files, key=lambda file: file.path.name)]
    path.write_text("".join(lines), "utf-8")
    return path


def _builder(root: Path) -> str:
    document = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return " ".join(document["tool"]["uv"].get("build-constraint-dependencies", []))


def _read_record(out: Path) -> dict[str, Entry]:
    try:
        record: dict[str, Entry] = json.loads((out / RECORD).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record


def _current(out: Path, entry: Entry | None, wanted: str) -> bool:
    if entry is None or entry["fingerprint"] != wanted:
        return False
    return all((out / file).is_file() and _sha256(out / file) == sha256 for file, sha256 in entry["files"].items())


def _build_one(root: Path, member: Member, out: Path, sdists: bool, tell: Callable[[str], None]) -> dict[str, str]:
    tell(f"building {member.name} {member.version}")
    kinds = ["--wheel", "--sdist"] if sdists else ["--wheel"]
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=out) as folder:
        run_uv(
            ["build", "--package", member.name, *kinds, "--out-dir", folder, "--no-create-gitignore"],
            doing=f"building {member.name}",
            folder=root,
            extra={"SOURCE_DATE_EPOCH": EPOCH},
        )
        made = sorted(path for path in Path(folder).iterdir() if path.name.endswith((".whl", ".tar.gz")))
        for path in made:
            shutil.move(path, out / path.name)
    return {path.name: _sha256(out / path.name) for path in made}


def _remove_old(out: Path, before: dict[str, Entry], after: dict[str, Entry]) -> None:
    kept = {file for entry in after.values() for file in entry["files"]}
    for entry in before.values():
        for file in entry["files"]:
            if file not in kept:
                (out / file).unlink(missing_ok=True)


def _files(out: Path, record: dict[str, Entry]) -> tuple[BuiltFile, ...]:
    return tuple(
        BuiltFile(name, entry["version"], out / file, sha256)
        for name, entry in sorted(record.items())
        for file, sha256 in sorted(entry["files"].items())
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
