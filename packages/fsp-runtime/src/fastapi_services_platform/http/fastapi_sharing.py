"""Private touch points with FastAPI's analysis of endpoints: what a decorator found out is not found out again.

FastAPI analyses an endpoint when it is decorated, and once more for every router that its own is included in.
Signatures and type adapters are the larger part of a start, and of what routes keep in memory. While routers are
included here, an endpoint that is already known gives what is known of it. With another FastAPI than the pinned one
nothing is shared.
"""

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any  # Any: what FastAPI leaves untyped or keeps to itself

import fastapi
from fastapi import routing
from fastapi.dependencies import utils as dependency_utils
from fastapi.routing import APIRoute, APIRouter

PINNED = ("0", "165")

_ANALYSIS = "_build_dependant_with_parameterless_dependencies"
_FIELD = "create_model_field"
_NAMES = (_ANALYSIS, _FIELD, "_get_flat_body_params", "_IncludedRouter")
_patching = threading.Lock()
_routing: Any = routing  # Any: its private functions are called, and replaced while routers are included
_path_params: Callable[[str], set[str]] = getattr(dependency_utils, "get_path_param_names")  # noqa: B009 - not exported


@contextmanager
def shared_analysis(routers: Iterable[APIRouter]) -> Iterator[None]:
    """Inside the block, routes of these routers are included without a second look at their endpoints."""
    if tuple(fastapi.__version__.split(".")[:2]) != PINNED or not all(hasattr(routing, name) for name in _NAMES):
        yield
        return
    known = _Known(routers)
    with _patching:
        analyse, field = getattr(_routing, _ANALYSIS), getattr(_routing, _FIELD)
        setattr(_routing, _ANALYSIS, known.analysis_or(analyse))
        setattr(_routing, _FIELD, known.field_or(field))
        try:
            yield
        finally:
            setattr(_routing, _ANALYSIS, analyse)
            setattr(_routing, _FIELD, field)


class _Known:
    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._routes: dict[tuple[object, ...], APIRoute] = {}
        self._fields: dict[tuple[int, str], tuple[object, Any]] = {}
        for route in _routes_below(routers):
            self._routes[_key(route.path_format, route.endpoint, route.dependencies)] = route
            if route.response_field is not None:
                self._fields[(id(route.response_model), "serialization")] = (route.response_model, route.response_field)

    def analysis_or(self, analyse: Callable[..., Any]) -> Callable[..., Any]:
        """FastAPI's analysis, which first looks here."""

        def look(*, path: str, call: Callable[..., Any], dependencies: Sequence[Any]) -> Any:
            route = self._routes.get(_key(path, call, dependencies))
            if route is None:
                return analyse(path=path, call=call, dependencies=dependencies)
            dependant = replace(route.dependant, path=path)
            return dependant, _routing._get_flat_body_params(dependant), route._embed_body_fields

        return look

    def field_or(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """FastAPI's making of a response's field, which first looks here."""

        def look(**given: Any) -> Any:
            _, field = self._fields.get((id(given.get("type_")), given.get("mode", "validation")), (None, None))
            if field is None or set(given) != {"name", "type_", "mode"}:
                return make(**given)
            named = copy.copy(field)
            named.name = given["name"]
            return named

        return look


def _key(path: str, call: object, dependencies: Sequence[Any]) -> tuple[object, ...]:
    return (call, frozenset(_path_params(path)), *(id(item) for item in dependencies))


def _routes_below(routers: Iterable[APIRouter]) -> Iterator[APIRoute]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route
            elif isinstance(route, routing._IncludedRouter):
                yield from _routes_below([route.original_router])
