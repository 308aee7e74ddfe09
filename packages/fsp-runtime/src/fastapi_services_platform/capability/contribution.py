"""Everything a capability may hand over, as data."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter

from fastapi_services_platform.capability.events import EventHandler

if TYPE_CHECKING:
    import click

    from fastapi_services_platform.observability.metrics import Reading
    from fastapi_services_platform.security.principal import Principal


Factory = Callable[..., Any]
"""A recipe for a service. It takes the :class:`~fastapi_services_platform.container.scope.Scope`; it may be a coroutine
function or an async generator function that yields the service once and cleans up after it. ``Any``: it makes a value
of the service's own type."""


class Tier(IntEnum):
    """Where a router is mounted; the numbers are the fixed order of registration, the hub absolutely last."""

    API = 1
    UI = 2
    PLATFORM_API = 3
    PLATFORM_UI = 4


@dataclass(frozen=True, slots=True)
class RouterMount:
    """A router with its tier. ``name`` is what the configuration files call it. Each route in it declares its access
    (``@access``).

    ``problem_codes`` are for capabilities whose problems have a member ``code``: what it is in problems that the
    platform tells on these routes, by the problem's slug or, for all others, by its status.
    """

    name: str
    router: APIRouter
    tier: Tier
    prefix: str = ""
    max_body_bytes: int | None = None
    problem_codes: Mapping[str | int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permission:
    """A named right (``<capability>.<noun>.<verb>``) with one sentence for the person who grants it."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A role template: permissions that are granted together. ``default`` gives it to every person on the platform,
    ``requestable`` lets people ask for it.
    """

    name: str
    summary: str
    permissions: tuple[str, ...]
    default: bool = False
    requestable: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A recipe in the container, found by its type. App services live as long as the app, request services one
    request.
    """

    interface: type[Any]
    factory: Factory
    lifetime: Literal["app", "request"] = "app"
    ping: Callable[[Any], Awaitable[None]] | None = None  # Any: a value of ``interface``


@dataclass(frozen=True, slots=True)
class Health:
    """What a health check found; ``detail`` names the fix where there is one."""

    status: Literal["healthy", "degraded", "unhealthy"]
    detail: str = ""
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A named question, asked at most once a second. ``critical``: unhealthy takes the whole platform out of
    readiness.
    """

    name: str
    check: Callable[[], Awaitable[Health]]
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Background work inside the web process, every ``interval`` seconds, or when ``cron`` says so in ``timezone``
    (``"30 4 * * MON-FRI"``; a time that passed while nothing ran is not made up for).

    It runs on one process of all that share the databases: the holder of a lease. When that is lost the job is
    cancelled; ``fencing_token()`` is for places that must refuse the writes of an earlier leader. ``everywhere`` is for
    work on a process's own memory.
    ``jitter`` delays each run by up to so many seconds.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    interval: float = 0.0
    cron: str = ""
    timezone: str = "UTC"
    jitter: float | None = None
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs beside the web process (a worker); whoever supervises the platform starts one per host.

    ``command`` names a console script of the capability's own wheel and its arguments.
    """

    name: str
    command: tuple[str, ...]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class TemplateFolder:
    """Jinja templates inside a package; they are addressed as ``<capability>/<file>``."""

    package: str
    folder: str = "templates"


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """Public files inside a package; served under ``/static/<capability>/``."""

    package: str
    folder: str = "static"


@dataclass(frozen=True, slots=True)
class LocaleFolder:
    """Gettext catalogues inside a package: ``<folder>/<language>/LC_MESSAGES/<capability>.mo``.

    They hold what the capability's templates look up, and what it contributes: labels, cards, permissions, problems.
    """

    package: str
    folder: str = "locale"


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A link in the page frame, shown to those who hold ``permission`` (``None``: to everyone who is signed in).

    Entries of one ``section`` stand together under its name, whichever capabilities they come from; sections and the
    entries in them stand in ``order``.
    """

    label: str
    href: str
    permission: str | None = None
    order: int = 100
    icon: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a search found: what it is called, what more there is to say, and where it opens.

    With ``fields`` it is an act: they are posted to ``href``, together with the token against forgery.
    """

    title: str
    href: str
    text: str = ""
    icon: str = ""
    fields: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A place where the platform's search looks, under its heading.

    ``find`` takes who asks, the words (at least two letters), the language and how many are wanted; it gives only what
    the caller may see. Who lacks ``permission`` is not asked for.
    """

    heading: str
    find: "Callable[[Principal, str, str, int], Awaitable[Sequence[Found]]]"
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True, slots=True)
class Card:
    """A tile on the hub."""

    title: str
    text: str
    href: str
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True, slots=True)
class Migrations:
    """Alembic history of a capability: the package that holds ``versions/``, and the metadata of its tables.

    ``metadata`` may be a function that gives it: then a start at the newest revision does not load SQLAlchemy.
    ``outbox``: the capability publishes events, so the platform keeps an outbox in its database. ``history`` tells
    a second history in one database from the first.
    """

    package: str
    metadata: Any  # sqlalchemy.MetaData, or a function that gives it: not imported here
    outbox: bool = False
    history: str = ""

    @property
    def tables(self) -> Any:  # Any: sqlalchemy.MetaData, as above
        """The metadata itself."""
        return self.metadata() if callable(self.metadata) else self.metadata


@dataclass(frozen=True, slots=True)
class ProblemMapping:
    """One error class, one RFC 9457 problem. ``extras`` picks members for the answer out of the error."""

    error: type[Exception]
    status: int
    slug: str
    title: str
    extras: Callable[[Any], dict[str, object]] | None = None  # Any: an error of the class above
    headers: Callable[[Any], dict[str, str]] | None = None  # Any: as above


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of the capability at ``/metrics``, read whenever somebody scrapes; names begin with ``<capability>_``.

    What is not read within two seconds, or fails, is missing from that scrape and told in the log.
    """

    read: "Callable[[], Awaitable[Sequence[Reading]]]"


@dataclass(frozen=True, slots=True)
class FeatureFlag:
    """A switch of the capability (``<capability>.<flag>``) with the value that holds until an operator changes it.

    The type of ``default`` is the flag's. ``feature_flags.json`` may describe the flag anew, with rules.
    """

    name: str
    description: str
    owner: str
    default: bool | float | str = False
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class McpTool:
    """An operation that a language model may call (Model Context Protocol), by the ``operation_id`` of one of the
    capability's own routes.

    Schema, permission and handler are the route's: a call of the tool is a request of the same caller to it.
    ``summary`` tells the model when to use it.
    """

    name: str
    summary: str
    operation: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What ``initialize`` returns. Only what is listed here reaches the platform."""

    routers: tuple[RouterMount, ...] = ()
    permissions: tuple[Permission, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    services: tuple[Service, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    jobs: tuple[Job, ...] = ()
    event_handlers: tuple[EventHandler, ...] = ()
    processes: tuple[Process, ...] = ()
    commands: "tuple[click.Command, ...]" = ()
    templates: tuple[TemplateFolder, ...] = ()
    static: tuple[StaticFolder, ...] = ()
    locales: tuple[LocaleFolder, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    cards: tuple[Card, ...] = ()
    searches: tuple[Search, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    flags: tuple[FeatureFlag, ...] = ()
    mcp_tools: tuple[McpTool, ...] = ()
    migrations: Migrations | None = None
    problems: tuple[ProblemMapping, ...] = ()
    audit_events: tuple[str, ...] = ()
    """Actions that the capability records in the audit trail, so that they are listed before they happen."""
    entry_page: str | None = None
    """Where browsers that are not signed in are sent; only the provider of sign-in has one."""
