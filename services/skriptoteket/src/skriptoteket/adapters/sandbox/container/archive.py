"""Files on their way into a container's volume and out of it, as tar archives that the engine writes and reads.

Everything in an archive that comes out may be hostile: names, kinds, sizes, links, order. It is read once, from the
stream, after every process of the run is dead; nothing is unpacked; what is kept lies in one unnamed file.
"""

import asyncio
import io
import json
import os
import tarfile
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from skriptoteket.adapters.sandbox.workspace import check_name
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import ForbiddenOutput, OutputOverLimit, RunSpec

_BLOCK = 512
_CHUNK = 256 * 1024
_MIB = 1024 * 1024
_HEADERS_PER_INODE = 6 * _BLOCK
_SLACK = 16 * _MIB


class Readable(Protocol):
    """What an archive is read from."""

    def read(self, size: int) -> bytes: ...


async def staged(spec: RunSpec, uid: int) -> AsyncIterator[bytes]:
    """The archive that fills ``/job``: everything is root's, only ``output`` is the script's user's."""
    request = json.dumps(spec.request, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for name, content in (("script.py", spec.source.encode("utf-8", "surrogatepass")), ("request.json", request)):
        yield _header(name, len(content)) + content + _padding(len(content))
    yield _header("input", 0, kind=tarfile.DIRTYPE, mode=0o755)
    yield _header("output", 0, kind=tarfile.DIRTYPE, mode=0o755, uid=uid)
    for one in spec.inputs:
        yield _header(f"input/{one.name}", one.size)
        left = one.size
        async for chunk in one.read():
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
        if left:
            raise ValueError(f"an input file is not as long as was said: {left} bytes are missing")
        yield _padding(one.size)
    yield bytes(2 * _BLOCK)


def _header(name: str, size: int, *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, uid: int = 0) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.mode, member.uid, member.gid = size, kind, mode, uid, uid
    return member.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One output file, in the file of kept bytes."""

    path: str
    size: int
    start: int
    kept: IO[bytes]

    async def read(self) -> AsyncIterator[bytes]:
        """The bytes."""
        at, end = self.start, self.start + self.size
        while at < end:
            chunk = await asyncio.to_thread(os.pread, self.kept.fileno(), min(_CHUNK, end - at), at)
            at += len(chunk)
            yield chunk


@dataclass(slots=True)
class Collected:
    """What came out of a container: result and files, and what stood in the way of either."""

    kept: IO[bytes]
    result: bytes | None = None
    files: list[KeptFile] = field(default_factory=list)
    result_problem: OutputOverLimit | ForbiddenOutput | None = None
    problem: OutputOverLimit | ForbiddenOutput | None = None

    def close(self) -> None:
        """Forget the kept bytes."""
        self.kept.close()


def collect(source: Readable, limits: Limits, folder: Path) -> Collected:
    """Read the archive of ``/job``, at most as much of it as a full workspace has. Blocks.

    Raises:
        OSError: the archive is none.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    collected = Collected(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - kept open, closed with the run
    capped = _Capped(source, limits.workspace_mib * _MIB + limits.inodes * _HEADERS_PER_INODE + _SLACK)
    try:
        with tarfile.open(fileobj=io.BufferedReader(capped, _CHUNK), mode="r|", errorlevel=1) as archive:
            for member in archive:
                _take(collected, archive, member, limits)
        collected.files.sort(key=lambda one: one.path)
    except (OutputOverLimit, ForbiddenOutput) as problem:
        collected.problem = problem
    except tarfile.TarError as problem:
        collected.close()
        raise OSError(f"the engine's archive cannot be read: {problem}") from problem
    except BaseException:
        collected.close()
        raise
    return collected


def _take(collected: Collected, archive: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits) -> None:
    path = member.name.partition("/")[2]  # the archive's first folder is the volume itself
    if member.islnk() and member.linkname.partition("/")[2].startswith(("output/", "result.json")):
        raise ForbiddenOutput(f"{member.linkname!r} in the output folder is linked more than once")
    if path == "result.json":
        _take_result(collected, archive, member, limits)
    elif path == "output" and not member.isdir():
        raise ForbiddenOutput("the output folder was replaced")
    elif path.startswith("output/"):
        _take_file(collected, archive, member, limits)


def _take_result(collected: Collected, archive: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits) -> None:
    if not _plain(member):
        collected.result_problem = ForbiddenOutput("result.json is no plain file")
    elif member.size > limits.result_bytes:
        told = f"result.json has {member.size} bytes, {limits.result_bytes} are allowed"
        collected.result_problem = OutputOverLimit(told)
    else:
        found = archive.extractfile(member)
        collected.result = b"" if found is None else found.read(member.size)


def _take_file(collected: Collected, archive: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits) -> None:
    path = member.name.partition("/")[2].removeprefix("output/")
    parts = path.split("/")
    check_name(parts[-1], limits)
    if len(parts) + member.isdir() > limits.artifact_depth:
        raise OutputOverLimit(f"folders deeper than {limits.artifact_depth} in the output folder")
    if member.isdir():
        return
    if not _plain(member):
        raise ForbiddenOutput(f"{path!r} in the output folder is no plain file, or linked more than once")
    if member.size > limits.artifact_mib * _MIB:
        raise OutputOverLimit(f"{path!r} has {member.size} bytes, {limits.artifact_mib} MiB are allowed")
    if len(collected.files) >= limits.artifact_count:
        raise OutputOverLimit(f"more than {limits.artifact_count} files in the output folder")
    start = collected.kept.tell()
    if start + member.size > limits.artifacts_total_mib * _MIB:
        raise OutputOverLimit(f"more than {limits.artifacts_total_mib} MiB in the output folder")
    found = archive.extractfile(member)
    while found is not None and (chunk := found.read(_CHUNK)):
        collected.kept.write(chunk)
    collected.kept.flush()
    collected.files.append(KeptFile(path, member.size, start, collected.kept))


def _plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)


class _Capped(io.RawIOBase):
    """Ends with an error after so many bytes, whatever is still to come."""

    def __init__(self, source: Readable, most: int) -> None:
        self._source = source
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # any writable buffer
        found = self._source.read(min(len(buffer), _CHUNK))
        self._left -= len(found)
        if self._left < 0:
            raise OutputOverLimit("the workspace holds more than its size")
        buffer[: len(found)] = found
        return len(found)
