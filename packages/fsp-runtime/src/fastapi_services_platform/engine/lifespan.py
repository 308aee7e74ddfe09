"""Start in order, stop in reverse: migrations, services, startups; each with its own time limit."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform.capability.contribution import Job
from fastapi_services_platform.capability.manifest import Starts, Stops
from fastapi_services_platform.config.feature_flags import FeatureFlags
from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.engine.assembly import Assembly
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.plugin_loader import within
from fastapi_services_platform.errors import CapabilityError, PlatformError
from fastapi_services_platform.http.door.admission import Admission
from fastapi_services_platform.http.door.forgery import TokenMaker
from fastapi_services_platform.http.door.limit_windows import Windows, windows_in
from fastapi_services_platform.http.door.rate_limits import RateLimiter
from fastapi_services_platform.http.edge import Edge, ProblemPage
from fastapi_services_platform.http.exchange import give_up_overdue
from fastapi_services_platform.http.outbound.sharing import BreakerSharing, breaker_board
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.problems import handlers_for
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.security.ports import Authenticator, Authorizer, RequestGuard

_log = get_logger(__name__)

_LOOK_SECONDS = 0.4
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Lifespan:
    """Takes an assembled platform up and down. A required capability that fails stops the start; an optional one is
    retried.
    """

    def __init__(self, assembly: Assembly, edge: Edge) -> None:
        self._assembly = assembly
        self._platform = assembly.platform
        self._edge = edge
        self._retries: list[asyncio.Task[None]] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._windows: Windows | None = None

    async def start(self) -> None:
        """Bring every initialized capability up, in order.

        Raises:
            CapabilityError: a required capability failed; what was started is stopped again.
        """
        try:
            for loaded in self._platform.inventory.capabilities:
                if loaded.state == "initialized":
                    await self._bring_up(loaded)
            await self.open_door()
            self._watch()
            self._platform.jobs.start(self._enabled_jobs())
            self._deliver_events()
        except BaseException:
            await self.stop()
            raise
        for loaded in self._platform.inventory.capabilities:
            if loaded.state == "failed":
                self._retries.append(asyncio.create_task(self._retry(loaded), name=f"retry {loaded.name}"))

    def _limiter(self) -> RateLimiter | None:
        if not any(entry.terms.rate_limits for entry in self._platform.inventory.routes):
            return None
        if self._windows is None:
            storage = self._platform.settings.rate_limit_storage
            self._windows = windows_in(storage, self._platform.database("hub"))
        return RateLimiter(self._windows)

    async def open_door(self) -> None:
        """Resolve what a request needs and let requests in."""
        container, inventory, settings = self._platform.container, self._platform.inventory, self._platform.settings
        public = urlsplit(settings.public_url)
        secret = await asyncio.to_thread(platform_secret, settings)
        self._edge.handlers = handlers_for(inventory.problems)
        self._edge.pages = pages = await container.get(Pages) if Pages in container else None
        self._edge.problem_page = _problem_page(pages) if pages is not None else None
        self._edge.admission = Admission(
            await container.get(Authenticator) if Authenticator in container else None,
            await container.get(Authorizer) if Authorizer in container else None,
            TokenMaker(secret.get_secret_value().encode()),
            f"{public.scheme}://{public.netloc}",
            inventory.entry_page,
            self._limiter(),
            await container.get(RequestGuard) if RequestGuard in container else None,
        )

    def _watch(self) -> None:
        flags = self._platform.flags
        for name in flags.expired():
            _log.warning("flag.expired", flag=name, owner=flags.flags[name].owner)
        sweep = give_up_overdue(self._edge.in_flight, self._edge.time_limit)
        self._watchers.append(asyncio.create_task(sweep, name="give up overdue requests"))
        board = breaker_board(self._platform.settings.breaker_storage, self._platform.database("hub"))
        if board is not None:
            sharing = BreakerSharing(self._platform.clients, board)
            self._watchers.append(asyncio.create_task(sharing.run(), name="share breakers"))
        if flags.file is not None:
            self._watchers.append(asyncio.create_task(_follow(flags), name="watch feature flags"))

    def _enabled_jobs(self) -> list[tuple[str, Job]]:
        features = self._assembly.factory.features_of
        jobs = self._platform.inventory.jobs
        return [(owner, job) for owner, job in jobs if features(owner).jobs.get(job.name, True)]

    async def _bring_up(self, loaded: LoadedCapability) -> None:
        try:
            await self._start_one(loaded)
        except CapabilityError as error:
            loaded.fail(error)
            if loaded.required:
                raise
            _log.error("capability.failed", capability=loaded.name, reason=str(error))

    async def _start_one(self, loaded: LoadedCapability) -> None:
        limit = self._platform.settings.startup_timeout
        migrations = loaded.contribution.migrations
        if migrations is not None and self._platform.settings.migrate == "auto":
            database = self._platform.database(loaded.name)
            await within(loaded, "migrations", database.migrate(migrations), limit)
        capability: object = loaded.capability
        if isinstance(capability, Starts):
            await within(loaded, "startup", capability.startup(), limit)
        loaded.run()
        _log.info("capability.started", capability=loaded.name, version=loaded.manifest.version)

    async def _retry(self, loaded: LoadedCapability) -> None:
        attempt = 0
        while loaded.is_in("failed") and loaded.capability is not None:
            await _pause(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1
            with suppress(PlatformError):
                if not loaded.initialized:
                    if not await self._assembly.loader.initialize(loaded):
                        continue
                    self._edge.index = self._assembly.mount()
                await self._start_one(loaded)
                await self.open_door()
                self._deliver_events()

    def _deliver_events(self) -> None:
        publishers = [
            loaded.name
            for loaded in self._platform.inventory.capabilities
            if loaded.is_in("running") and (kept := loaded.contribution.migrations) is not None and kept.outbox
        ]
        self._platform.events.start(self._platform.database(name) for name in publishers)

    async def stop(self) -> None:
        """Stop capabilities in reverse, then services, then databases; an error is logged and stops nothing."""
        tasks = [*self._retries, *self._watchers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._retries.clear()
        self._watchers.clear()
        limit = self._platform.settings.shutdown_timeout
        await self._quietly("events", self._platform.events.stop, limit)
        await self._quietly("jobs", self._platform.jobs.stop, limit)
        for loaded in reversed(self._platform.inventory.capabilities):
            capability: object = loaded.capability
            if (loaded.is_in("running") or "startup" in loaded.timings) and isinstance(capability, Stops):
                await self._quietly(loaded.name, capability.shutdown, limit)
            if loaded.is_in("running"):
                loaded.state = "stopped"
        await self._quietly("services", self._platform.container.close, limit)
        if self._windows is not None:
            await self._quietly("rate limits", self._windows.close, limit)
        await self._quietly("clients", self._platform.clients.close, limit)
        for database in self._platform.databases:
            await self._quietly(f"database {database.name}", database.close, limit)

    async def _quietly(self, what: str, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await step()
        except Exception as error:
            _log.error("shutdown.failed", what=what, error=repr(error))


_pause = asyncio.sleep


async def _follow(flags: FeatureFlags) -> None:
    """Keep the flags in force as their file says, until cancelled."""
    if flags.problem:
        _log.error("flags.kept_last_good", problem=flags.problem)
    await asyncio.to_thread(flags.keep)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if not await asyncio.to_thread(flags.refresh):
            continue
        if flags.problem:
            _log.error("flags.kept_last_good", problem=flags.problem)
        else:
            _log.info("flags.changed", flags=sorted(flags.flags))


def _problem_page(pages: Pages) -> ProblemPage:
    async def render(request: Request, problem: Mapping[str, object], status: int) -> Response:
        return await pages.problem(request, problem, status)

    return render


def platform_secret(settings: PlatformSettings) -> SecretStr:
    """The key for signed tokens: the configured one, else one that is made once and kept in the data folder (mode
    0600).
    """
    if settings.secret_key is not None:
        return settings.secret_key
    file = settings.data_dir / "secret.key"
    settings.data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not file.exists():
        _write_new(file, hashlib.sha256(os.urandom(64)).hexdigest())
    return SecretStr(file.read_text(encoding="ascii"))


def _write_new(file: Path, text: str) -> None:
    """Write beside and link into place: of several processes that start together, one wins and no one reads half a
    key.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
