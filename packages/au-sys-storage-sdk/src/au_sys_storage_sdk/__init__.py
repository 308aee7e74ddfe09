"""Documents and blobs for capabilities and programs; which backend holds them is configuration.

The names of this door load no backend: a backend's library is imported when its URL is opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.models import Document
from au_sys_storage_sdk.core.documents.queries import In as In
from au_sys_storage_sdk.core.documents.queries import Prefix as Prefix
from au_sys_storage_sdk.core.documents.queries import Range as Range
from au_sys_storage_sdk.core.errors import Conflict, NotFound, StorageError, TooLarge, Unavailable
from au_sys_storage_sdk.core.errors import InvalidInput as InvalidInput
from au_sys_storage_sdk.core.errors import OutcomeUnknown as OutcomeUnknown
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.storage import Storage

if TYPE_CHECKING:
    from au_sys_storage_sdk.adapters.opening import Credentials
    from au_sys_storage_sdk.core.synchronous import SyncStorage

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
    "open_storage_sync",
]


@asynccontextmanager
async def open_storage(
    url: str | None = None,
    blobs_url: str | None = None,
    *,
    api_key: str | None = None,
    ca_file: Path | None = None,
) -> AsyncIterator[Storage]:
    """Documents over the backend that a URL names; without one, over the platform's (``STORAGE_URL``).

    A file of documents has one writing process: the platform's web process. ``blobs_url`` opens blobs beside it.
    ``https://host`` is another platform: unless they are given, ``api_key`` and ``ca_file`` are then
    ``STORAGE_API_KEY`` and ``STORAGE_CA_FILE``.

    Raises:
        InvalidInput: a URL names no backend, or none is given and documents are divided (``STORAGE_PARTS``).
        InUse: another process writes to the file.
    """
    from au_sys_storage_sdk.adapters.opening import document_store

    if url is None:
        from au_sys_storage_sdk.manifest.config import StorageSettings

        settings = StorageSettings()
        if settings.parts:
            raise InvalidInput("url", "the platform's documents lie in several parts (STORAGE_PARTS)", "name one")
        url = settings.resolved_url()
    blobs = None if blobs_url is None else open_blobs(blobs_url, api_key=api_key, ca_file=ca_file)
    async with Storage(await document_store(url, _credentials(url, api_key, ca_file)), blobs) as storage:
        yield storage


def open_storage_sync(
    url: str | None = None,
    blobs_url: str | None = None,
    *,
    api_key: str | None = None,
    ca_file: Path | None = None,
) -> AbstractContextManager[SyncStorage]:
    """:func:`open_storage` for programs without an event loop: the same calls, which return when they are done.

    Raises the same.
    """
    from au_sys_storage_sdk.core.synchronous import driven

    return driven(open_storage(url, blobs_url, api_key=api_key, ca_file=ca_file))


def open_blobs(url: str | None = None, *, api_key: str | None = None, ca_file: Path | None = None) -> Blobs:
    """Blobs over the backend that a URL names; without one, over the platform's (``STORAGE_BLOBS_URL``).

    Several processes of one host may open the same folder. Nothing is touched before the first call; close with
    ``close()`` or use ``async with``. ``api_key`` and ``ca_file`` are for ``https://host``, as in :func:`open_storage`;
    ``ca_file`` also for the endpoint of ``s3://``.

    Raises:
        InvalidInput: the URL names no blob backend.
    """
    from au_sys_storage_sdk.adapters.opening import blob_store

    if url is None:
        from au_sys_storage_sdk.manifest.config import StorageSettings

        url = StorageSettings().resolved_blobs_url()
    return Blobs(blob_store(url, _credentials(url, api_key, ca_file)))


def _credentials(url: str, api_key: str | None, ca_file: Path | None) -> Credentials | None:
    """What is given, else what is set; only a remote platform and an object store ask for it."""
    if not url.startswith(("https:", "http:", "s3:", "gs:", "az:")):
        return None
    from au_sys_storage_sdk.adapters.opening import Credentials
    from au_sys_storage_sdk.manifest.config import StorageSettings

    known = StorageSettings().credentials()
    return Credentials(api_key or known.api_key, ca_file or known.ca_file)
