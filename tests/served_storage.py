"""A platform with storage on a real port, for backends over HTTP; what it keeps is exchanged before each test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from starlette.requests import HTTPConnection

from au_sys_storage_sdk.adapters.memory.blobs import MemoryBlobs
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.core.documents import changes
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding
from au_sys_storage_sdk.manifest import container
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import (
    Anonymous,
    Authentication,
    Authenticator,
    Authorizer,
    Contribution,
    Manifest,
    Principal,
    Service,
    create_app,
)
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import BelievingDoor, Prepared
from fastapi_services_platform.testing.started_app import settings_for

T = TypeVar("T")


class KeyDoor(BelievingDoor):
    """Believes the API key that ``ada`` has; ``nobody`` may do nothing."""

    async def authenticate(self, connection: HTTPConnection) -> Authentication:
        """Whoever the key names."""
        name = connection.headers.get("x-api-key", "")
        return Principal(f"urn:fsp:app:{name}", "app", name, "password") if name == "ada" else Anonymous()


@dataclass
class Served:
    """A running server and the stores behind it."""

    url: str
    documents: Forwarding
    blobs: MemoryBlobs
    loop: asyncio.AbstractEventLoop | None = None

    def fresh(self, clock: Ticking) -> None:
        """Forget everything; from now on the documents run on this clock."""
        self.documents.inner = MemoryDocuments(clock=clock)
        changes.forget()
        self.blobs.__init__()  # type: ignore[misc]  # the server holds this very object

    async def on_server(self, work: Coroutine[object, object, T]) -> T:
        """Run what an operator does where the stores live."""
        assert self.loop is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))


@contextmanager
def served_platform(folder: Path) -> Iterator[Served]:
    """A running platform with its data below a folder, and believing the API key ``ada``."""
    made = Served("", Forwarding(MemoryDocuments()), MemoryBlobs())

    async def opened(url: str, credentials: object = None) -> DocumentStore:
        made.loop = asyncio.get_running_loop()
        return made.documents

    door = KeyDoor()
    services = (Service(Authenticator, lambda _scope: door), Service(Authorizer, lambda _scope: door))
    manifest = Manifest("identity", "1.0", "Believes a key", provides=("authenticator@1", "authorizer@1"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(container, "document_store", opened)
        patched.setattr(container, "blob_store", lambda url, credentials=None: made.blobs)
        settings = settings_for(folder)
        app = create_app(settings, capabilities=[Storage(), Prepared(manifest, Contribution(services=services))])
        with serve(app) as url:
            made.url = url
            yield made
