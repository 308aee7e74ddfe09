"""Ask everything that can be asked, at most once a second, so that probes cannot hurt."""

import asyncio
import shutil
from pathlib import Path
from time import monotonic
from typing import Literal

from fastapi_services_platform.capability.contribution import Health, HealthCheck
from fastapi_services_platform.container.pings import ping_services
from fastapi_services_platform.engine.background.jobs import JobState
from fastapi_services_platform.engine.inspection.discovery import discovered
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.security.principal import Principal

_CHECK_SECONDS = 2.0
_CACHED_SECONDS = 1.0
_MEGABYTE = 1_000_000

Status = Literal["healthy", "degraded", "unhealthy"]


class Probe:
    """Asks everything that can be asked, at most once a second."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._report: dict[str, object] = {}
        self._ready = False
        self.draining = False

    async def discovered(self, caller: Principal | None) -> dict[str, object]:
        """What is here, as far as the caller may see it."""
        return await discovered(self._platform, caller)

    async def report(self) -> tuple[dict[str, object], bool]:
        """The whole report and whether the platform is ready for requests."""
        async with self._lock:
            if monotonic() >= self._until:
                await self._ask()
                self._until = monotonic() + _CACHED_SECONDS
            return self._report, self._ready and not self.draining

    async def _ask(self) -> None:
        inventory = self._platform.inventory
        checks = inventory.health_checks
        answers = await asyncio.gather(*(_ask(check) for _, check in checks))
        databases = [item for item in self._platform.databases if item.opened]
        database_answers = await asyncio.gather(*(_ask(HealthCheck(item.name, item.check)) for item in databases))
        upstreams = await self._platform.clients.health()
        services = await ping_services(self._platform.container)
        jobs = {state.name: _of_job(state) for state in self._platform.jobs.states}
        disk = {"data": await _ask(HealthCheck("disk", self._disk))}
        capabilities = {
            loaded.name: _of_capability(loaded) for loaded in inventory.capabilities if loaded.state != "off"
        }
        flags = self._platform.flags
        if flags.problem:
            capabilities["feature flags"] = Health("degraded", "the file is bad; the last good version is in force")
        named = {f"{owner}.{check.name}": answer for (owner, check), answer in zip(checks, answers, strict=True)}
        stored = {item.name: answer for item, answer in zip(databases, database_answers, strict=True)}
        critical = [answer for (_, check), answer in zip(checks, answers, strict=True) if check.critical]
        optional = {loaded.name for loaded in inventory.capabilities if not loaded.required}
        critical += [answer for name, answer in stored.items() if name not in optional]
        everything = [
            *named.values(),
            *stored.values(),
            *upstreams.values(),
            *services.values(),
            *capabilities.values(),
            *jobs.values(),
            *disk.values(),
        ]
        down = any(answer.status == "unhealthy" for answer in critical)
        status: Status = "healthy" if all(answer.status == "healthy" for answer in everything) else "degraded"
        self._ready = not down
        self._report = {
            "status": "unhealthy" if down else status,
            "capabilities": _plain(capabilities),
            "checks": _plain(named),
            "databases": _plain(stored),
            "services": _plain(services),
            "upstreams": _plain(upstreams),
            "jobs": _plain(jobs),
            "disk": _plain(disk),
        }

    async def _disk(self) -> Health:
        """Room where the platform keeps its data."""
        settings = self._platform.settings
        free = await asyncio.to_thread(_free_bytes, settings.data_dir) // _MEGABYTE
        if free < settings.min_free_mb:
            return Health("degraded", f"less than {settings.min_free_mb} MB are free", {"free_mb": free})
        return Health("healthy", data={"free_mb": free})


async def _ask(check: HealthCheck) -> Health:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check.check()
    except TimeoutError:
        return Health("unhealthy", f"no answer within {_CHECK_SECONDS:g} s")
    except Exception as error:
        return Health("unhealthy", f"the check failed: {type(error).__name__}")


def _free_bytes(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _of_job(state: JobState) -> Health:
    data: dict[str, object] = {"outcome": state.outcome, "runs": state.runs, "failures": state.failures}
    if state.outcome != "failed":
        return Health("healthy", data=data)
    return Health("degraded", f"the last run failed: {state.error.partition(':')[0]}, see the log", data)


def _of_capability(loaded: LoadedCapability) -> Health:
    data: dict[str, object] = {"version": loaded.manifest.version, "state": loaded.state}
    if loaded.error is None:
        return Health("healthy", data=data)
    return Health("unhealthy", f"{type(loaded.error).__name__}: see the log", data)


def _plain(answers: dict[str, Health]) -> dict[str, object]:
    return {name: {"status": item.status, "detail": item.detail, **item.data} for name, item in answers.items()}
