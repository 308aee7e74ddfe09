"""Documents and blobs for capabilities and programs; which backend holds them is configuration.

The names of this door load no backend: a backend's library is imported when its URL is opened.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.models import Document
from au_sys_storage_sdk.core.errors import Conflict, NotFound, StorageError, TooLarge, Unavailable
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.storage import Storage

__all__ = [
    "ABSENT",
    "Blobs",
    "Conflict",
    "Document",
    "NotFound",
    "Storage",
    "StorageError",
    "TooLarge",
    "Unavailable",
    "open_blobs",
    "open_storage",
]


@asynccontextmanager
async def open_storage(url: str | None = None, blobs_url: str | None = None) -> AsyncIterator[Storage]:
    """Documents over the backend that a URL names; without one, over the platform's (``STORAGE_URL``).

    A file of documents has one writing process: the platform's web process. ``blobs_url`` opens blobs beside it.

    Raises:
        InvalidInput: a URL names no backend.
        InUse: another process writes to the file.
    """
    from au_sys_storage_sdk.adapters.opening import document_store

    if url is None:
        from au_sys_storage_sdk.manifest.config import StorageSettings

        url = StorageSettings().resolved_url()
    blobs = None if blobs_url is None else open_blobs(blobs_url)
    async with Storage(await document_store(url), blobs) as storage:
        yield storage


def open_blobs(url: str | None = None) -> Blobs:
    """Blobs over the backend that a URL names; without one, over the platform's (``STORAGE_BLOBS_URL``).

    Several processes of one host may open the same folder. Nothing is touched before the first call; close with
    ``close()`` or use ``async with``.

    Raises:
        InvalidInput: the URL names no blob backend.
    """
    from au_sys_storage_sdk.adapters.opening import blob_store

    if url is None:
        from au_sys_storage_sdk.manifest.config import StorageSettings

        url = StorageSettings().resolved_blobs_url()
    return Blobs(blob_store(url))
