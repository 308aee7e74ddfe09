"""Private touch points with FastAPI's analysis of endpoints: what a decorator found out is not found out again.

FastAPI analyses an endpoint when it is decorated, and once more for every router that its own is included in.
Signatures and type adapters are the larger part of a start, and of what routes keep in memory. While routers are
included here, an endpoint that is already known gives what is known of it. With another FastAPI than the pinned one
nothing is shared.
"""

import copy
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any  # Any: what FastAPI leaves untyped or keeps to itself
from weakref import WeakKeyDictionary

import fastapi
from fastapi import routing
from fastapi import utils as fastapi_utils
from fastapi._compat.v2 import ModelField, asdict
from fastapi.dependencies import utils as dependency_utils
from fastapi.routing import APIRoute, APIRouter
from starlette import routing as starlette_routing
from starlette.routing import BaseRoute, compile_path

PINNED = ("0", "165")

_ANALYSIS = "_build_dependant_with_parameterless_dependencies"
_FIELD = "create_model_field"
_BODY = "_get_body_field"
_ROUTES = "_iter_routes_with_context"
_PATH = "compile_path"
_OLD_MODELS = "annotation_is_pydantic_v1"
_DEPENDANT = "get_dependant"
_ADAPTER = "__post_init__"
_NAMES = (_ANALYSIS, _FIELD, _BODY, _ROUTES, _PATH, "_get_flat_body_params", "_IncludedRouter")
_PATHS_REMEMBERED = 4096
_ALIASES = frozenset({"alias", "alias_priority", "validation_alias", "serialization_alias"})
"""What a type adapter of a value alone does not use."""
_patching = threading.RLock()
_routing: Any = routing  # Any: its private functions are called, and replaced while routers are included
_dependencies: Any = dependency_utils  # Any: as above
_compiled = lru_cache(_PATHS_REMEMBERED)(compile_path)
_path_params: Callable[[str], set[str]] = getattr(dependency_utils, "get_path_param_names")  # noqa: B009 - not exported


@contextmanager
def lean_declarations() -> Iterator[None]:
    """Inside the block, modules with routes are imported without what FastAPI does for nothing.

    It imports the models of pydantic 1 to say that it does not support them, once for every annotation; it works every
    route of a nested router out to see that its path is not empty, which it saw when that one was included; and it
    makes the same type adapters, and looks at the same dependencies, for each route anew.
    """
    if not _is_pinned() or not hasattr(fastapi_utils, _OLD_MODELS) or not hasattr(_dependencies, _DEPENDANT):
        yield
        return
    old_models = getattr(fastapi_utils, _OLD_MODELS)
    lean = {_ROUTES: _direct_routes(getattr(_routing, _ROUTES)), _PATH: _compiled}
    with (
        _patching,
        _replaced(fastapi_utils, {_OLD_MODELS: lambda kind: "pydantic.v1" in sys.modules and old_models(kind)}),
        _replaced(_routing, lean),
        _replaced(starlette_routing, {"re": _LATE}),
        _replaced(_dependencies, {_DEPENDANT: _known_dependants(getattr(_dependencies, _DEPENDANT)), **_ANSWERED}),
        _replaced(ModelField, {_ADAPTER: _known_adapters(getattr(ModelField, _ADAPTER))}),
    ):
        yield


@contextmanager
def shared_analysis(routers: Iterable[APIRouter], unlisted: Iterable[APIRouter] = ()) -> Iterator[None]:
    """Inside the block, routes of these routers are included without a second look at their endpoints.

    Those that are ``unlisted``, which is in no document, share the models of their forms too: each has a name that
    the document would show.
    """
    if not _is_pinned():
        yield
        return
    known = _Known(routers, unlisted)
    makers: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        (_ANALYSIS, known.analysis_or),
        (_FIELD, known.field_or),
        (_BODY, known.body_or),
        (_ROUTES, _direct_routes),
        (_PATH, lambda _compile: _compiled),
    )
    lean = {name: make(getattr(_routing, name)) for name, make in makers}
    with (
        _patching,
        _replaced(_routing, lean),
        _replaced(starlette_routing, {"re": _LATE}),
        _replaced(_dependencies, _ANSWERED),
    ):
        yield


def _remembered(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A question about a function whose answer does not change; for what cannot be remembered it is asked each time."""
    known: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def look(call: Any) -> Any:
        try:
            return known[call]
        except (KeyError, TypeError):
            answer = ask(call)
        with suppress(TypeError):
            known[call] = answer
        return answer

    return look


_ANSWERED = {
    name: _remembered(getattr(dependency_utils, name))
    for name in ("_get_signature",)
    if hasattr(dependency_utils, name)
}


class LatePattern:
    """A regular expression that is compiled when somebody asks it: most paths are found by an index without it."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = pattern
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        """What a compiled one has."""
        if name in ("pattern", "flags") or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(self.pattern, self.flags), name)
        setattr(self, name, found)
        return found


_LATE = SimpleNamespace(compile=LatePattern, escape=re.escape, IGNORECASE=re.IGNORECASE)


def _is_pinned() -> bool:
    return tuple(fastapi.__version__.split(".")[:2]) == PINNED and all(hasattr(routing, name) for name in _NAMES)


@contextmanager
def _replaced(module: Any, names: Mapping[str, Any]) -> Iterator[None]:  # Any: private functions of a module
    before = {name: getattr(module, name) for name in names}
    for name, value in names.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


def _direct_routes(whole: Callable[..., Any]) -> Callable[..., Any]:
    """FastAPI's walk through routes, without those of included routers; other threads get the whole of it."""
    thread = threading.get_ident()

    def look(routes: Sequence[BaseRoute]) -> Iterator[tuple[BaseRoute, Any]]:
        if threading.get_ident() != thread:
            yield from whole(routes)
            return
        for route in routes:
            if not isinstance(route, routing._IncludedRouter):
                yield route, None

    return look


def _known_dependants(analyse: Callable[..., Any]) -> Callable[..., Any]:
    """FastAPI's look at a dependency; one that takes nothing but the request is the same wherever it stands."""
    known: dict[int, tuple[object, Any]] = {}

    def look(*, path: str, call: Callable[..., Any], **given: Any) -> Any:
        found = known.get(id(call))
        if found is not None:
            return replace(found[1], path=path, **given)
        made = analyse(path=path, call=call, **given)
        if not any(getattr(made, name) for name in _FURTHER):
            known[id(call)] = (call, made)
        return made

    return look


_FURTHER = (
    "dependencies",
    "path_params",
    "query_params",
    "header_params",
    "cookie_params",
    "body_params",
    "security_scopes_param_name",
)


def _known_adapters(make: Callable[[Any], None]) -> Callable[[Any], None]:
    """FastAPI's making of a field's type adapter, once for each type with the same metadata and attributes."""
    known: dict[object, Any] = {}

    def look(field: Any) -> None:
        key = _adapter_key(field)
        found = known.get(key) if key is not None else None
        if found is not None:
            field._type_adapter = found
            return
        make(field)
        if key is not None:
            known[key] = field._type_adapter

    return look


def _adapter_key(field: Any) -> object:
    """``None`` for what cannot be compared."""
    parts = asdict(field.field_info)
    attributes = [(name, type(value), value) for name, value in parts["attributes"].items() if name not in _ALIASES]
    key = (parts["annotation"], tuple(parts["metadata"]), *attributes)
    try:
        hash(key)
    except TypeError:
        return None
    return key if field.config is None else None


class _Known:
    def __init__(self, routers: Iterable[APIRouter], unlisted: Iterable[APIRouter]) -> None:
        self._routes: dict[tuple[object, ...], APIRoute] = {}
        self._fields: dict[tuple[int, str], tuple[object, Any]] = {}
        self._bodies: dict[tuple[object, ...], Any] = {}
        for route in _routes_below(unlisted):
            if route.body_field is not None:
                parts = _routing._get_flat_body_params(route.dependant)
                self._bodies[(route._embed_body_fields, *map(id, parts))] = route.body_field
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

    def body_or(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """FastAPI's making of a body's field, which first looks here."""

        def look(*, body_params: list[Any], name: str, embed_body_fields: bool) -> Any:
            field = self._bodies.get((embed_body_fields, *map(id, body_params)))
            if field is not None:
                return field
            return make(body_params=body_params, name=name, embed_body_fields=embed_body_fields)

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
