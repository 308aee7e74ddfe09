"""Settings choose adapters: the services that live as long as the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from au_sys_storage_sdk.adapters.opening import blob_store, document_store
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.policies import Policies
from au_sys_storage_sdk.core.storage import Storage
from au_sys_storage_sdk.manifest.config import StorageSettings
from fastapi_services_platform import Service


def sealed(store: DocumentStore, settings: StorageSettings) -> DocumentStore:
    """The store, sealing documents when keys are set. Raises ``InvalidInput`` for bad keys."""
    keys = settings.key_bytes()
    if not keys:
        return store
    from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
    from au_sys_storage_sdk.core.wrappers.keys import KeyRing

    return Encrypted(store, KeyRing(keys), accept_plain=settings.encryption_accept_plain)


def services(settings: StorageSettings, data_dir: Path) -> tuple[Service, ...]:
    """Documents, blobs and policies; each is opened on first use and closed with the app."""

    async def storage(_scope: object) -> AsyncIterator[Storage]:
        opened = sealed(await document_store(settings.resolved_url(data_dir)), settings)
        async with Storage(opened, max_value=settings.max_document_bytes) as made:
            yield made

    async def blobs(_scope: object) -> AsyncIterator[Blobs]:
        async with Blobs(blob_store(settings.resolved_blobs_url(data_dir))) as made:
            yield made

    return (
        Service(Storage, storage, ping=lambda made: made.ping()),
        Service(Blobs, blobs, ping=lambda made: made.ping()),
        Service(Policies, lambda _scope: settings.policies()),
    )
