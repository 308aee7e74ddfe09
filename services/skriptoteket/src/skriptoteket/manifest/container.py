"""Settings choose adapters, build services."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi_services_platform import (
    Database,
    PlatformSettings,
    blocking,
)
from skriptoteket.adapters.bank.folders import read_bank
from skriptoteket.adapters.db.notifying import NotifyingDoorbell
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.environments.shelf import FolderShelf
from skriptoteket.adapters.platform.health import RunnerHealth
from skriptoteket.adapters.platform.metrics import LibraryMetrics
from skriptoteket.adapters.platform.time_and_ids import SystemClock, TimeOrderedIds
from skriptoteket.adapters.worker.doorbell import UnixDoorbell
from skriptoteket.core.catalog.browsing import Browsing
from skriptoteket.core.catalog.classification import Classification
from skriptoteket.core.catalog.curation import Curation
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.governance.environments.approving import Approving
from skriptoteket.core.governance.nominations.deciding import Nominating
from skriptoteket.core.governance.stewardship.assignment import Stewardship
from skriptoteket.core.governance.suggestions.triage import Suggesting
from skriptoteket.core.interaction.actions import Interaction
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.runs.inputs import UploadLimits
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.observing.reliability import Reliability
from skriptoteket.core.runs.oversight.foreign import ForeignRuns
from skriptoteket.core.runs.oversight.leaving import Leaving
from skriptoteket.core.runs.oversight.operations import Operating
from skriptoteket.core.runs.oversight.telling import Telling
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.queueing.admission import AdmissionRules
from skriptoteket.core.runs.retention import KeepingTimes, Retention
from skriptoteket.core.runs.submission import RunSubmission
from skriptoteket.core.runs.trials import Trials
from skriptoteket.core.runs.watching import RunWatching
from skriptoteket.core.schedules.firing import Firing
from skriptoteket.core.schedules.planning import Planning
from skriptoteket.core.versions.bank.installation import BankInstallation
from skriptoteket.core.versions.bank.models import Installed
from skriptoteket.core.versions.bank.taxonomy import install_taxonomy
from skriptoteket.core.versions.behaviour import LIMIT_CEILINGS, Ceilings
from skriptoteket.core.versions.draft_lock import DraftLocking
from skriptoteket.core.versions.drafting import Drafting
from skriptoteket.core.versions.publication import Publication
from skriptoteket.core.versions.review import Reviewing
from skriptoteket.manifest.config import SkriptoteketSettings

MEGABYTE = 1_000_000
FORM_ALLOWANCE = 1_000_000
"""Bytes of a submission beside its files: texts of the form and the boundaries."""


@dataclass(frozen=True, slots=True)
class Library:
    """Everything of the library that needs no blobs and no caller: for the web, the worker and the command line."""

    settings: SkriptoteketSettings
    work: SqlUnitOfWork
    clock: SystemClock
    ids: TimeOrderedIds
    state_dir: Path
    browsing: Browsing
    curation: Curation
    drafting: Drafting
    locking: DraftLocking
    reviewing: Reviewing
    publication: Publication
    stewardship: Stewardship
    suggesting: Suggesting
    nominating: Nominating
    lookup: ToolLookup
    submissions: RunSubmission
    trials: Trials
    watching: RunWatching
    preferences: Preferences
    interaction: Interaction
    foreign: ForeignRuns
    operating: Operating
    leaving: Leaving
    reliability: Reliability
    classification: Classification
    planning: Planning
    firing: Firing
    approving: Approving
    telling: Telling
    health: RunnerHealth
    metrics: LibraryMetrics

    async def install_what_ships(
        self, *, publish: bool = True, only: tuple[str, ...] = (), dry: bool = False
    ) -> list[Installed]:
        """The taxonomy and the tools of the script bank; installing twice changes nothing. ``dry`` only looks.

        Raises:
            ValueError: ``only`` names a tool that does not ship.
        """
        tools = await blocking(read_bank, only)
        if missing := sorted(set(only) - {tool.slug for tool in tools}):
            raise ValueError(f"--only: no tool of the script bank is called {', '.join(missing)}")
        if not dry:
            await install_taxonomy(self.work)
        # What ships was reviewed where it was made: rules for the library's own authors do not keep it out.
        reviewing = Reviewing(self.work, self.clock, self.ids)
        publication = Publication(self.work, self.clock, self.ids)
        bank = BankInstallation(self.work, self.curation, self.drafting, reviewing, publication)
        return await bank.install(tools, publish=publish, dry=dry)


def upload_limits(settings: SkriptoteketSettings) -> UploadLimits:
    """What one submission may bring."""
    return UploadLimits(
        settings.upload_max_files, settings.upload_max_file_mb * MEGABYTE, settings.upload_max_total_mb * MEGABYTE
    )


_LIMITS = (
    "wall_seconds",
    "memory_mib",
    "cpu",
    "processes",
    "workspace_mib",
    "tmp_mib",
    "shm_mib",
    "file_mib",
    "artifact_count",
    "artifact_mib",
    "artifacts_total_mib",
)
_ASKED = ("wall_seconds", "memory_mib", "cpu", "processes", "workspace_mib")


def default_limits(settings: SkriptoteketSettings) -> Limits:
    """What a run may use whose version asks for nothing else."""
    return Limits(**{name: getattr(settings, f"limit_{name}") for name in _LIMITS})


def ceilings(settings: SkriptoteketSettings) -> Ceilings:
    """Lowest and highest of what a version may ask for."""
    return {name: (LIMIT_CEILINGS[name][0], getattr(settings, f"limit_{name}_ceiling")) for name in _ASKED}


def keeping_hours(settings: SkriptoteketSettings) -> dict[str, int]:
    """The retention settings, all in hours."""
    kept = {name: value for name, value in settings.model_dump().items() if name.startswith("retain_")}
    return {name: value * (24 if name.endswith("_days") else 1) for name, value in kept.items()}


def retention(library: Library, files: ArtifactStore) -> Retention:
    """The purge, over the files of this process."""
    settings = library.settings
    times = KeepingTimes(
        inputs=timedelta(hours=settings.retain_inputs_hours),
        artifacts=timedelta(days=settings.retain_artifacts_days),
        logs=timedelta(days=settings.retain_logs_days),
        results=timedelta(days=settings.retain_results_days),
        runs=timedelta(days=settings.retain_runs_days),
        sessions=timedelta(hours=settings.retain_sessions_hours),
    )
    return Retention(library.work, files, library.clock, times)


def build_library(database: Database, platform: PlatformSettings, settings: SkriptoteketSettings) -> Library:
    """Build the services on a database; nothing is opened."""
    work, clock, ids = SqlUnitOfWork(database), SystemClock(), TimeOrderedIds()
    state_dir = settings.state_dir or platform.data_dir / "skriptoteket"
    bell = NotifyingDoorbell(database, UnixDoorbell(state_dir))
    alive_for = timedelta(seconds=settings.lease_seconds)
    rules = AdmissionRules(
        max_queue_depth=settings.max_queue_depth,
        max_queued_per_user=settings.max_queued_per_user,
        queue_deadline=timedelta(seconds=settings.queue_deadline_seconds),
        worker_alive=alive_for,
        require=settings.require,
        default_limits=default_limits(settings),
        trial_seconds=settings.limit_sandbox_wall_seconds,
        ceilings=ceilings(settings),
    )
    operating = Operating(work, clock, alive_for)
    return Library(
        settings=settings,
        work=work,
        clock=clock,
        ids=ids,
        state_dir=state_dir,
        browsing=Browsing(work, clock),
        curation=Curation(work, clock, ids),
        drafting=Drafting(work, clock, ids, settings.environments, ceilings(settings)),
        locking=DraftLocking(work, clock),
        reviewing=Reviewing(work, clock, ids, require_trial=settings.require_sandbox_success),
        publication=Publication(work, clock, ids, settings.four_eyes, settings.publish_assurance),
        stewardship=Stewardship(work, clock, ids),
        suggesting=Suggesting(work, clock, ids),
        nominating=Nominating(work, clock, ids),
        lookup=ToolLookup(work),
        submissions=RunSubmission(work, clock, bell, rules),
        trials=Trials(
            work,
            clock,
            ids,
            bell,
            rules,
            settings.environments,
            keep=timedelta(hours=settings.retain_snapshots_hours),
            ceilings=ceilings(settings),
        ),
        watching=RunWatching(work, clock, bell, timedelta(days=settings.retain_artifacts_days)),
        preferences=Preferences(work),
        interaction=Interaction(work, clock, bell, rules, timedelta(hours=settings.retain_sessions_hours)),
        foreign=ForeignRuns(work, clock, ids),
        reliability=Reliability(work, clock),
        leaving=Leaving(work, clock, ids, bell),
        operating=operating,
        approving=Approving(work, FolderShelf(settings.environments_dir, settings.environments), clock, ids),
        classification=Classification(work),
        planning=Planning(work, clock),
        firing=Firing(work, clock, ids, bell, rules),
        telling=Telling(work, clock, keeping_hours(settings)),
        health=RunnerHealth(work, clock, alive_for),
        metrics=LibraryMetrics(operating, work),
    )
