"""Settings choose adapters: the services that live as long as the app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
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
from au_sys_storage_sdk.core.switching.divided import MAIN, Divided, require_in_place
from au_sys_storage_sdk.core.switching.journal import Entry
from au_sys_storage_sdk.core.switching.switchable import Switchable
from au_sys_storage_sdk.core.switching.switches import Switches
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


def journal_of(part: str, data_dir: Path) -> FileJournal:
    """Where a part's switches are noted."""
    return FileJournal(data_dir / (f"storage-switch.{part}.json" if part else SWITCH_JOURNAL))


async def switchable_store(
    settings: StorageSettings, data_dir: Path, journal: FileJournal, part: str = MAIN
) -> Switchable:
    """The backend that the journal names, with a switch taken up that was under way.

    Raises:
        InvalidInput: it is another platform, which opens the namespaces that a platform keeps for itself to nobody.
    """

    async def opened(name: str) -> DocumentStore:
        url = settings.address_of(name, data_dir, part)
        if url.startswith(("https:", "http:")):
            raise InvalidInput(
                "STORAGE_URL" if name == DEFAULT_BACKEND else "STORAGE_SWITCH_TARGETS",
                f"backend {name!r} is another platform, which keeps documents of programs and not a platform's own",
                "name sqlite:///path, postgresql:// or redis:// here, and open https:// from programs",
            )
        return await document_store(url, settings.credentials())

    if part and await journal.read() is None:
        await journal.write(Entry(DEFAULT_BACKEND, 1))  # from here on the part is known, and cannot be forgotten
    return await Switchable.open(DEFAULT_BACKEND, journal, opened, keep=settings.switch_keep_seconds)


def _known_parts(data_dir: Path) -> set[str]:
    return {path.name.split(".")[1] for path in data_dir.glob("storage-switch.*.json")}


@asynccontextmanager
async def opened_switches(settings: StorageSettings, data_dir: Path, *, alone: bool = False) -> AsyncIterator[Switches]:
    """The switchable store of each part; ``alone``: nobody else may have them open.

    Raises:
        InvalidInput: a part that has documents is not configured any more.
        InUse: another process has them open, and one of both is alone.
    """
    for part in sorted(_known_parts(data_dir) - settings.parts.keys()):
        raise InvalidInput(
            "STORAGE_PARTS", f"part {part!r} is not configured any more",
            "name it again; with no namespaces, 'au-sys-storage divide' takes it apart",
        )  # fmt: skip
    settings.require_apart(data_dir)
    async with AsyncExitStack() as stack:
        stores: dict[str, Switchable] = {}
        for part in (MAIN, *settings.parts):
            journal = journal_of(part, data_dir)
            journal.hold(alone=alone)
            stack.callback(journal.release)
            stores[part] = await switchable_store(settings, data_dir, journal, part)
            stack.push_async_callback(stores[part].close)
        yield Switches(stores, DEFAULT_BACKEND)


def whole(stores: Mapping[str, DocumentStore], settings: StorageSettings) -> DocumentStore:
    """All parts as one store, sealing documents when keys are set."""
    opened = {part: sealed(store, settings) for part, store in stores.items()}
    return opened[MAIN] if len(opened) == 1 else Divided(opened, settings.division())


def services(settings: StorageSettings, data_dir: Path, audit: AuditTrail) -> tuple[Service, ...]:
    """Documents, blobs and what callers may do with them; each is opened on first use and closed with the app.

    Raises:
        InvalidInput: a rule of a namespace is not valid.
    """

    async def switches(_scope: object) -> AsyncIterator[Switches]:
        async with opened_switches(settings, data_dir) as made:
            if settings.parts:
                await require_in_place(dict(made), settings.division())
            yield made

    async def storage(scope: Services) -> Storage:
        stores = dict(await scope.get(Switches))
        return Storage(whole(stores, settings), max_value=settings.max_document_bytes)

    async def blobs(_scope: object) -> AsyncIterator[Blobs]:
        async with Blobs(blob_store(settings.resolved_blobs_url(data_dir), settings.credentials())) as made:
            yield made

    policies = settings.policies()
    targets = Targets((DEFAULT_BACKEND, *sorted(settings.switch_targets)), settings.division().parts)

    async def desk(scope: Services) -> Desk:
        terms = Terms(policies, settings.max_document_bytes, settings.idempotency_seconds)
        changes = ChangeAudit(audit, await scope.get(Authorizer))
        return Desk(await scope.get(Storage), await scope.get(Blobs), terms, changes)

    return (
        Service(Switches, switches),
        Service(Storage, storage, ping=lambda made: made.ping()),
        Service(Blobs, blobs, ping=lambda made: made.ping()),
        Service(Desk, desk),
        Service(Followers, lambda _scope: Followers()),
        Service(Targets, lambda _scope: targets),
    )
