"""Private touch points with FastAPI's routing, and nothing else; with ``fastapi_sharing`` and ``fastapi_plans`` all
there are. A contract test pins them.

FastAPI includes routers lazily since 0.137 and matches them one by one. The seams flatten the tree once and hand each
route over as an ASGI application with the scope entries that FastAPI expects to find there. What FastAPI makes of an
endpoint is made at its first request.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple  # Any: what FastAPI and Starlette leave untyped

from fastapi import routing as fastapi_routing
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Scope

from fastapi_services_platform.http.fastapi_plans import EndpointPlan, plan_of
from fastapi_services_platform.http.fastapi_sharing import Analysis, late_path

EXIT_STACK = "fastapi_middleware_astack"
HANDLERS = "starlette.exception_handlers"


class Unservable(TypeError):
    """A route of a kind that the platform does not serve, such as one for a host name."""

    def __init__(self, route: object) -> None:
        super().__init__(f"a route of the kind {type(route).__name__} cannot be served")


class Served(NamedTuple):
    """What answers at a route, and what it finds in the scope."""

    app: ASGIApp
    scope_update: Mapping[str, object]
    plan: EndpointPlan | None = None


@dataclass(frozen=True, slots=True)
class FlatRoute:
    """A route with its full path, taken out of the tree of included routers. ``served`` is worked out when it is first
    called.
    """

    route: BaseRoute
    path: str
    name: str
    methods: frozenset[str]
    endpoint: object
    regex: Any  # re.Pattern[str] of the effective route
    convertors: Mapping[str, Any]  # starlette convertors by parameter
    served: Callable[[], Served]


_BRANCH = "fsp_branch"
"""Where a flattened router keeps what was made of it."""


def flatten(routes: Sequence[BaseRoute]) -> list[FlatRoute]:
    """Every route below ``routes`` in order of registration.

    Raises:
        Unservable: see the class.
    """
    analysis, found = Analysis(), []
    for route in routes:
        if isinstance(route, fastapi_routing._IncludedRouter):
            branch = route.__dict__[_BRANCH] = _Branch(route, {}, analysis)
            found += branch.flat()
        else:
            found.append(_flat(route, route, {}))
    return found


def complete(routes: Sequence[BaseRoute]) -> None:
    """Have FastAPI make its document of the very routes that were flattened, rather than of its own."""
    for route in routes:
        branch = route.__dict__.get(_BRANCH)
        if isinstance(branch, _Branch):
            branch.complete()


class _Branch:
    """An included router, with the prefix, the dependencies and the limits that its routes inherit."""

    def __init__(self, included: Any, limits: Mapping[str, object], analysis: Analysis) -> None:  # Any: _IncludedRouter
        self._included = included
        self._limits = {**limits, **included.include_context.form_limits}
        self._analysis = analysis
        self._parts = [self._part(route) for route in included.original_router.routes]

    def flat(self) -> list[FlatRoute]:
        return [flat for part in self._parts for flat in (part.flat() if isinstance(part, _Branch) else (part[0],))]

    def complete(self) -> None:
        candidates: list[Any] = []  # Any: effective contexts and included routers
        for part in self._parts:
            if isinstance(part, _Branch):
                part.complete()
                candidates.append(part._included)
            else:
                candidates.append(part[1]())
        self._included._effective_candidates = candidates
        self._included._effective_candidates_version = self._included.original_router._get_routes_version()

    def _part(self, route: BaseRoute) -> "_Branch | tuple[FlatRoute, Callable[[], Any]]":
        included = self._included
        if isinstance(route, fastapi_routing._IncludedRouter):
            context = included.include_context.combine(route.include_context)
            branch = fastapi_routing._IncludedRouter(original_router=route.original_router, include_context=context)
            return _Branch(branch, self._limits, self._analysis)
        if isinstance(route, APIRoute):
            return self._late(route)
        candidate = included._build_effective_context(route)
        effective = candidate.starlette_route if candidate is not None else None
        if effective is None:
            raise Unservable(route)
        return _flat(effective, effective, self._scope(candidate)), lambda: candidate

    def _late(self, route: APIRoute) -> tuple[FlatRoute, Callable[[], Any]]:
        path = self._included.include_context.path_for(route)
        regex, _, convertors = late_path(path)
        made: list[Any] = []  # Any: fastapi's _EffectiveRouteContext

        def context() -> Any:  # Any: as above
            if not made:
                with self._analysis.at_work():
                    if not made:  # of two threads that ask at once, the second takes what the first made
                        made.append(self._included._build_effective_context(route))
            return made[0]

        def served() -> Served:
            effective = context()
            update = {"endpoint": route.endpoint, "route": route, "fastapi": self._scope(effective)}
            return Served(effective.app, update, plan_of(effective))

        methods = frozenset(route.methods or ())
        return FlatRoute(route, path, route.name, methods, route.endpoint, regex, convertors, served), context

    def _scope(self, context: Any) -> dict[str, object]:  # Any: as above
        found: dict[str, object] = {"effective_route_context": context, "included_router": self._included}
        if self._limits:
            found["form_limits"] = dict(self._limits)
        return found


def _app_of(route: BaseRoute) -> ASGIApp:
    if isinstance(route, APIRoute | Route | WebSocketRoute | Mount):
        return route.app
    raise Unservable(route)


def _flat(effective: Any, original: BaseRoute, fastapi_scope: dict[str, object]) -> FlatRoute:
    # Any: a Starlette route or FastAPI's, which share these attributes
    endpoint = getattr(effective, "endpoint", None) or getattr(original, "app", None)
    update: dict[str, object] = {"endpoint": endpoint, "route": original}
    if fastapi_scope:
        update["fastapi"] = fastapi_scope
    served = Served(_app_of(original), update, plan_of(effective) if isinstance(original, APIRoute) else None)
    return FlatRoute(
        route=original,
        path=effective.path,
        name=effective.name or "",
        methods=frozenset(getattr(effective, "methods", None) or ()),
        endpoint=endpoint,
        regex=effective.path_regex,
        convertors=effective.param_convertors,
        served=lambda: served,
    )


def prepare_scope(scope: Scope, router: APIRouter, handlers: tuple[Any, Any]) -> AsyncExitStack:
    """Put into the scope what FastAPI's own middlewares would have put there; the caller closes the returned stack."""
    stack = AsyncExitStack()
    scope["router"] = router
    scope[HANDLERS] = handlers
    scope[EXIT_STACK] = stack
    return stack


def enter_mount(scope: Scope, path_params: dict[str, Any]) -> None:
    """Move the matched prefix of a mount from the path to the root path, as Starlette's ``Mount`` does."""
    rest = "/" + path_params.pop("path", "")
    root = scope.get("root_path", "")
    full = scope["path"]
    scope.setdefault("app_root_path", root)
    scope["root_path"] = full[: len(full) - len(rest)] if len(rest) <= len(full) else root
