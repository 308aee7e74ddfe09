"""What endpoints may ask for: the library's verbs, and the desks that pages stand at."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from au_sys_storage_sdk import Blobs
from fastapi_services_platform import (
    AuditTrail,
    Authorizer,
    PlatformError,
    RoleAdministration,
    Service,
    SubjectDirectory,
)
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.directory import People
from skriptoteket.adapters.http.event_stream import Streams
from skriptoteket.adapters.http.nominating import NominationDesk
from skriptoteket.adapters.http.oversight import OversightDesk
from skriptoteket.adapters.http.scheduling import ScheduleDesk
from skriptoteket.adapters.http.submitting import SubmissionDesk
from skriptoteket.adapters.http.trying import TrialDesk
from skriptoteket.adapters.http.used_again import Stepping
from skriptoteket.adapters.platform.roles import PlatformRoles
from skriptoteket.adapters.web.editor import EditorDesk
from skriptoteket.adapters.web.governing.curation import CurationDesk
from skriptoteket.adapters.web.governing.review import ReviewDesk
from skriptoteket.adapters.web.governing.suggestions import SuggestionDesk
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.browsing import Browsing
from skriptoteket.core.catalog.classification import Classification
from skriptoteket.core.catalog.curation import Curation
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.governance.environments.approving import Approving
from skriptoteket.core.governance.stewardship.assignment import Stewardship
from skriptoteket.core.governance.suggestions.triage import Suggesting
from skriptoteket.core.interaction.actions import Interaction
from skriptoteket.core.ports import Ids
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.runs.inputs import UploadLimits
from skriptoteket.core.runs.observing.reading import Reading
from skriptoteket.core.runs.observing.reliability import Reliability
from skriptoteket.core.runs.oversight.foreign import ForeignRuns
from skriptoteket.core.runs.oversight.operations import Operating
from skriptoteket.core.runs.oversight.removal import Removal
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.submission import RunSubmission
from skriptoteket.core.runs.trials import Trials
from skriptoteket.core.runs.watching import RunWatching
from skriptoteket.core.versions.draft_lock import DraftLocking
from skriptoteket.core.versions.drafting import Drafting
from skriptoteket.core.versions.publication import Publication
from skriptoteket.core.versions.review import Reviewing
from skriptoteket.manifest.container import Library, upload_limits


def services(library: Library, audit: AuditTrail) -> tuple[Service, ...]:
    """Recipes for the container."""
    settings = library.settings
    readers = Readers(settings.timezone)
    ready: dict[type[Any], object] = {  # Any: interfaces of unrelated types
        Browsing: library.browsing,
        Curation: library.curation,
        Drafting: library.drafting,
        DraftLocking: library.locking,
        Reviewing: library.reviewing,
        Publication: library.publication,
        Stewardship: library.stewardship,
        Suggesting: library.suggesting,
        ToolLookup: library.lookup,
        RunSubmission: library.submissions,
        RunWatching: library.watching,
        Preferences: library.preferences,
        Trials: library.trials,
        Interaction: library.interaction,
        ForeignRuns: library.foreign,
        Operating: library.operating,
        Reliability: library.reliability,
        Classification: library.classification,
        UploadLimits: upload_limits(settings),
        Ids: library.ids,
        Approving: library.approving,
        Readers: readers,
        Ledger: Ledger(audit),
    }
    return (
        *(Service(interface, _giving(service)) for interface, service in ready.items()),
        *_services_of_the_platform(library),
        *_desks_with_files(library, readers),
        *_desks(library, readers),
    )


def _services_of_the_platform(library: Library) -> tuple[Service, ...]:
    async def files(scope: Any) -> BlobArtifactStore:  # Any: the container's scope, which the runtime does not export
        return BlobArtifactStore(await scope.get(Blobs), library.settings.blob_namespace)

    async def removal(scope: Any) -> Removal:  # Any: as above
        return Removal(library.work, await scope.get(ArtifactStore), library.clock)

    async def actors(scope: Any) -> Actors:  # Any: as above
        return Actors(await scope.get(Authorizer))

    async def people(scope: Any) -> People:  # Any: as above
        try:
            directory = await scope.get(SubjectDirectory)
        except PlatformError:  # the port is optional
            directory = None
        return People(directory, await scope.get(Authorizer))

    async def streams(_scope: Any) -> AsyncIterator[Streams]:  # Any: as above
        found = Streams(Reading(library.work, library.ids))
        yield found
        await found.close()

    async def stepping(scope: Any) -> Stepping:  # Any: as above
        return Stepping(library.interaction, await scope.get(ArtifactStore))

    return (
        Service(ArtifactStore, files),
        Service(Stepping, stepping),
        Service(Removal, removal),
        Service(Streams, streams),
        Service(Actors, actors),
        Service(People, people),
    )


def _desks_with_files(library: Library, readers: Readers) -> tuple[Service, ...]:
    limits = upload_limits(library.settings)

    async def submitting(scope: Any) -> SubmissionDesk:  # Any: as above
        files = await scope.get(ArtifactStore)
        locale = library.settings.default_locale
        return SubmissionDesk(library.submissions, library.watching, files, limits, library.ids, locale)

    async def trying(scope: Any) -> TrialDesk:  # Any: as above
        return TrialDesk(library.trials, await scope.get(ArtifactStore), limits, library.ids)

    async def scheduling(scope: Any) -> ScheduleDesk:  # Any: as above
        files, settings = await scope.get(ArtifactStore), library.settings
        parts = (library.planning, library.firing, library.submissions, files, limits, library.ids)
        return ScheduleDesk(*parts, settings.timezone, settings.default_locale)

    async def editing(scope: Any) -> EditorDesk:  # Any: as above
        return EditorDesk(
            library.drafting,
            library.reviewing,
            library.locking,
            await scope.get(TrialDesk),
            library.lookup,
            await scope.get(Actors),
            await scope.get(People),
            readers,
            await scope.get(Ledger),
            library.settings.environments,
        )

    return (
        Service(SubmissionDesk, submitting),
        Service(TrialDesk, trying),
        Service(ScheduleDesk, scheduling),
        Service(EditorDesk, editing),
    )


def _desks(library: Library, readers: Readers) -> tuple[Service, ...]:
    async def asked(scope: Any) -> tuple[Actors, People, Readers, Ledger]:  # Any: as above
        return await scope.get(Actors), await scope.get(People), readers, await scope.get(Ledger)

    async def reviewing(scope: Any) -> ReviewDesk:  # Any: as above
        return ReviewDesk(library.reviewing, library.publication, library.watching, *await asked(scope))

    async def curating(scope: Any) -> CurationDesk:  # Any: as above
        return CurationDesk(
            library.curation,
            library.drafting,
            library.publication,
            library.stewardship,
            library.browsing,
            library.reliability,
            *await asked(scope),
        )

    async def suggesting(scope: Any) -> SuggestionDesk:  # Any: as above
        return SuggestionDesk(library.suggesting, library.browsing, *await asked(scope))

    async def overseeing(scope: Any) -> OversightDesk:  # Any: as above
        actors, people, _, ledger = await asked(scope)
        removal = await scope.get(Removal)
        return OversightDesk(library.foreign, library.watching, removal, library.lookup, actors, people, ledger)

    async def nominating(scope: Any) -> NominationDesk:  # Any: as above
        actors, people, _, ledger = await asked(scope)
        return NominationDesk(library.nominating, actors, people, ledger, await roles_of(scope))

    return (
        Service(ReviewDesk, reviewing),
        Service(CurationDesk, curating),
        Service(SuggestionDesk, suggesting),
        Service(NominationDesk, nominating),
        Service(OversightDesk, overseeing),
    )


async def roles_of(scope: Any) -> PlatformRoles | None:  # Any: as above
    """Who gives and takes rights; ``None`` where no capability does."""
    try:
        return PlatformRoles(await scope.get(RoleAdministration))
    except PlatformError:  # the port is optional
        return None


def _giving(service: object) -> Callable[[object], object]:
    return lambda _scope: service
