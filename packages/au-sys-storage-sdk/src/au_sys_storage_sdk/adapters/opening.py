"""From a URL to a backend; each backend's library is imported only when its URL is used."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from au_sys_storage_sdk.core.blobs.ports import BlobStore
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import InvalidInput


async def document_store(url: str) -> DocumentStore:
    """The document backend of a URL: ``sqlite:///path`` (``?mode=ro`` reads only), ``postgresql://…``,
    ``redis://…`` or ``memory:``.

    Raises:
        InvalidInput: no backend has this scheme, or the path is missing.
        InUse: another process writes to the file.
        Unavailable: the server does not answer.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments

        return MemoryDocuments()
    if scheme == "sqlite":
        from au_sys_storage_sdk.adapters.sqlite.documents import SqliteDocuments

        return await SqliteDocuments.open(local_path(url), read_only=_option(url, "mode") == "ro")
    if scheme in {"postgresql", "postgres"}:
        from au_sys_storage_sdk.adapters.postgres.documents import PostgresDocuments

        return await PostgresDocuments.open(url)
    if scheme in {"redis", "rediss", "redis+unix"}:
        from au_sys_storage_sdk.adapters.redis.documents import RedisDocuments

        return await RedisDocuments.open(url.removeprefix("redis+"))
    fix = "use sqlite:///path, postgresql://, redis:// or memory:"
    raise InvalidInput("url", f"{shown(url)} names no document backend", fix)


def blob_store(url: str) -> BlobStore:
    """The blob backend that a URL names: ``file:///folder`` or ``memory:``.

    Raises:
        InvalidInput: no backend has this scheme, or the path is missing.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from au_sys_storage_sdk.adapters.memory.blobs import MemoryBlobs

        return MemoryBlobs()
    if scheme == "file":
        from au_sys_storage_sdk.adapters.filesystem.blobs import FileBlobs

        return FileBlobs(local_path(url))
    raise InvalidInput("url", f"{shown(url)} names no blob backend", "use file:///folder or memory:")


def local_path(url: str) -> Path:
    """The path of a ``scheme:///path`` URL.

    Raises:
        InvalidInput: the URL has a host or no path.
    """
    parts = urlsplit(url)
    if parts.netloc or not parts.path:
        raise InvalidInput("url", f"{shown(url)} names no local path", f"write {parts.scheme}:///absolute/path")
    return Path(unquote(parts.path))


def shown(url: str) -> str:
    """The URL without its credentials."""
    parts = urlsplit(url)
    return repr(url if parts.password is None else url.replace(parts.password, "***"))


def _option(url: str, name: str) -> str | None:
    return parse_qs(urlsplit(url).query).get(name, [None])[0]
