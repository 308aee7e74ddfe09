"""From a URL to a backend; each backend's library is imported only when its URL is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from au_sys_storage_sdk.core.blobs.ports import BlobStore
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import InvalidInput

if TYPE_CHECKING:
    from au_sys_storage_sdk.adapters.http.wire import Wire


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a remote platform: an API key of one of its accounts; ``ca_file`` holds the certificates of a
    private certification authority, for a remote platform and for an object store.
    """

    api_key: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


async def document_store(url: str, credentials: Credentials | None = None) -> DocumentStore:
    """The document backend of a URL: ``sqlite:///path`` (``?mode=ro`` reads only), ``postgresql://…``,
    ``redis://…``, ``memory:`` or ``https://host``.

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
    if scheme in {"https", "http"}:
        from au_sys_storage_sdk.adapters.http.documents import HttpDocuments

        return HttpDocuments(_wire(url, credentials))
    fix = "use sqlite:///path, postgresql://, redis://, https://host or memory:"
    raise InvalidInput("url", f"{shown(url)} names no document backend", fix)


def _wire(url: str, credentials: Credentials | None) -> Wire:
    from au_sys_storage_sdk.adapters.http.wire import Wire

    known = credentials or Credentials()
    return Wire(url, api_key=known.api_key, ca_file=known.ca_file)


def blob_store(url: str, credentials: Credentials | None = None) -> BlobStore:
    """The blob backend that a URL names: ``file:///folder``, ``s3://bucket/folder`` (``gs://``, ``az://``), ``memory:``
    or ``https://host``.

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
    if scheme in {"s3", "gs", "az"}:
        from au_sys_storage_sdk.adapters.objects.opening import object_blobs

        return object_blobs(url, None if credentials is None else credentials.ca_file)
    if scheme in {"https", "http"}:
        from au_sys_storage_sdk.adapters.http.blobs import HttpBlobs

        return HttpBlobs(_wire(url, credentials))
    fix = "use file:///folder, s3://bucket/folder, https://host or memory:"
    raise InvalidInput("url", f"{shown(url)} names no blob backend", fix)


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
