"""What identity offers the platform, as data."""

from au_sys_identity import __version__
from au_sys_identity.adapters.api.problems import PROBLEMS
from au_sys_identity.adapters.api.router import router as api
from au_sys_identity.adapters.db.tables import whole_metadata
from au_sys_identity.adapters.runtime.searching import Places
from au_sys_identity.adapters.web.arriving.outside_logins import router as outside_logins
from au_sys_identity.adapters.web.router import router as pages
from au_sys_identity.core.events import EVENTS
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.container import Wiring, wire
from au_sys_identity.manifest.jobs import jobs_of
from au_sys_identity.manifest.mcp_tools import MCP_TOOLS
from au_sys_identity.manifest.menu import MENU
from au_sys_identity.manifest.permissions import BUNDLES, PERMISSIONS, role_of
from fastapi_services_platform import (
    Contribution,
    LocaleFolder,
    Manifest,
    Migrations,
    Platform,
    RouterMount,
    StaticFolder,
    TemplateFolder,
    Tier,
    blocking,
)

_WEB = "au_sys_identity.adapters.web"
MIGRATIONS = Migrations("au_sys_identity.adapters.db.migrations", whole_metadata, outbox=True)


class Identity:
    """The capability."""

    manifest = Manifest(
        name="identity",
        version=__version__,
        summary="Who is asking, how surely, what they may do, and who answers for it",
        provides=(
            "authenticator@1",
            "authorizer@1",
            "subject-directory@1",
            "role-administration@1",
            "request-guard@1",
            "audit-trail@1",
            "notifier@1",
            "notice-board@1",
        ),
        settings=IdentitySettings,
        database=True,
    )

    def __init__(self) -> None:
        self._platform: Platform | None = None
        self._wiring: Wiring | None = None

    async def initialize(self, platform: Platform) -> Contribution:
        """Wire, and hand over what there is."""
        self._platform = platform
        self._wiring = wiring = await blocking(wire, platform.database("identity"), platform.settings)
        return Contribution(
            routers=(
                RouterMount("api", api, Tier.API),
                RouterMount("outside", outside_logins, Tier.API),
                RouterMount("pages", pages, Tier.UI),
            ),
            permissions=PERMISSIONS,
            bundles=BUNDLES,
            services=wiring.services,
            jobs=jobs_of(wiring),
            templates=(TemplateFolder(_WEB),),
            static=(StaticFolder(_WEB),),
            locales=(LocaleFolder(_WEB),),
            searches=Places(platform).all(),
            menu=MENU,
            mcp_tools=MCP_TOOLS,
            migrations=MIGRATIONS,
            problems=PROBLEMS,
            audit_events=EVENTS,
            entry_page="/login",
        )

    async def startup(self) -> None:
        """Learn what the other capabilities contributed, and make what the first request would wait for."""
        platform, wiring = self._platform, self._wiring
        if platform is None or wiring is None:
            raise RuntimeError("initialize comes before startup")
        wiring.catalogue.permissions = {known.name: known.summary for known in platform.inventory.permissions}
        wiring.catalogue.bundles = {bundle.name: role_of(bundle) for bundle in platform.inventory.bundles}
        await wiring.prepare()

    async def shutdown(self) -> None:
        """Finish the hashes under way."""
        if self._wiring is not None:
            await self._wiring.close()
