"""Documents and blobs for capabilities and programs; which backend holds them is configuration.

The names of this door load no backend: a backend's library is imported when its URL is opened.
"""

from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.errors import Conflict, NotFound, StorageError, TooLarge, Unavailable
from au_sys_storage_sdk.core.preconditions import ABSENT

__all__ = ["ABSENT", "Blobs", "Conflict", "NotFound", "StorageError", "TooLarge", "Unavailable", "open_blobs"]


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
