"""The files of an application, from a folder or an archive, parsed as far as they can be."""

from __future__ import annotations

import ast
import io
import os
import tarfile
import tokenize
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from au_sys_python_factory.checks.reading.project import LARGEST
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Area
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.workspace.members import Member

_PASSED_OVER = {"__pycache__", "node_modules", "build", "dist", "site-packages", "venv", "env", "htmlcov"}
_MOST_FILES = 50_000
_LARGEST_ARCHIVE = 200_000_000


@dataclass(frozen=True, order=True)
class Unreadable:
    """A file that could not be decoded or parsed."""

    path: str
    line: int
    why: str


@dataclass(frozen=True, eq=False)
class Sources:
    """``files`` by path; ``others``: the paths of everything that is no Python."""

    name: str
    files: tuple[SourceFile, ...]
    unreadable: tuple[Unreadable, ...]
    others: tuple[str, ...]


def read(where: Path) -> Sources:
    """Every file below a folder, or in a ``.tar.gz``, ``.tar``, ``.zip`` or ``.whl``.

    Raises:
        Refused: it is neither, or too large.
    """
    if where.is_dir():
        found = dict(_of_folder(where))
    elif where.is_file():
        found = dict(_without_top_folder(dict(_of_archive(where))))
    else:
        raise Refused("there is nothing to read.", where=str(where), fix="name a folder or an sdist archive.")
    files: list[SourceFile] = []
    unreadable: list[Unreadable] = []
    for path in sorted(path for path in found if path.endswith(".py")):
        parsed = _parsed(path, found[path], found.keys())
        (files if isinstance(parsed, SourceFile) else unreadable).append(parsed)  # type: ignore[arg-type]  # either list
    others = sorted(path for path in found if not path.endswith(".py"))
    return Sources(where.resolve().name, tuple(files), tuple(unreadable), tuple(others))


def _of_folder(where: Path) -> Iterator[tuple[str, bytes]]:
    number = 0
    for folder, folders, names in os.walk(where):
        folders[:] = sorted(name for name in folders if not _passed_over(name) and not Path(folder, name).is_symlink())
        for name in sorted(names):
            path = Path(folder, name)
            number += 1
            if number > _MOST_FILES:
                raise Refused(f"holds more than {_MOST_FILES:,} files.", where=str(where), fix="name a folder below.")
            is_code = name.endswith(".py") and path.stat().st_size <= LARGEST
            yield path.relative_to(where).as_posix(), path.read_bytes() if is_code else b""


def _passed_over(name: str) -> bool:
    return name in _PASSED_OVER or name.startswith(".") or name.endswith(".egg-info")


def _of_archive(where: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if zipfile.is_zipfile(where):
            with zipfile.ZipFile(where) as archive:
                sizes = [(item.filename, item.file_size) for item in archive.infolist() if not item.is_dir()]
                _bounded(where, sizes)
                yield from ((name, archive.read(name) if _wanted(name, size) else b"") for name, size in sizes)
            return
        with tarfile.open(where) as tape:
            items = [item for item in tape.getmembers() if item.isfile()]
            _bounded(where, [(item.name, item.size) for item in items])
            for item in items:
                opened = tape.extractfile(item) if _wanted(item.name, item.size) else None
                yield item.name, opened.read() if opened else b""
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise Refused(
            f"cannot be read as an archive: {error}.", where=str(where), fix="name a folder, an sdist or a wheel."
        ) from None


def _wanted(name: str, size: int) -> bool:
    return name.endswith(".py") and size <= LARGEST


def _bounded(where: Path, sizes: list[tuple[str, int]]) -> None:
    if len(sizes) > _MOST_FILES or sum(size for _, size in sizes) > _LARGEST_ARCHIVE:
        raise Refused("is larger than source code is.", where=str(where), fix="unpack it and name the folder.")


def _without_top_folder(found: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    tops = {PurePosixPath(path).parts[0] for path in found}
    alone = len(tops) == 1 and all("/" in path for path in found)
    for path, data in found.items():
        inner = path.split("/", 1)[1] if alone else path
        if not any(_passed_over(part) for part in PurePosixPath(inner).parts[:-1]):
            yield inner, data


def _parsed(path: str, data: bytes, known: object) -> SourceFile | Unreadable:
    line = 1
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        tree = ast.parse(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Unreadable(path, line, f"byte {error.start} is no {error.encoding}, and no coding line names another")
    except SyntaxError as error:
        return Unreadable(path, error.lineno or 1, f"does not parse: {error.msg}")
    except (ValueError, RecursionError, MemoryError, LookupError) as error:
        return Unreadable(path, line, f"does not parse: {error}")
    member = Member(Path(), Path(), {})
    return SourceFile(Path(path), path, _module(path, known), _area(path), member, text, tree)


def _module(path: str, known: object) -> str:
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if len(parts) > 1 and parts[0] == "src" and isinstance(known, type({}.keys())) and "src/__init__.py" not in known:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _area(path: str) -> Area:
    parts = PurePosixPath(path).parts
    name = parts[-1]
    in_tests = any(part in ("tests", "test", "testing") for part in parts[:-1])
    return "tests" if in_tests or name.startswith("test_") or name in ("conftest.py", "tests.py") else "source"
