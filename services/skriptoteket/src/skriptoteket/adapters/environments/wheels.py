"""Wheels and the lock that names them: what is not in the lock with its hash is never unpacked.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

import base64
import csv
import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.markers import InvalidMarker, Marker
from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

_REQUIREMENT = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;([^\\]*?))?((?:\s*--hash=sha256:[0-9a-f]{64})*)\s*$"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_CHUNK = 1024 * 1024
_KEPT_DATA = ("purelib", "platlib")


class EnvironmentProblem(Exception):
    """An environment cannot be built or is not what it was; the text names file, rule and fix."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """One line of a lock."""

    name: str
    version: str
    hashes: frozenset[str]


def read_lock(text: str) -> tuple[Pinned, ...]:
    """Every package that the lock names for this interpreter.

    Raises:
        EnvironmentProblem: a line is no ``name==version`` with at least one ``--hash=sha256:…``.
    """
    found = []
    for number, line in _lines(text):
        matched = _REQUIREMENT.match(line)
        if matched is None:
            raise EnvironmentProblem(f"lock, line {number}: {line[:80]!r} is no name==version with --hash=sha256:…")
        name, version, marker, hashes = matched.groups()
        if not hashes.strip():
            raise EnvironmentProblem(f"lock, line {number}: {name} has no hash; write the lock with --generate-hashes")
        if _is_for_us(marker, number):
            found.append(Pinned(canonicalize_name(name), version, frozenset(_HASH.findall(hashes))))
    if not found:
        raise EnvironmentProblem("the lock names no package")
    return tuple(found)


def lock_digest(text: str) -> str:
    """The digest of what a lock says, whatever its comments, order and breaks are."""
    lines = sorted(" ".join(sorted(line.split())) for _, line in _lines(text))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def take_wheel(folder: Path, wanted: Pinned, place: Path) -> Path:
    """A copy, in ``place``, of the wheel that this interpreter can use and whose bytes the lock names.

    What is judged is the copy, which nobody else can change: the folder of wheels may be anybody's.

    Raises:
        EnvironmentProblem: there is none.
    """
    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
    usable: list[tuple[int, Path]] = []
    for path in folder.glob("*.whl"):
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if name == wanted.name and str(version) == wanted.version and rank is not None:
            usable.append((rank, path))
    for _, path in sorted(usable):
        copy = place / path.name
        shutil.copyfile(path, copy)
        if sha256_of(copy) in wanted.hashes:
            return copy
        copy.unlink()
    raise EnvironmentProblem(
        f"{folder} has no wheel of {wanted.name} {wanted.version} for this interpreter with a hash of the lock. "
        "Fetch it: python -m pip download --only-binary :all: --require-hashes --no-deps -r LOCK -d FOLDER"
    )


def unpack(wheel: Path, target: Path) -> None:
    """Unpack a wheel's packages; scripts and headers are left out, nothing is executed.

    Raises:
        EnvironmentProblem: a file would leave the folder, or is another package's.
    """
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            place = _place(PurePosixPath(entry.filename))
            if place is None or entry.is_dir():
                continue
            if place.is_absolute() or ".." in place.parts:
                raise EnvironmentProblem(f"{wheel.name}: {entry.filename!r} leaves the folder")
            path = target.joinpath(*place.parts)
            if path.exists():
                raise EnvironmentProblem(f"{wheel.name}: {entry.filename!r} is there already, from another package")
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, path.open("xb") as written:
                while chunk := source.read(_CHUNK):
                    written.write(chunk)


def compiled_files(folder: Path) -> dict[str, str]:
    """What was compiled, by its place, with its hash: a changed one would run though its source is as it was."""
    found = (path for path in folder.rglob("__pycache__/*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(found)}


def changed_files(folder: Path, compiled: Mapping[str, str]) -> list[str]:
    """Files that are not as their package's RECORD says or as they were ``compiled``, and files that neither knows."""
    known = {"environment.json", *compiled}
    wrong = [name for name, told in compiled.items() if not _is(folder / name, told)]
    for record in folder.glob("*.dist-info/RECORD"):
        known.add(record.relative_to(folder).as_posix())
        with record.open(encoding="utf-8", newline="") as stream:
            for name, told, _ in csv.reader(stream):
                place = _place(PurePosixPath(name))
                if place is None or not told:
                    continue
                known.add(place.as_posix())
                if not _is(folder.joinpath(*place.parts), _hexadecimal(told)):
                    wrong.append(place.as_posix())
    return sorted(wrong) + sorted(_strangers(folder, known))


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is(path: Path, told: str) -> bool:
    return path.is_file() and not path.is_symlink() and sha256_of(path) == told


def _hexadecimal(told: str) -> str:
    encoded = told.removeprefix("sha256=")
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).hex()
    except ValueError:
        return ""


def _strangers(folder: Path, known: set[str]) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name not in known:
            yield name


def _place(name: PurePosixPath) -> PurePosixPath | None:
    if name.parts and name.parts[0].endswith(".data"):
        return PurePosixPath(*name.parts[2:]) if name.parts[1:2] and name.parts[1] in _KEPT_DATA else None
    return name


def _is_for_us(marker: str | None, number: int) -> bool:
    if not marker or not marker.strip():
        return True
    try:
        return Marker(marker.strip()).evaluate()
    except InvalidMarker as problem:
        raise EnvironmentProblem(f"lock, line {number}: {problem}") from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    gathered = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split(" #")[0].strip()
        if line.startswith("#"):
            continue
        gathered += " " + line.removesuffix("\\").strip()
        if not line.endswith("\\") and gathered.strip():
            yield number, gathered.strip()
            gathered = ""
