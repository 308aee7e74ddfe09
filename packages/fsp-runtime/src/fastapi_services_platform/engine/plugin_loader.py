"""Configure, wire and register each capability; a fault is a named error, and only a required capability stops the
start.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter

from fastapi_services_platform.capability.contribution import Contribution
from fastapi_services_platform.capability.discovery import HUB, Found, adopt, discover, frames_of
from fastapi_services_platform.capability.manifest import Capability, Initializes, Manifest
from fastapi_services_platform.capability.ordering import in_order, providers_of
from fastapi_services_platform.config.files import CapabilityFeatures
from fastapi_services_platform.config.settings import valid_settings
from fastapi_services_platform.engine.contributed import check_contribution, described_flags
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.errors import (
    CapabilityError,
    ConfigurationError,
    InvalidContribution,
    PlatformError,
    RequirementMissing,
    StartFailed,
    StartTimedOut,
)
from fastapi_services_platform.http.fastapi_sharing import lean_declarations
from fastapi_services_platform.observability.logger_factory import get_logger

_log = get_logger(__name__)


def runtime_version() -> str:
    """The version of the installed runtime."""
    try:
        return version("fastapi-services-platform")
    except PackageNotFoundError:
        return "2.0.0"


def find_capabilities(capabilities: Sequence[Capability] | None) -> list[Found]:
    """The given capabilities, or those of the environment."""
    with lean_declarations():
        return discover(runtime_version()) if capabilities is None else adopt(capabilities, runtime_version())


class PluginLoader:
    """Takes what was found to what is initialized, in dependency order."""

    def __init__(self, platform: Platform, features: dict[str, CapabilityFeatures]) -> None:
        self._platform = platform
        self._features = features
        self._optional = set(platform.settings.optional_capabilities)

    def is_required(self, name: str) -> bool:
        """Whether the capability's failure stops the start; the hub's does not unless the configuration says so."""
        declared = self._features.get(name, CapabilityFeatures()).required
        return name != HUB and name not in self._optional if declared is None else declared

    def select(self, found: Sequence[Found]) -> list[LoadedCapability]:
        """Capabilities in dependency order; switched off and broken ones stay listed with the reason.

        Raises:
            CapabilityError: a required capability is broken, or the order is impossible.
        """
        usable: dict[str, LoadedCapability] = {}
        aside: list[LoadedCapability] = []
        for entry in found:
            loaded = self._loaded(entry)
            if not self._features.get(entry.name, CapabilityFeatures()).enabled:
                loaded.state, loaded.reason = "off", "switched off in router_factory_features.yaml"
                aside.append(loaded)
            elif entry.error is not None:
                self._fault(loaded, entry.error)
                aside.append(loaded)
            else:
                usable[entry.name] = loaded
        aside += self._drop_unmet(usable)
        ordered = in_order([loaded.manifest for loaded in usable.values()])
        return [usable[manifest.name] for manifest in ordered] + aside

    def _loaded(self, entry: Found) -> LoadedCapability:
        manifest = entry.capability.manifest if entry.capability else entry.manifest
        loaded = LoadedCapability(
            replace(manifest or Manifest(entry.name, "0", ""), name=entry.name),
            entry.capability,
            entry.distribution,
            entry.target,
            required=self.is_required(entry.name),
        )
        if entry.seconds:
            loaded.timings["import"] = round(entry.seconds, 4)
        return loaded

    def _drop_unmet(self, usable: dict[str, LoadedCapability]) -> list[LoadedCapability]:
        dropped: list[LoadedCapability] = []
        while True:
            provided = providers_of(loaded.manifest for loaded in usable.values())
            unmet = [
                (loaded, port)
                for loaded in usable.values()
                for port in loaded.manifest.requires
                if port not in provided
            ]
            if not unmet:
                return dropped
            loaded, port = unmet[0]
            self._fault(loaded, RequirementMissing(loaded.name, port, list(provided)))
            dropped.append(usable.pop(loaded.name))

    def _fault(self, loaded: LoadedCapability, error: PlatformError) -> None:
        loaded.fail(error)
        if loaded.required:
            raise error
        _log.error("capability.failed", capability=loaded.name, reason=str(error))

    async def initialize(self, loaded: LoadedCapability) -> bool:
        """Let a capability wire itself, check what it hands over and register its services; whether that worked.

        Raises:
            CapabilityError: it failed and is required.
        """
        capability = loaded.capability
        if capability is None:
            return False
        try:
            _check_settings(loaded)
            contribution: object = Contribution()
            if isinstance(capability, Initializes):
                limit = self._platform.settings.startup_timeout
                contribution = await within(loaded, "initialize", capability.initialize(self._platform), limit)
            self._adopt(loaded, contribution)
        except CapabilityError as error:
            self._platform.container.withdraw(loaded.name)
            self._fault(loaded, error)
            return False
        return True

    def _adopt(self, loaded: LoadedCapability, contribution: object) -> None:
        if not isinstance(contribution, Contribution):
            kind = type(contribution).__name__
            raise InvalidContribution(loaded.name, f"initialize returned {kind}.", "return a Contribution.")
        check_contribution(loaded.name, contribution)
        try:
            for service in contribution.services:
                self._platform.container.register(service, loaded.name)
        except PlatformError as error:
            raise InvalidContribution(loaded.name, error.cause, error.fix) from None
        if contribution.flags:
            self._platform.flags.contribute(described_flags(contribution))
        loaded.switched_off = _switched_off(self._features.get(loaded.name, CapabilityFeatures()))
        loaded.contribution = contribution
        loaded.state = "initialized"
        loaded.initialized = True
        loaded.error = None


def _switched_off(features: CapabilityFeatures) -> tuple[str, ...]:
    """The parts of a capability that the file of features takes out."""
    tables = {"router": features.routers, "job": features.jobs, "command": features.commands}
    off = [f"{kind} {name}" for kind, table in tables.items() for name, on in table.items() if not on]
    return (*off, *(() if features.pages else ("user interface",)))


def _check_settings(loaded: LoadedCapability) -> None:
    """Name the variable that is wrong before the capability reads it; its value is not shown."""
    if loaded.manifest.settings is not None:
        try:
            valid_settings(loaded.manifest.settings)
        except ConfigurationError as error:
            raise StartFailed(loaded.name, "initialize", error) from None


async def within(loaded: LoadedCapability, step: str, work: Awaitable[object], seconds: float) -> object:
    """Run one step of a capability under its time limit and note how long it took.

    Raises:
        StartTimedOut: the limit passed.
        StartFailed: it raised; the error carries the capability's own frames.
    """
    begun = perf_counter()
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except CapabilityError:
        raise
    except Exception as error:
        if isinstance(error, TimeoutError) and limit.expired():
            raise StartTimedOut(loaded.name, step, seconds) from None
        raise StartFailed(loaded.name, step, error, frames_of(error)) from error
    finally:
        loaded.timings[step] = round(perf_counter() - begun, 4)
