"""What the library offers the platform, as data."""

from fastapi_services_platform import (
    Contribution,
    Database,
    HealthCheck,
    LocaleFolder,
    Manifest,
    Metrics,
    Migrations,
    Platform,
    Process,
    RouterMount,
    StaticFolder,
    TemplateFolder,
    Tier,
)
from skriptoteket.adapters.api.problems import CODES_OF_THE_PLATFORM, problems
from skriptoteket.adapters.api.router import api_router, submission_router
from skriptoteket.adapters.db.tables import whole_metadata
from skriptoteket.adapters.http.auditing import AUDIT_EVENTS
from skriptoteket.adapters.platform.leaving import leaving_handlers
from skriptoteket.adapters.platform.searching import searches
from skriptoteket.adapters.web.router import page_router, submission_pages
from skriptoteket.core.runs.oversight.removal import Removal
from skriptoteket.manifest.config import SkriptoteketSettings
from skriptoteket.manifest.container import FORM_ALLOWANCE, Library, build_library, upload_limits
from skriptoteket.manifest.jobs import jobs
from skriptoteket.manifest.navigation import CARDS, MENU
from skriptoteket.manifest.permissions import BUNDLES, PERMISSIONS
from skriptoteket.manifest.services import services

VERSION = "0.1.0"
WEB = "skriptoteket.adapters.web"
MIGRATIONS = Migrations("skriptoteket.adapters.db.migrations", whole_metadata)


class Skriptoteket:
    """The capability."""

    manifest = Manifest(
        name="skriptoteket",
        version=VERSION,
        summary="Governed script library: reviewed tools, sandboxed runs.",
        requires=("authenticator@1", "authorizer@1"),
        optional=("subject-directory@1", "role-administration@1"),
        after=("identity", "storage"),
        settings=SkriptoteketSettings,
        database=True,
    )

    def __init__(self) -> None:
        self._library: Library | None = None
        self._database: Database | None = None

    async def initialize(self, platform: Platform) -> Contribution:
        """Wire the library; nothing is opened yet."""
        settings, self._database = SkriptoteketSettings(), platform.database("skriptoteket")
        self._library = library = build_library(self._database, platform.settings, settings)
        biggest = upload_limits(settings).max_total_bytes + FORM_ALLOWANCE
        codes = CODES_OF_THE_PLATFORM

        async def removing() -> Removal:
            return await platform.container.get(Removal)

        return Contribution(
            routers=(
                RouterMount("api", api_router(), Tier.API, problem_codes=codes),
                RouterMount("submissions", submission_router(), Tier.API, max_body_bytes=biggest, problem_codes=codes),
                RouterMount("pages", page_router(), Tier.UI),
                RouterMount("submission-pages", submission_pages(), Tier.UI, max_body_bytes=biggest),
            ),
            permissions=PERMISSIONS,
            bundles=BUNDLES,
            services=services(library, platform.audit),
            audit_events=AUDIT_EVENTS,
            health_checks=(HealthCheck("runner", library.health.check),),
            metrics=(Metrics(library.metrics.read),),
            jobs=jobs(library, platform.container, platform.audit),
            event_handlers=leaving_handlers(library.leaving, removing),
            processes=(Process("worker", ("skriptoteket", "worker"), "Runs tools in sandboxes; one per host."),),
            templates=(TemplateFolder(WEB),),
            static=(StaticFolder(WEB),),
            locales=(LocaleFolder(WEB),),
            searches=searches(library.browsing, library.watching),
            menu=MENU,
            cards=CARDS,
            migrations=MIGRATIONS,
            problems=problems(),
        )

    async def startup(self) -> None:
        """Install what ships with the library, if the operator lets it."""
        if self._library is not None and self._database is not None and self._library.settings.install_bank:
            async with self._database.exclusively("bank"):  # nodes that start together install it once
                await self._library.install_what_ships()
