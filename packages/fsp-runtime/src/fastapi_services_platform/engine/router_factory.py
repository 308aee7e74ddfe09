"""Mount routers by tier and configuration: API → UI → platform API → platform UI, the hub absolutely last."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import cache

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from fastapi_services_platform.capability.contribution import RouterMount, Tier
from fastapi_services_platform.capability.discovery import HUB
from fastapi_services_platform.config.files import (
    CapabilityFeatures,
    Configuration,
    RouterSettings,
    TierName,
    TierSettings,
)
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.errors import ConfigurationError, DuplicateRoute, InvalidContribution, UndeclaredAccess
from fastapi_services_platform.http.compiled import CompiledEndpoint
from fastapi_services_platform.http.door.rate_limits import RateTerm
from fastapi_services_platform.http.fastapi_seams import FlatRoute, Unservable, flatten
from fastapi_services_platform.http.fastapi_sharing import lean_inclusions
from fastapi_services_platform.http.permissions import Access, declared_access
from fastapi_services_platform.http.routing import RouteEntry, RouteKind, RouteTerms, Target

_TIER_NAMES: Mapping[Tier, TierName] = {
    Tier.API: "api",
    Tier.UI: "ui",
    Tier.PLATFORM_API: "platform_api",
    Tier.PLATFORM_UI: "platform_ui",
}


@dataclass(frozen=True, slots=True)
class Mounting:
    """One router with where it goes."""

    owner: LoadedCapability
    mount: RouterMount
    prefix: str
    terms: RouteTerms
    route_limits: Mapping[str, str]
    deprecated: bool
    in_schema: bool


class RouterFactory:
    """Reads nothing but its configuration; whoever calls it hands over what is loaded."""

    def __init__(self, configuration: Configuration, environment: str) -> None:
        self._settings = configuration.settings
        self._folder = configuration.folder
        self._features = configuration.features.in_environment(environment)

    def features_of(self, name: str) -> CapabilityFeatures:
        """What is on in a capability."""
        return self._features.get(name, CapabilityFeatures())

    def mountings(self, loaded: Iterable[LoadedCapability]) -> list[Mounting]:
        """Routers in their order of registration.

        Raises:
            ConfigurationError: a router is switched or placed that its capability does not have.
        """
        found: list[Mounting] = []
        for capability in loaded:
            features = self.features_of(capability.name)
            mounts = capability.contribution.routers
            self._refuse_unknown_parts(capability, features)
            found += [
                self._place(capability, mount)
                for mount in mounts
                if features.routers.get(mount.name, True)
                and (features.pages or mount.tier not in (Tier.UI, Tier.PLATFORM_UI))
            ]
        return sorted(found, key=self._place_of)

    def _place_of(self, item: Mounting) -> tuple[bool, int]:
        """Tiers in their order; the hub's pages come after everything, whatever the order."""
        last = item.owner.name == HUB and item.mount.tier is Tier.PLATFORM_UI
        return last, self._settings.tier_order.index(_TIER_NAMES[item.mount.tier])

    def mount(self, app: FastAPI, mountings: Sequence[Mounting], first: Sequence[RouteEntry] = ()) -> list[RouteEntry]:
        """Include every router into the app and give the flat list of its routes.

        Raises:
            UndeclaredAccess: a route declares nothing.
            DuplicateRoute: two routers claim one method and path.
        """
        with lean_inclusions():
            entries = [*first, *self._include(app, mountings)]
        refuse_duplicates(entries)
        return entries

    def _include(self, app: FastAPI, mountings: Sequence[Mounting]) -> Iterator[RouteEntry]:
        for item in mountings:
            before = len(app.router.routes)
            app.include_router(
                item.mount.router,
                prefix=item.prefix,
                deprecated=item.deprecated or None,
                include_in_schema=item.in_schema,
                tags=[item.owner.name],
            )
            flats = _flats(item, app.router.routes[before:])
            self._refuse_unknown_routes(item, {flat.path for flat in flats})
            yield from (entry_of(flat, item.owner, item.mount.name, _of_route(item, flat.path)) for flat in flats)

    def _place(self, capability: LoadedCapability, mount: RouterMount) -> Mounting:
        tier = self._settings.tiers.get(_TIER_NAMES[mount.tier])
        own = self._settings.capabilities.get(capability.name)
        router = own.routers.get(mount.name) if own is not None else None
        inner = router.prefix if router is not None and router.prefix is not None else mount.prefix
        prefix = (tier.prefix if tier else "") + (own.prefix if own else "") + inner
        in_schema = tier.include_in_schema if tier and tier.include_in_schema is not None else None
        return Mounting(
            owner=capability,
            mount=mount,
            prefix=prefix,
            terms=_terms(f"{capability.name}/{mount.name}", mount, tier, router),
            route_limits=router.route_limits if router is not None else {},
            deprecated=router.deprecated if router else False,
            in_schema=in_schema if in_schema is not None else mount.tier in (Tier.API, Tier.PLATFORM_API),
        )

    def _refuse_unknown_routes(self, item: Mounting, present: set[str]) -> None:
        for path in sorted(set(item.route_limits) - present):
            raise ConfigurationError(
                f"the router has no route {path!r} (it has: {', '.join(sorted(present)) or 'none'}).",
                file=self._folder,
                key=f"capabilities.{item.owner.name}.routers.{item.mount.name}.route_limits",
                fix="write the path as `fsp routes` shows it, or remove the key.",
            )

    def _refuse_unknown_parts(self, capability: LoadedCapability, features: CapabilityFeatures) -> None:
        name, contribution = capability.name, capability.contribution
        own = self._settings.capabilities.get(name)
        for kind, asked, parts in (
            ("router", {*features.routers, *(own.routers if own else ())}, contribution.routers),
            ("job", set(features.jobs), contribution.jobs),
            ("command", set(features.commands), contribution.commands),
        ):
            present = {str(part.name) for part in parts}
            for unknown in sorted(asked - present) if capability.initialized else ():
                raise ConfigurationError(
                    f"{name} has no {kind} {unknown!r} (it has: {', '.join(sorted(present)) or 'none'}).",
                    file=self._folder,
                    key=f"capabilities.{name}.{kind}s.{unknown}",
                    fix="correct the name or remove the key.",
                )


def _of_route(item: Mounting, path: str) -> RouteTerms:
    """The terms of one route: its own limit replaces that of its router or tier."""
    limit = item.route_limits.get(path)
    if limit is None:
        return item.terms
    others = tuple(term for term in item.terms.rate_limits if term.by_address)
    return replace(item.terms, rate_limits=(RateTerm(limit, f"{item.owner.name}{path}"), *others))


def _limits(name: str, mount: RouterMount, tier: TierSettings | None, router: RouterSettings | None) -> list[RateTerm]:
    found, of_tier = [], f"tier:{_TIER_NAMES[mount.tier]}"
    if router is not None and router.rate_limit:
        found.append(RateTerm(router.rate_limit, name))
    elif tier is not None and tier.rate_limit:
        found.append(RateTerm(tier.rate_limit, of_tier))
    if tier is not None and tier.address_rate_limit:
        found.append(RateTerm(tier.address_rate_limit, f"{of_tier}:address", by_address=True))
    return found


def _flats(item: Mounting, routes: Sequence[BaseRoute]) -> list[FlatRoute]:
    try:
        return flatten(routes)
    except Unservable as error:
        raise InvalidContribution(
            item.owner.name, f"router {item.mount.name!r}: {error}.", "use routes of an APIRouter, or a mount."
        ) from None


def _terms(name: str, mount: RouterMount, tier: TierSettings | None, router: RouterSettings | None) -> RouteTerms:
    """The router's own word, else the mount's, else the tier's."""
    limits = (
        router.max_body_bytes if router else None,
        mount.max_body_bytes,
        tier.max_body_bytes if tier else None,
    )
    headers: list[tuple[bytes, bytes]] = []
    if router is not None and router.deprecated:
        headers.append((b"deprecation", b"true"))
    if router is not None and router.sunset is not None:
        headers.append((b"sunset", http_date(router.sunset)))
    return RouteTerms(
        max_body_bytes=next((limit for limit in limits if limit is not None), None),
        rate_limits=tuple(_limits(name, mount, tier, router)),
        headers=tuple(headers),
        request_timeout=(router.request_timeout if router else None) or (tier.request_timeout if tier else None),
        problem_codes=mount.problem_codes,
        own_lane=mount.tier in (Tier.PLATFORM_API, Tier.PLATFORM_UI),
        lane=(_TIER_NAMES[mount.tier], tier.max_concurrent_requests) if tier and tier.max_concurrent_requests else None,
    )


def http_date(day: date) -> bytes:
    """The beginning of a day in the form of RFC 9110 §5.6.7."""
    return format_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC), usegmt=True).encode("ascii")


def entry_of(flat: FlatRoute, owner: LoadedCapability, mount_name: str, terms: RouteTerms | None = None) -> RouteEntry:
    """A flat route with its owner, its declared access and what the configuration says of it.

    Raises:
        UndeclaredAccess: the endpoint declares nothing.
    """
    kind: RouteKind = "http"
    if isinstance(flat.route, WebSocketRoute):
        kind = "websocket"
    elif isinstance(flat.route, Mount):
        kind = "mount"
        _refuse_costly_middleware(flat.route.app, flat.path, owner.name)
    elif not isinstance(flat.route, Route):
        raise InvalidContribution(owner.name, f"route {flat.path} is of a kind that the platform does not serve.")
    declared = declared_access(flat.endpoint)
    if declared is None:
        endpoint = getattr(flat.endpoint, "__qualname__", None) or type(flat.endpoint).__name__
        module = getattr(flat.endpoint, "__module__", "")
        raise UndeclaredAccess(owner.name, sorted(flat.methods) or [kind.upper()], flat.path, f"{module}.{endpoint}")
    return RouteEntry(
        path=flat.path,
        kind=kind,
        methods=flat.methods,
        name=flat.name,
        endpoint=flat.endpoint,
        access=declared,
        owner=owner,
        mount_name=mount_name,
        regex=flat.regex,
        convertors=flat.convertors,
        original=flat.route,
        terms=terms or RouteTerms(),
        target=_target_of(flat),
    )


def _target_of(flat: FlatRoute) -> Callable[[], Target]:
    @cache
    def target() -> Target:
        served = flat.served()
        return Target(served.app, served.scope_update, CompiledEndpoint(served.plan) if served.plan else None)

    return target


def _refuse_costly_middleware(mounted: object, path: str, capability: str) -> None:
    """A mounted application may have middleware of its own, but not the kind that costs more than everything else.

    Raises:
        InvalidContribution: it has such a one.
    """
    from starlette.middleware.base import BaseHTTPMiddleware

    for item in getattr(mounted, "user_middleware", ()):
        if isinstance(item.cls, type) and issubclass(item.cls, BaseHTTPMiddleware):
            raise InvalidContribution(
                capability,
                f"the application mounted at {path} has {item.cls.__name__}, a BaseHTTPMiddleware.",
                "write it as an ASGI middleware: a BaseHTTPMiddleware costs 200 µs a request and breaks streaming.",
            )


def refuse_duplicates(entries: Iterable[RouteEntry]) -> None:
    """Two routes with the same shape of path and the same method.

    Raises:
        DuplicateRoute: it names both owners.
    """
    claimed: dict[tuple[str, str], RouteEntry] = {}
    for entry in entries:
        shape = entry.regex.pattern if not entry.convertors else _anonymous(entry)
        for method in sorted(entry.methods) or [entry.kind.upper()]:
            first = claimed.setdefault((method, shape), entry)
            if first is not entry:
                raise DuplicateRoute(method, entry.path, _owner(first), _owner(entry))


def _owner(entry: RouteEntry) -> str:
    return f"{entry.owner.name} ({entry.mount_name}: {entry.name})"


def _anonymous(entry: RouteEntry) -> str:
    pattern = entry.regex.pattern
    for name in entry.convertors:
        pattern = pattern.replace(f"?P<{name}>", "")
    return pattern


def unknown_permissions(entries: Iterable[RouteEntry], known: set[str]) -> list[tuple[RouteEntry, Access]]:
    """Routes that ask for a permission which no capability contributes."""
    return [
        (entry, entry.access) for entry in entries if entry.access.permission and entry.access.permission not in known
    ]
