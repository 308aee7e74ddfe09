"""Settings choose adapters: the services that live as long as the app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from au_sys_storage_sdk.adapters.api.access import Desk, Terms
from au_sys_storage_sdk.adapters.api.auditing import ChangeAudit
from au_sys_storage_sdk.adapters.api.followers import Followers
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.opening import blob_store, document_store
from au_sys_storage_sdk.adapters.web.switch import Targets
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.core.storage import Storage
from au_sys_storage_sdk.core.switching.switchable import Switchable
from au_sys_storage_sdk.manifest.config import DEFAULT_BACKEND, StorageSettings
from fastapi_services_platform import AuditTrail, Authorizer, Service

T = TypeVar("T")

SWITCH_JOURNAL = "storage-switch.json"


class Services(Protocol):
    """The part of a scope that is needed here."""

    async def get(self, interface: Callable[..., T]) -> T: ...


def sealed(store: DocumentStore, settings: StorageSettings) -> DocumentStore:
    """The store, sealing documents when keys are set. Raises ``InvalidInput`` for bad keys."""
    keys = settings.key_bytes()
    if not keys:
        return store
    from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
    from au_sys_storage_sdk.core.wrappers.keys import KeyRing

    seals = settings.policies().seals
    return Encrypted(store, KeyRing(keys), accept_plain=settings.encryption_accept_plain, seals=seals)


async def switchable_store(settings: StorageSettings, data_dir: Path, journal: FileJournal) -> Switchable:
    """The backend that the journal names, with a switch taken up that was under way.

    Raises:
        InvalidInput: it is another platform, which opens the namespaces that a platform keeps for itself to nobody.
    """

    async def opened(name: str) -> DocumentStore:
        url = settings.address_of(name, data_dir)
        if url.startswith(("https:", "http:")):
            raise InvalidInput(
                "STORAGE_URL" if name == DEFAULT_BACKEND else "STORAGE_SWITCH_TARGETS",
                f"backend {name!r} is another platform, which keeps documents of programs and not a platform's own",
                "name sqlite:///path, postgresql:// or redis:// here, and open https:// from programs",
            )
        return await document_store(url, settings.credentials())

    return await Switchable.open(DEFAULT_BACKEND, journal, opened, keep=settings.switch_keep_seconds)


def services(settings: StorageSettings, data_dir: Path, audit: AuditTrail) -> tuple[Service, ...]:
    """Documents, blobs and what callers may do with them; each is opened on first use and closed with the app.

    Raises:
        InvalidInput: a rule of a namespace is not valid.
    """

    async def switchable(_scope: object) -> AsyncIterator[Switchable]:
        journal = FileJournal(data_dir / SWITCH_JOURNAL)
        journal.hold(alone=False)
        try:
            opened = await switchable_store(settings, data_dir, journal)
            yield opened
            await opened.close()
        finally:
            journal.release()

    async def storage(scope: Services) -> Storage:
        return Storage(sealed(await scope.get(Switchable), settings), max_value=settings.max_document_bytes)

    async def blobs(_scope: object) -> AsyncIterator[Blobs]:
        async with Blobs(blob_store(settings.resolved_blobs_url(data_dir), settings.credentials())) as made:
            yield made

    policies = settings.policies()

    async def desk(scope: Services) -> Desk:
        terms = Terms(policies, settings.max_document_bytes, settings.idempotency_seconds)
        changes = ChangeAudit(audit, await scope.get(Authorizer))
        return Desk(await scope.get(Storage), await scope.get(Blobs), terms, changes)

    return (
        Service(Switchable, switchable),
        Service(Storage, storage, ping=lambda made: made.ping()),
        Service(Blobs, blobs, ping=lambda made: made.ping()),
        Service(Desk, desk),
        Service(Followers, lambda _scope: Followers()),
        Service(Targets, lambda _scope: Targets((DEFAULT_BACKEND, *sorted(settings.switch_targets)))),
    )
