"""What storage offers the platform, as data."""

from __future__ import annotations

from importlib.metadata import version

from au_sys_storage_sdk.adapters.api.auditing import API_EVENTS
from au_sys_storage_sdk.adapters.api.problems import PROBLEMS
from au_sys_storage_sdk.adapters.api.switching import SWITCH_EVENTS, SwitchAudit
from au_sys_storage_sdk.adapters.api.uploads import sweep_uploads
from au_sys_storage_sdk.adapters.web.editing import EVENTS, Editing
from au_sys_storage_sdk.adapters.web.searching import Places
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.storage import Storage as Documents
from au_sys_storage_sdk.manifest.config import StorageSettings
from au_sys_storage_sdk.manifest.container import services
from au_sys_storage_sdk.manifest.menu import MENU
from au_sys_storage_sdk.manifest.permissions import BUNDLES, PERMISSIONS
from au_sys_storage_sdk.manifest.routers import ROUTERS
from fastapi_services_platform import (
    Contribution,
    Job,
    LocaleFolder,
    Manifest,
    Platform,
    Service,
    StaticFolder,
    TemplateFolder,
)


class Storage:
    """The capability."""

    manifest = Manifest(
        name="storage",
        version=version("au-sys-storage-sdk"),
        summary="Documents and blobs over exchangeable backends",
        provides=("storage@1",),
        settings=StorageSettings,
    )

    def __init__(self) -> None:
        self._platform: Platform | None = None
        self._settings = StorageSettings.model_construct()

    async def initialize(self, platform: Platform) -> Contribution:
        """Wire, and hand over what there is."""
        self._platform = platform
        self._settings = StorageSettings()
        return Contribution(
            routers=ROUTERS,
            permissions=PERMISSIONS,
            bundles=BUNDLES,
            services=(
                *services(self._settings, platform.settings.data_dir, platform.audit),
                Service(Editing, lambda _scope: Editing(platform.audit)),
                Service(SwitchAudit, lambda _scope: SwitchAudit(platform.audit, self._settings.switch_rate)),
            ),
            jobs=(Job("storage.expire", self._expire, interval=30), Job("storage.tidy", self._tidy, interval=3600)),
            problems=PROBLEMS,
            templates=(TemplateFolder("au_sys_storage_sdk.adapters.web"),),
            static=(StaticFolder("au_sys_storage_sdk.adapters.web"),),
            searches=Places(platform).all(),
            menu=MENU,
            locales=(LocaleFolder("au_sys_storage_sdk.adapters.web"),),
            audit_events=(*EVENTS, *API_EVENTS, *SWITCH_EVENTS),
        )

    async def startup(self) -> None:
        """Open the documents, so that a file in other hands stops the start and not the first request."""
        await self._documents()

    async def _documents(self) -> Documents:
        if self._platform is None:
            raise RuntimeError("initialize comes before startup")
        return await self._platform.container.get(Documents)

    async def _expire(self) -> None:
        """Remove documents whose time to live has ended."""
        await (await self._documents()).sweep()

    async def _tidy(self) -> None:
        """Keep the change feed within its bound, and remove what interrupted uploads left behind."""
        documents = await self._documents()
        await documents.compact(self._settings.feed_entries)
        if self._platform is not None:
            blobs = await self._platform.container.get(Blobs)
            await sweep_uploads(documents, blobs)
            await blobs.sweep()
