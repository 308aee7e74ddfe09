"""Public files of capabilities: an index built once, addressed by content; nothing outside of it can be reached."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform.capability.contribution import StaticFolder
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.http.pages.folders import folder_of

_MAX_BYTES = 8 * 1024 * 1024
_COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")
_FOREVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"

_MEDIA_TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
"""Where the operating system's own table must not decide."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One public file in memory; ``packed`` is the gzip form where that is shorter."""

    content: bytes
    packed: bytes | None
    media_type: str
    digest: str


class StaticFiles:
    """Files by ``<capability>/<path>``. A look-up in a dictionary: a path that leads elsewhere is simply not in it."""

    def __init__(self, files: Mapping[str, StaticFile]) -> None:
        self._files = dict(files)

    def url(self, capability: str, path: str) -> str:
        """The address of a file with its content's digest, so that browsers may keep it for ever.

        Raises:
            LookupError: the capability has no such file.
        """
        file = self._files.get(f"{capability}/{path}")
        if file is None:
            raise LookupError(f"{capability} has no static file {path!r}")
        return f"/static/{capability}/{path}?v={file.digest[:12]}"

    def answer(self, request: Request, name: str) -> Response | None:
        """The answer for a file, or ``None`` when there is none of this name."""
        file = self._files.get(name)
        if file is None:
            return None
        etag = f'"{file.digest[:32]}"'
        addressed = request.query_params.get("v") == file.digest[:12] or name.endswith(".woff2")
        headers = {"etag": etag, "cache-control": _FOREVER if addressed else _ASK_EACH_TIME, "vary": "accept-encoding"}
        known = {item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")}
        if etag in known:
            return Response(status_code=304, headers=headers)
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(file.packed, headers=headers, media_type=file.media_type)
        return Response(file.content, headers=headers, media_type=file.media_type)


def read_static(folders: Iterable[tuple[str, StaticFolder]]) -> StaticFiles:
    """Read every public file. Blocks: call it in a thread.

    Raises:
        PlatformError: a file is too large to be kept in memory.
    """
    files: dict[str, StaticFile] = {}
    for capability, folder in folders:
        root = folder_of(folder.package, folder.folder)
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and not any(part.startswith((".", "__")) for part in relative.parts):
                files[f"{capability}/{relative.as_posix()}"] = _read(path)
    return StaticFiles(files)


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    if len(content) > _MAX_BYTES:
        raise PlatformError(f"{path.name} has {len(content)} bytes.", f"keep static files below {_MAX_BYTES} bytes.")
    media_type = _MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if media_type.startswith(_COMPRESSED) else content
    smaller = packed if len(packed) < len(content) else None
    return StaticFile(content, smaller, media_type, hashlib.sha256(content).hexdigest())
