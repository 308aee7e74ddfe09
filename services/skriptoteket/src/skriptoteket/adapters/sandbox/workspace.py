"""Put inputs into a run's workspace and take results out of it, through one descriptor and without following anything.

Everything below the descriptor may be hostile once the script was released: names, kinds, sizes, links, depth. Reading
starts when every process of the run is dead, so nothing changes any more, and every read has a cap.

Layout: ``stage/`` (script.py, request.json, input/) is what the script sees read-only, ``work/`` is its ``/job``.
"""

import ctypes
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import ForbiddenOutput, OutputOverLimit, RunSpec

_OPENAT2 = 437
_NO_LINKS = 0x01 | 0x02 | 0x04 | 0x08  # RESOLVE_NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH (openat2(2))
_CHUNK = 256 * 1024
_MIB = 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(root: int, path: str, flags: int) -> int:
    """Open ``path`` below the folder ``root``: no symbolic link, no mount, no way out.

    Raises:
        OSError: ELOOP for a link, EXDEV for a way out, and what open(2) gives.
    """
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _NO_LINKS)
    descriptor = _libc.syscall(
        ctypes.c_long(_OPENAT2),
        ctypes.c_int(root),
        os.fsencode(path),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return int(descriptor)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One regular file of the output folder."""

    root: int
    path: str
    size: int

    async def read(self) -> AsyncIterator[bytes]:
        """The bytes, never more than the size that was seen when the folder was listed."""
        descriptor = open_beneath(self.root, f"work/output/{self.path}", os.O_RDONLY | os.O_NONBLOCK)
        try:
            left = self.size
            while left > 0:
                # Direct reads: the file lies in memory (tmpfs), a thread would cost more than the copy.
                chunk = os.read(descriptor, min(_CHUNK, left))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk
        finally:
            os.close(descriptor)


async def stage(root: int, spec: RunSpec) -> None:
    """Put script, request and inputs in. The worker's own memory holds one chunk of an input at a time."""
    write_stage(root, "script.py", spec.source.encode("utf-8", "surrogatepass"))
    request = json.dumps(spec.request, ensure_ascii=False)
    write_stage(root, "request.json", request.encode("utf-8", "surrogatepass"))
    for one in spec.inputs:
        descriptor = create_stage(root, f"input/{one.name}")
        try:
            async for chunk in one.read():
                append(descriptor, chunk)
        finally:
            os.close(descriptor)


def write_stage(root: int, path: str, content: bytes) -> None:
    """Fill a file under ``stage/`` before the script is released; the script sees that folder read-only."""
    descriptor = create_stage(root, path)
    try:
        append(descriptor, content)
    finally:
        os.close(descriptor)


def create_stage(root: int, path: str) -> int:
    """An empty file under ``stage/``, open for writing."""
    flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"stage/{path}", flags, dir_fd=root)
    os.fchmod(descriptor, 0o644)
    return descriptor


def append(descriptor: int, content: bytes) -> None:
    """Write all of ``content``."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def is_full(root: int) -> bool:
    """True when the workspace has no free block or no free inode left."""
    facts = os.fstatvfs(root)
    return facts.f_bfree == 0 or facts.f_ffree == 0


def read_result(root: int, limits: Limits) -> bytes | None:
    """``result.json``, or ``None`` when there is none that is a plain file.

    Raises:
        OutputOverLimit: it is larger than allowed.
        ForbiddenOutput: the name is taken by something that is no plain file.
    """
    try:
        descriptor = open_beneath(root, "work/result.json", os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise ForbiddenOutput(f"result.json cannot be opened: {problem.strerror}") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise ForbiddenOutput("result.json is no plain file")
        if facts.st_size > limits.result_bytes:
            raise OutputOverLimit(f"result.json has {facts.st_size} bytes, {limits.result_bytes} are allowed")
        return _read_up_to(descriptor, facts.st_size)
    finally:
        os.close(descriptor)


def list_output(root: int, limits: Limits) -> tuple[FoundFile, ...]:
    """Every regular file of the output folder, in a stable order.

    Raises:
        OutputOverLimit: too many files, too large, too deep, or a name too long.
        ForbiddenOutput: a link, a device, a pipe, a socket, or a name that is no UTF-8.
    """
    try:
        folder = open_beneath(root, "work/output", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise ForbiddenOutput(f"the output folder cannot be opened: {problem.strerror}") from None
    os.close(folder)
    found: list[FoundFile] = []
    total = 0
    for one in _walk(root, "", limits, 1):
        found.append(one)
        total += one.size
        if len(found) > limits.artifact_count:
            raise OutputOverLimit(f"more than {limits.artifact_count} files in the output folder")
        if total > limits.artifacts_total_mib * _MIB:
            raise OutputOverLimit(f"more than {limits.artifacts_total_mib} MiB in the output folder")
    return tuple(sorted(found, key=lambda one: one.path))


def _walk(root: int, prefix: str, limits: Limits, depth: int) -> Iterator[FoundFile]:
    if depth > limits.artifact_depth:
        raise OutputOverLimit(f"folders deeper than {limits.artifact_depth} in the output folder")
    folder = open_beneath(root, f"work/output/{prefix}".rstrip("/"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield from _one(root, folder, prefix, entry.name, limits, depth)
    finally:
        os.close(folder)


def _one(root: int, folder: int, prefix: str, name: str, limits: Limits, depth: int) -> Iterator[FoundFile]:
    check_name(name, limits)
    facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    path = f"{prefix}{name}"
    if stat.S_ISDIR(facts.st_mode):
        yield from _walk(root, f"{path}/", limits, depth + 1)
        return
    if not stat.S_ISREG(facts.st_mode):
        raise ForbiddenOutput(f"{path!r} in the output folder is no plain file")
    if facts.st_nlink != 1:
        raise ForbiddenOutput(f"{path!r} in the output folder is linked more than once")
    if facts.st_size > limits.artifact_mib * _MIB:
        raise OutputOverLimit(f"{path!r} has {facts.st_size} bytes, {limits.artifact_mib} MiB are allowed")
    yield FoundFile(root, path, facts.st_size)


def check_name(name: str, limits: Limits) -> None:
    """One part of an output file's path.

    Raises:
        OutputOverLimit: it is too long.
        ForbiddenOutput: it is no UTF-8, or has control characters.
    """
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise ForbiddenOutput(f"a file name in the output folder is no UTF-8: {os.fsencode(name)!r}") from None
    if size > limits.artifact_name_bytes:
        raise OutputOverLimit(f"a file name in the output folder has {size} bytes")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise ForbiddenOutput(f"a file name in the output folder has control characters: {name!r}")


def _read_up_to(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    left = size
    while left > 0:
        chunk = os.read(descriptor, min(_CHUNK, left))
        if not chunk:
            break
        parts.append(chunk)
        left -= len(chunk)
    return b"".join(parts)
