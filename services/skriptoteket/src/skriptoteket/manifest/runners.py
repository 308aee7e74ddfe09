"""Settings choose runners and environments, for the worker and the commands beside it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fastapi_services_platform import PlatformSettings
from skriptoteket.adapters.environments.folders import packages_of
from skriptoteket.adapters.environments.shelf import FolderShelf
from skriptoteket.adapters.sandbox.container.engine import Engine, EngineProblem
from skriptoteket.adapters.sandbox.container.image import build_image
from skriptoteket.adapters.sandbox.probe import RUNNERS, HostReport, RunnerChoice, runner_of
from skriptoteket.adapters.sandbox.unsafe_subprocess import UnsafeSubprocess
from skriptoteket.adapters.worker.identity import StateLock, is_alive
from skriptoteket.core.runs.sandbox import Sandbox
from skriptoteket.manifest.config import SkriptoteketSettings


def runner_choice(settings: SkriptoteketSettings) -> RunnerChoice:
    """The settings that are about runners."""
    return RunnerChoice(
        runner=settings.runner,
        timezone=settings.timezone,
        environments={name: packages_of(settings.environments_dir, name) for name in settings.environments},
        warm_slots=settings.slots_per_environment,
        zygote_max_runs=settings.zygote_max_runs,
        zygote_max_minutes=settings.zygote_max_minutes,
        slot_uids=settings.slot_uids,
        container_url=settings.container_url,
        container_repository=settings.container_image,
        container_runtime=settings.container_runtime,
    )


def state_dir_of(settings: SkriptoteketSettings) -> Path:
    """The worker's folder."""
    return settings.state_dir or PlatformSettings().data_dir / "skriptoteket"


def shelf_of(settings: SkriptoteketSettings) -> FolderShelf:
    """The environments of this host."""
    return FolderShelf(settings.environments_dir, settings.environments)


def environments_folder() -> Path | None:
    """Where environments are built."""
    return SkriptoteketSettings().environments_dir


def has_pandas() -> bool:
    """Whether the first environment of this host brings pandas."""
    settings = SkriptoteketSettings()
    packages = packages_of(settings.environments_dir, settings.environments[0])
    return packages is not None and (packages / "pandas").is_dir()


def make_runner(name: str, state_dir: Path) -> Sandbox | None:
    """A runner of this host by its name; ``None`` where no engine is named for containers."""
    return runner_of(name, state_dir, runner_choice(SkriptoteketSettings()))


def make_waiting(state_dir: Path, slots: int) -> Sandbox:
    """The warm runner with this many waiting slots."""
    choice = replace(runner_choice(SkriptoteketSettings()), warm_slots=slots)
    made = runner_of("zygote", state_dir, choice)
    if made is None:
        raise ValueError("This host has no zygote; see `skriptoteket doctor`.")
    return made


def unsafe_runner(state_dir: Path) -> tuple[Sandbox, HostReport]:
    """Child processes without any isolation, for writing tools.

    Raises:
        ValueError: the platform is in production.
    """
    if PlatformSettings().environment == "prod":
        raise ValueError("--unsafe-subprocess isolates nothing and is refused in production (FSP_ENVIRONMENT=prod).")
    return UnsafeSubprocess(state_dir), HostReport(())


async def make_image(environment: str) -> str:
    """The container image of an environment, for the engine that the settings name; the answer is its name.

    Raises:
        ValueError: no engine is named, or it did not take the image.
    """
    settings = SkriptoteketSettings()
    if settings.container_url is None:
        raise ValueError("Set SKRIPTOTEKET_CONTAINER_URL to the socket of Docker or Podman.")
    (built,) = await FolderShelf(settings.environments_dir, (environment,)).built()
    packages = packages_of(settings.environments_dir, environment)
    try:
        engine = Engine(settings.container_url)
        return await build_image(engine, environment, packages, built.digest, settings.container_image)
    except EngineProblem as problem:
        raise ValueError(str(problem)) from problem


def alive() -> bool:
    """Whether the worker of this host's state directory lives and is not stuck."""
    settings = SkriptoteketSettings()
    return is_alive(state_dir_of(settings), timedelta(seconds=settings.lease_seconds))


async def reap() -> None:
    """Remove what killed workers of this folder left, with every runner of this host.

    Raises:
        WorkerAlreadyRuns: a worker of this folder lives.
    """
    state_dir = state_dir_of(SkriptoteketSettings())
    lock = StateLock(state_dir)
    try:
        for name in RUNNERS:
            sandbox = make_runner(name, state_dir)
            if sandbox is not None:
                await sandbox.reap(())
                await sandbox.close()
    finally:
        lock.release()
