"""From a URL to a backend; each backend's library is imported only when its URL is used."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from au_sys_storage_sdk.core.blobs.ports import BlobStore
from au_sys_storage_sdk.core.errors import InvalidInput


def blob_store(url: str) -> BlobStore:
    """The blob backend that a URL names: ``file:///folder`` or ``memory:``.

    Raises:
        InvalidInput: no backend has this scheme, or the path is not absolute.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        from au_sys_storage_sdk.adapters.memory.blobs import MemoryBlobs

        return MemoryBlobs()
    if parts.scheme == "file":
        from au_sys_storage_sdk.adapters.filesystem.blobs import FileBlobs

        return FileBlobs(local_path(url))
    raise InvalidInput("url", f"{parts.scheme or url!r} is not a blob backend", "use file:///folder or memory:")


def local_path(url: str) -> Path:
    """The path of a ``scheme:///path`` URL; a path without leading slash is relative to the working folder.

    Raises:
        InvalidInput: the URL has a host or no path.
    """
    parts = urlsplit(url)
    if parts.netloc or not parts.path:
        raise InvalidInput("url", f"{url!r} names no local path", f"write {parts.scheme}:///absolute/path")
    return Path(unquote(parts.path))
