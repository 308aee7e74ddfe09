"""Wire the command line: the same database, blobs and settings as the web process has."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from au_sys_storage_sdk import open_blobs
from fastapi_services_platform import Database, PlatformSettings, open_database
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.cli.commands import CommandParts, command_line
from skriptoteket.adapters.cli.environments import EnvironmentParts
from skriptoteket.adapters.cli.furnishing import FurnishingParts
from skriptoteket.adapters.db.notifying import notified
from skriptoteket.adapters.sandbox.probe import HostReport, choose_sandbox, default_sandbox
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.governance.environments.approving import EnvironmentState
from skriptoteket.core.runs.oversight.removal import Removal
from skriptoteket.core.runs.retention import Purged
from skriptoteket.core.runs.sandbox import Sandbox
from skriptoteket.core.versions.bank.models import Installed
from skriptoteket.core.versions.bank.taxonomy import install_taxonomy
from skriptoteket.manifest.config import SkriptoteketSettings
from skriptoteket.manifest.container import Library, build_library, retention
from skriptoteket.manifest.plugin import MIGRATIONS, VERSION
from skriptoteket.manifest.runners import (
    alive,
    environments_folder,
    has_pandas,
    make_image,
    make_runner,
    make_waiting,
    reap,
    runner_choice,
    shelf_of,
    state_dir_of,
    unsafe_runner,
)


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Library, Database]]:
    platform = PlatformSettings()
    database = open_database("skriptoteket", platform)
    try:
        await database.migrate(MIGRATIONS)
        yield build_library(database, platform, SkriptoteketSettings()), database
    finally:
        await database.close()


async def _taxonomy() -> int:
    async with _opened() as (library, _):
        return await install_taxonomy(library.work)


async def _install(publish: bool, only: tuple[str, ...], dry: bool) -> Sequence[Installed]:
    async with _opened() as (library, _):
        return await library.install_what_ships(publish=publish, only=only, dry=dry)


async def _work(once: bool, unsafe: bool) -> None:
    async with _opened() as (library, database), open_blobs() as blobs:
        settings = library.settings
        if unsafe:
            sandbox, report = unsafe_runner(library.state_dir)
        else:
            sandbox, report = await choose_sandbox(library.state_dir, runner_choice(settings))
        parts = WorkerParts(
            uow=library.work,
            files=BlobArtifactStore(blobs, settings.blob_namespace),
            sandbox=sandbox if report.usable or unsafe else None,
            report=report,
            clock=library.clock,
            usable=library.approving.usable,
            listening=partial(
                notified, database, url=settings.listen_url.get_secret_value() if settings.listen_url else None
            ),
            one_host=database.dialect == "sqlite",
            digests={one.name: one.digest for one in await shelf_of(settings).built()},
        )
        await run_worker(worker_settings(library), parts, once=once)


def worker_settings(library: Library) -> WorkerSettings:
    """The worker's share of the settings."""
    settings = library.settings
    return WorkerSettings(
        state_dir=library.state_dir,
        version=VERSION,
        lease_seconds=settings.lease_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        drain_seconds=settings.drain_seconds,
        max_tries=settings.max_tries,
        max_active_per_user=settings.max_active_per_user,
        memory_budget_mib=settings.worker_memory_budget_mib,
        cpu_slots=settings.worker_cpu_slots,
        timezone=settings.timezone,
        lane_weights={str(lane): weight for lane, weight in settings.lane_weights.items()},
        environments=frozenset(settings.environments),
    )


def _sandbox() -> Sandbox:
    return default_sandbox(state_dir_of(SkriptoteketSettings()))


async def _report() -> HostReport:
    settings = SkriptoteketSettings()
    sandbox, report = await choose_sandbox(state_dir_of(settings), runner_choice(settings))
    await sandbox.close()
    return report


async def _prune(dry: bool) -> Purged:
    async with _opened() as (library, _), open_blobs() as blobs:
        return await retention(library, BlobArtifactStore(blobs, library.settings.blob_namespace)).purge(dry=dry)


async def _forget(urn: str) -> int:
    async with _opened() as (library, _), open_blobs() as blobs:
        files = BlobArtifactStore(blobs, library.settings.blob_namespace)
        return await library.leaving.erase(urn, Removal(library.work, files, library.clock))


async def _look() -> Sequence[EnvironmentState]:
    async with _opened() as (library, _):
        return await library.approving.look()


_ENVIRONMENTS = EnvironmentParts(environments_folder, _look, make_image, reap, has_pandas)

_FURNISHING = FurnishingParts(_taxonomy, _install)

main = command_line(
    CommandParts(
        _FURNISHING, _work, _report, _prune, _sandbox, make_runner, make_waiting, _forget, _ENVIRONMENTS, alive
    )
)
