"""Private touch points with FastAPI's routing, and nothing else; with ``fastapi_plans`` all there are. A contract test
pins them.

FastAPI includes routers lazily since 0.137 and matches them one by one. The seams flatten the tree once and hand each
route over as an ASGI application with the scope entries that FastAPI expects to find there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any  # Any: what FastAPI and Starlette leave untyped

from fastapi import routing as fastapi_routing
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Scope

from fastapi_services_platform.http.fastapi_plans import EndpointPlan, plan_of

EXIT_STACK = "fastapi_middleware_astack"
HANDLERS = "starlette.exception_handlers"


class Unservable(TypeError):
    """A route of a kind that the platform does not serve, such as one for a host name."""

    def __init__(self, route: object) -> None:
        super().__init__(f"a route of the kind {type(route).__name__} cannot be served")


@dataclass(frozen=True, slots=True)
class FlatRoute:
    """A route with its full path, taken out of the tree of included routers."""

    route: BaseRoute
    path: str
    name: str
    methods: frozenset[str]
    endpoint: object
    app: ASGIApp
    regex: Any  # re.Pattern[str] of the effective route
    convertors: Mapping[str, Any]  # starlette convertors by parameter
    scope_update: Mapping[str, object]
    plan: EndpointPlan | None = None


def flatten(routes: Sequence[BaseRoute], form_limits: Mapping[str, object] | None = None) -> Iterator[FlatRoute]:
    """Every route below ``routes`` in order of registration."""
    for route in routes:
        if isinstance(route, fastapi_routing._IncludedRouter):
            limits = {**(form_limits or {}), **route.include_context.form_limits}
            yield from _flatten_included(route, limits)
        else:
            yield _flat(route, route, _app_of(route), {})


def _flatten_included(
    included: Any, limits: Mapping[str, object]
) -> Iterator[FlatRoute]:  # Any: fastapi's _IncludedRouter
    for candidate in included.effective_candidates():
        if isinstance(candidate, fastapi_routing._IncludedRouter):
            yield from _flatten_included(candidate, {**limits, **candidate.include_context.form_limits})
            continue
        original = candidate.original_route
        fastapi_scope: dict[str, object] = {"effective_route_context": candidate, "included_router": included}
        if limits:
            fastapi_scope["form_limits"] = dict(limits)
        if isinstance(original, APIRoute):
            yield _flat(candidate, original, candidate.app, fastapi_scope)
        else:
            effective = candidate.starlette_route
            if effective is None:
                raise Unservable(original)
            yield _flat(effective, effective, _app_of(effective), fastapi_scope)


def _app_of(route: BaseRoute) -> ASGIApp:
    if isinstance(route, APIRoute | Route | WebSocketRoute | Mount):
        return route.app
    raise Unservable(route)


def _flat(effective: Any, original: BaseRoute, app: ASGIApp, fastapi_scope: dict[str, object]) -> FlatRoute:
    # Any: a Starlette route or FastAPI's effective context, which share these attributes
    endpoint = getattr(effective, "endpoint", None) or getattr(original, "app", None)
    update: dict[str, object] = {"endpoint": endpoint, "route": original}
    if fastapi_scope:
        update["fastapi"] = fastapi_scope
    return FlatRoute(
        route=original,
        path=effective.path,
        name=effective.name or "",
        methods=frozenset(getattr(effective, "methods", None) or ()),
        endpoint=endpoint,
        app=app,
        regex=effective.path_regex,
        convertors=effective.param_convertors,
        scope_update=update,
        plan=plan_of(effective) if isinstance(original, APIRoute) else None,
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
