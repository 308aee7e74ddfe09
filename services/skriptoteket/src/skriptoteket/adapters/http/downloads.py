"""Give a stored file to a browser without letting it do anything there: attachment, nosniff, sandboxed; ranges and
ETag."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from skriptoteket.core.runs.models import Artifact
from skriptoteket.core.runs.ports.files import ArtifactStore

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_UNSAFE = re.compile(r"[^A-Za-z0-9._ ()+-]")
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/svg+xml"})


def safe_headers(disposition: str, media_type: str) -> dict[str, str]:
    """What every answer with a script's bytes carries; the platform adds nosniff to all answers."""
    return {
        "content-disposition": disposition,
        "content-type": media_type,
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "no-store",
    }


def disposition(kind: str, path: str) -> str:
    """Content-Disposition after RFC 6266: an ASCII name for old programs, the real one beside it."""
    name = path.rpartition("/")[2]
    plain = _UNSAFE.sub("_", name).strip(". ") or "file"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def deliver(request: Request, files: ArtifactStore, artifact: Artifact, *, inline: bool = False) -> Response:
    """The file, or the part of it that was asked for. ``inline`` is for pictures inside a page only."""
    shown = inline and artifact.media_type in IMAGE_TYPES
    headers = safe_headers(disposition("inline" if shown else "attachment", artifact.path), artifact.media_type)
    etag = f'"{artifact.sha256[:32]}"'
    headers |= {"etag": etag, "accept-ranges": "bytes"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag})
    start, end, status = _wanted(request, artifact.bytes)
    if status == 416:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{artifact.bytes}"})
    headers["content-length"] = str(end - start)
    if status == 206:
        headers["content-range"] = f"bytes {start}-{end - 1}/{artifact.bytes}"
    if artifact.blob_key is None or end == start:
        return Response(b"", status, headers)
    pieces = files.read(artifact.blob_key, start, end)
    first = await anext(pieces, b"")  # so that a missing blob is told before the headers are sent
    return StreamingResponse(_with_first(first, pieces), status, headers)


def _wanted(request: Request, size: int) -> tuple[int, int, int]:
    found = _RANGE.match(request.headers.get("range", ""))
    if found is None or found.group(0) == "bytes=-":
        return 0, size, 200
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, size, 206) if length else (0, 0, 416)
    start, end = int(first), min(int(last) + 1 if last else size, size)
    return (start, end, 206) if start < end else (0, 0, 416)


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
