"""What ``fsp doctor`` looks for before it happens, each kind with a code of its own, and how long the start takes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Literal

from fastapi_services_platform.config.files import FLAGS_FILE
from fastapi_services_platform.config.settings import platform_settings
from fastapi_services_platform.engine.app_factory import PlatformApp
from fastapi_services_platform.engine.inspection.report import Row, assembled, close_databases, migrated, stands
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.http.door.flagged import flags_asked_for

CODES = {
    "FSP001": "the platform does not start",
    "FSP002": "a capability does not start",
    "FSP003": "nobody provides a port that every protected route needs",
    "FSP004": "production is not served over https",
    "FSP005": "a database does not answer",
    "FSP006": "a database is behind its head",
    "FSP007": "a feature flag has expired",
    "FSP008": "a code that is silenced does not exist",
    "FSP009": "a route depends on a feature flag that nobody declares",
    "FSP010": "a route cannot be served",
    "FSP011": "the file of feature flags is wrong",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. A warning may be silenced by its code, an error may not."""

    code: str
    level: Literal["error", "warning"]
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the start, in seconds."""

    capability: str
    step: str
    seconds: float


async def examine() -> tuple[list[Finding], list[Step]]:
    """What is wrong or will be, and what the steps up to an assembled platform took, the longest first."""
    begun = perf_counter()
    try:
        app = await assembled()
    except PlatformError as error:
        return [Finding("FSP001", "error", type(error).__name__, str(error))], []
    whole = perf_counter() - begun
    silenced = set(platform_settings().silenced_checks)
    found = [item async for item in _findings(app) if item.level == "error" or item.code not in silenced]
    found += _broken_routes(app)
    found += [
        Finding("FSP008", "warning", "FSP_SILENCED_CHECKS", f"there is no check {code}; there are {', '.join(CODES)}.")
        for code in sorted(silenced - set(CODES))
    ]
    await close_databases(app)
    steps = [
        Step(item.name, step, seconds)
        for item in app.platform.inventory.capabilities
        for step, seconds in item.timings.items()
    ]
    rest = Step("platform", "routes and the rest", round(whole - sum(step.seconds for step in steps), 4))
    return found, sorted([*steps, rest], key=lambda step: step.seconds, reverse=True)


async def _findings(app: PlatformApp) -> AsyncIterator[Finding]:
    platform = app.platform
    for item in platform.inventory.capabilities:
        if item.state == "failed":
            yield Finding("FSP002", "error", item.name, item.reason)
    provided = {port for item in platform.inventory.active() for port in item.manifest.provides}
    for port in ("authenticator@1", "authorizer@1"):
        if port not in provided:
            said = "no capability provides it: everything but public routes answers 503."
            yield Finding("FSP003", "warning", port, said)
    if platform.settings.environment == "prod" and not platform.settings.https:
        said = "production is served over https; set the https:// address."
        yield Finding("FSP004", "error", "FSP_PUBLIC_URL", said)
    for name, kept in migrated(app):
        try:
            state = await stands(platform.database(name), kept)
        except Exception as error:
            yield Finding("FSP005", "error", name, f"its database does not answer: {type(error).__name__}")
            continue
        if not state.at_head:
            said = f"database is at {state.current}, head is {state.head}; run fsp migrate upgrade."
            yield Finding("FSP006", "warning", name, said)
    for finding in _of_flags(platform):
        yield finding


def _of_flags(platform: Platform) -> Iterator[Finding]:
    if platform.flags.problem:
        yield Finding("FSP011", "error", FLAGS_FILE, f"{platform.flags.problem} The last good version is in force.")
    for name in platform.flags.expired():
        yield Finding("FSP007", "warning", name, "this feature flag has expired; remove it.")
    for item in platform.inventory.active():
        asked = {name for mount in item.contribution.routers for name in flags_asked_for(mount.router)}
        for name in sorted(asked - platform.flags.flags.keys()):
            said = f"a route of {item.name} depends on this flag, which is off: no capability and no file declares it."
            yield Finding("FSP009", "warning", name, said)


def _broken_routes(app: PlatformApp) -> Iterator[Finding]:
    """A start does not look at signatures, the first request does: here all are looked at."""
    for entry in app.platform.inventory.routes:
        try:
            entry.target()
        except Exception as error:  # whatever FastAPI and pydantic say of a signature
            where = f"{entry.owner.name}: {'/'.join(sorted(entry.methods))} {entry.path}"
            said = str(error).partition("\n")[0]
            yield Finding("FSP010", "error", where, f"its endpoint cannot be called: {type(error).__name__}: {said}")


def rows(items: list[Finding] | list[Step]) -> list[Row]:
    """For JSON."""
    return [asdict(item) for item in items]
