"""Why the platform refuses, as one tree; every error names what is wrong and how to mend it.

PlatformError
├── ConfigurationError          a setting or one of the three files is wrong
├── CapabilityError             one capability is at fault
│   ├── CapabilityImportError       its entry point cannot be imported
│   ├── NotACapability              the entry point leads to something else
│   ├── DuplicateCapability         two wheels use one name
│   ├── RuntimeBoundsNotMet         it asks for another version of the runtime
│   ├── RequirementMissing          nobody provides a port that it requires
│   ├── RequirementCycle            capabilities wait for each other
│   ├── InvalidContribution         what it hands over contradicts itself
│   ├── UndeclaredAccess            a route says nothing about who may call it
│   ├── DuplicateRoute              two routers claim one method and path
│   ├── StartFailed                 initialize, migrations or startup raised
│   └── StartTimedOut               it took longer than its limit
├── ServiceError                the container cannot give a service
│   ├── ServiceNotRegistered
│   ├── ServiceCycle
│   └── ServiceLifetimeError
├── DatabaseError               a database cannot be reached or has the wrong address
├── MigrationError              an upgrade failed; the previous state stands
├── InvalidEvent                an event cannot be published
└── PortTaken                   another process listens on the address
"""

from collections.abc import Sequence
from pathlib import Path


class PlatformError(Exception):
    """Anything that the platform says to a person. ``cause`` and ``fix`` are whole sentences."""

    def __init__(self, cause: str, fix: str = "") -> None:
        self.cause = cause
        self.fix = fix
        super().__init__(f"{cause} Fix: {fix}" if fix else cause)


class ConfigurationError(PlatformError):
    """A setting or a line of a configuration file is wrong."""

    def __init__(
        self,
        problem: str,
        *,
        variable: str | None = None,
        file: Path | None = None,
        line: int | None = None,
        key: str | None = None,
        fix: str = "",
    ) -> None:
        self.problem = problem
        self.variable = variable
        self.file = file
        self.line = line
        self.key = key
        place = variable or ":".join(str(part) for part in (file, line) if part is not None)
        where = f"{place}: " if place else ""
        what = f"{key}: " if key else ""
        super().__init__(f"{where}{what}{problem}", fix)


class CapabilityError(PlatformError):
    """One capability is at fault; ``capability`` names it."""

    def __init__(self, capability: str, cause: str, fix: str = "") -> None:
        self.capability = capability
        super().__init__(f"Capability {capability!r}: {cause}", fix)


class CapabilityImportError(CapabilityError):
    """The entry point cannot be imported."""

    def __init__(self, capability: str, target: str, error: BaseException, frames: Sequence[str] = ()) -> None:
        self.target = target
        self.frames = tuple(frames)
        super().__init__(
            capability,
            f"its entry point {target} cannot be imported: {type(error).__name__}: {error}" + at_frames(frames),
            "repair or uninstall the wheel, or switch the capability off in router_factory_features.yaml.",
        )


class NotACapability(CapabilityError):
    """The entry point leads to something without a manifest or without ``initialize``."""

    def __init__(self, capability: str, target: str, problem: str) -> None:
        super().__init__(
            capability,
            f"{target} is not a capability: {problem}",
            "name a class with `manifest = Manifest(…)` and `async def initialize(self, platform)` in the entry point.",
        )


class DuplicateCapability(CapabilityError):
    """Two wheels use one name."""

    def __init__(self, capability: str, targets: Sequence[str]) -> None:
        super().__init__(
            capability, f"the name is used by {' and '.join(targets)}.", "uninstall one of them or rename it."
        )


class RuntimeBoundsNotMet(CapabilityError):
    """The capability asks for another version of the runtime."""

    def __init__(self, capability: str, bounds: str, runtime: str) -> None:
        super().__init__(
            capability,
            f"it needs a runtime {bounds}; this is {runtime}.",
            "install a version of the capability that fits, or another runtime.",
        )


class RequirementMissing(CapabilityError):
    """Nobody provides a port that the capability requires."""

    def __init__(self, capability: str, port: str, provided: Sequence[str]) -> None:
        self.port = port
        present = ", ".join(sorted(provided)) or "none"
        super().__init__(
            capability,
            f"it requires {port}, which no present capability provides (provided: {present}).",
            f"install and switch on a capability that provides {port}.",
        )


class RequirementCycle(CapabilityError):
    """Capabilities wait for each other; ``path`` is the whole way round."""

    def __init__(self, path: Sequence[str]) -> None:
        self.path = tuple(path)
        super().__init__(
            path[0], f"requirements form a cycle: {' → '.join(path)}.", "make one of these requirements optional."
        )


class InvalidContribution(CapabilityError):
    """What the capability hands over contradicts itself or another capability."""


class UndeclaredAccess(CapabilityError):
    """A route says nothing about who may call it."""

    def __init__(self, capability: str, methods: Sequence[str], path: str, endpoint: str) -> None:
        super().__init__(
            capability,
            f"route {'/'.join(methods)} {path} ({endpoint}) does not declare who may call it.",
            "put @access(permission=…), @access(authenticated=True) or @access(public=True) below the route decorator.",
        )


class DuplicateRoute(CapabilityError):
    """Two routers claim one method and path."""

    def __init__(self, method: str, path: str, first: str, second: str) -> None:
        self.owners = (first, second)
        super().__init__(
            second,
            f"route {method} {path} is claimed by {first} and by {second}.",
            "give one of them another prefix in router_factory_settings.yaml or switch one router off.",
        )


class StartFailed(CapabilityError):
    """``initialize``, the migrations or ``startup`` raised; ``frames`` are the capability's own."""

    def __init__(self, capability: str, step: str, error: BaseException, frames: Sequence[str] = ()) -> None:
        self.step = step
        self.error = error
        self.frames = tuple(frames)
        said = error.cause if isinstance(error, PlatformError) else f"{type(error).__name__}: {error or 'no message'}"
        super().__init__(
            capability,
            f"{step} failed: {said.rstrip('.')}" + at_frames(frames),
            error.fix
            if isinstance(error, PlatformError) and error.fix
            else "mend the cause, or make the capability optional.",
        )


class StartTimedOut(CapabilityError):
    """A step took longer than its limit."""

    def __init__(self, capability: str, step: str, seconds: float) -> None:
        self.step = step
        super().__init__(
            capability,
            f"{step} did not finish within {seconds:g} s.",
            "find what it waits for, or raise FSP_STARTUP_TIMEOUT.",
        )


class ServiceError(PlatformError):
    """The container cannot give a service."""


class ServiceNotRegistered(ServiceError):
    """No recipe for the type."""

    def __init__(self, interface: str, known: Sequence[str]) -> None:
        super().__init__(
            f"No service is registered for {interface} (registered: {', '.join(known) or 'none'}).",
            "contribute a Service for it, or install the capability that does.",
        )


class ServiceCycle(ServiceError):
    """Recipes wait for each other."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"Services need each other: {' → '.join(path)}.", "let one of them take a factory instead.")


class ServiceLifetimeError(ServiceError):
    """An app service asked for a request service."""

    def __init__(self, interface: str) -> None:
        super().__init__(
            f"{interface} lives one request and was asked for outside of one.",
            "ask for it in an endpoint, or make it an app service.",
        )


class DatabaseError(PlatformError):
    """A database cannot be reached or its address is wrong."""


class DatabaseBusy(DatabaseError):
    """A writer's turn did not come in time; nothing was done."""

    def __init__(self, database: str, seconds: float) -> None:
        self.database = database
        super().__init__(f"Database {database!r}: a writer waited {seconds:g} seconds in vain.", "try again later.")


class MigrationError(PlatformError):
    """An upgrade failed; the previous state stands."""

    def __init__(self, database: str, problem: str, fix: str = "") -> None:
        self.database = database
        super().__init__(f"Database {database!r}: {problem}", fix)


class InvalidEvent(PlatformError):
    """An event cannot be published."""

    def __init__(self, name: str, problem: str, fix: str) -> None:
        self.name = name
        super().__init__(f"Event {name!r}: {problem}.", fix)


class PortTaken(PlatformError):
    """Another process listens on the address."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is taken by another process.", "stop that process, or choose another --port."
        )


def at_frames(frames: Sequence[str]) -> str:
    """The capability's own stack frames as the tail of a sentence."""
    return f" (at {'; '.join(frames)})." if frames else "."
