"""Private touch points with FastAPI's declaration of routes: what nobody asks for is not worked out.

FastAPI analyses an endpoint when it is decorated, and once more for every router that its own is included in.
Signatures, models and type adapters are the larger part of a start, and of what routes keep in memory. Here a
declaration notes what it was given, models are built when they are first used, and ``Analysis`` works a route out when
somebody asks for it, with the adapters and dependencies that other routes have already. With another FastAPI than the
pinned one all is as FastAPI does it.
"""

import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, get_args  # Any: what FastAPI leaves untyped or keeps to itself
from weakref import WeakKeyDictionary

import fastapi
from fastapi import routing
from fastapi import utils as fastapi_utils
from fastapi._compat.v2 import ModelField, asdict
from fastapi.dependencies import utils as dependency_utils
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic._internal import _config as pydantic_config
from starlette import routing as starlette_routing
from starlette.routing import BaseRoute, compile_path, get_name

from fastapi_services_platform.http.lean_classes import lean_classes

PINNED = ("0", "165")

_ROUTES = "_iter_routes_with_context"
_PATH = "compile_path"
_OLD_MODELS = "annotation_is_pydantic_v1"
_DEPENDANT = "get_dependant"
_ADAPTER = "__post_init__"
_SIGNATURE = "_get_signature"
_FORM_LIMITS = "_validate_form_limits"
_DEFER = "defer_build"
_TOUCHED = (
    (routing, (_ROUTES, _PATH, _FORM_LIMITS, "_IncludedRouter")),
    (fastapi_utils, (_OLD_MODELS,)),
    (dependency_utils, (_DEPENDANT, _SIGNATURE)),
    (ModelField, (_ADAPTER,)),
    (pydantic_config, ("config_defaults",)),
)
_PATHS_REMEMBERED = 4096
_ALIASES = frozenset({"alias", "alias_priority", "validation_alias", "serialization_alias"})
"""What a type adapter of a value alone does not use."""
_LISTS = ("tags", "dependencies", "callbacks")
_patching = threading.RLock()
_compiled = lru_cache(_PATHS_REMEMBERED)(compile_path)


def is_pinned() -> bool:
    """Whether this is the FastAPI whose private parts are known, with all of them."""
    known = tuple(fastapi.__version__.split(".")[:2]) == PINNED
    return known and all(hasattr(place, name) for place, names in _TOUCHED for name in names)


@contextmanager
def lean_declarations() -> Iterator[None]:
    """Inside the block, modules with routes and models are imported without what FastAPI and pydantic need later."""
    if not is_pinned():
        with lean_classes():
            yield
        return
    with (
        lean_classes(),
        Analysis().at_work(),
        _replaced(routing, {_ROUTES: _direct_routes(getattr(routing, _ROUTES))}),
        _replaced(APIRoute, {"__init__": _late_declaration(APIRoute.__init__)}),
        _deferred_models(),
    ):
        yield


@contextmanager
def lean_inclusions() -> Iterator[None]:
    """Inside the block, a router is included without a look at every route of those that it includes itself: that
    their paths are not empty was seen when they were included.
    """
    if not is_pinned():
        yield
        return
    with _patching, _replaced(routing, {_ROUTES: _direct_routes(getattr(routing, _ROUTES))}):
        yield


class LateRoute(APIRoute):
    """A route that has what it was declared with; what FastAPI makes of it is made when somebody asks for it."""

    def __getattr__(self, name: str) -> Any:  # Any: whatever an APIRoute has
        """What an analysed route has: this is one from here on."""
        if name not in _WORKED_OUT:
            raise AttributeError(name)
        with _patching:
            given = self.__dict__.get("declared")
            if given is not None:
                _whole_declaration(self, **given)
                self.__class__ = APIRoute  # type: ignore[assignment]  # nothing is late any more
                del self.__dict__["declared"]
        return object.__getattribute__(self, name)


_whole_declaration: Callable[..., None] = APIRoute.__init__
_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(APIRoute.__init__).parameters.items()
    if parameter.default is not inspect.Parameter.empty
}
_WORKED_OUT = frozenset(APIRoute.__annotations__) | {"path_regex", "path_format", "param_convertors", "app"}


def _late_declaration(whole: Callable[..., None]) -> Callable[..., None]:
    """How a route of FastAPI's own class is declared in a lean block; a class of somebody else's is its own affair."""

    def declare(self: APIRoute, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        if type(self) is not APIRoute or not callable(endpoint):
            whole(self, path, endpoint, **given)
            return
        self.__class__ = LateRoute
        values = {**_DEFAULTS, **given}
        values |= {name: list(values[name] or ()) for name in _LISTS}
        values["name"] = values["name"] or get_name(endpoint)
        values["methods"] = {method.upper() for method in values["methods"] or ("GET",)}
        values["responses"] = values["responses"] or {}
        values["stream_item_type"] = None
        values["form_limits"] = getattr(routing, _FORM_LIMITS)(values["form_limits"])
        self.__dict__.update(
            values, path=path, endpoint=endpoint, declared={"path": path, "endpoint": endpoint, **given}
        )

    return declare


class Analysis:
    """Works out what FastAPI makes of an endpoint. One type has one adapter, one dependency on nothing but the request
    is looked at once: this remembers them.
    """

    def __init__(self) -> None:
        self._lean: tuple[tuple[Any, dict[str, Any]], ...] = ()
        if is_pinned():
            self._lean = (
                (fastapi_utils, {_OLD_MODELS: _unless_imported(_asked_first[_OLD_MODELS])}),
                (routing, {_PATH: _compiled}),
                (starlette_routing, {"re": _LATE}),
                (dependency_utils, {_DEPENDANT: _known_dependants(_asked_first[_DEPENDANT]), _SIGNATURE: _signature}),
                (ModelField, {_ADAPTER: _known_adapters(_asked_first[_ADAPTER])}),
            )

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside the block, FastAPI analyses with what is remembered; other threads wait for their turn."""
        with _patching, ExitStack() as stack:
            for place, names in self._lean:
                stack.enter_context(_replaced(place, names))
            yield


def late_path(path: str) -> tuple[Any, str, dict[str, Any]]:  # Any: re.Pattern[str]; starlette's convertors
    """Starlette's compiled path, of which the expression is compiled when it is first asked."""
    if not is_pinned():
        return compile_path(path)
    with _patching, _replaced(starlette_routing, {"re": _LATE}):
        return _compiled(path)


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


@contextmanager
def _deferred_models() -> Iterator[None]:
    """Inside the block, a model that says nothing else is built when it is first used."""
    defaults: Any = pydantic_config.config_defaults  # Any: a dictionary of pydantic's own
    before = defaults[_DEFER]
    defaults[_DEFER] = True
    try:
        yield
    finally:
        defaults[_DEFER] = before


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


def _unless_imported(is_old: Callable[..., bool]) -> Callable[..., bool]:
    """Whether a type is one of pydantic 1, without importing that to see that it is not."""
    return lambda kind: "pydantic.v1" in sys.modules and is_old(kind)


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
        _complete(field.field_info.annotation, set())
        make(field)
        if key is not None:
            known[key] = field._type_adapter

    return look


def _complete(annotation: Any, seen: set[object]) -> None:  # Any: a type or what stands for one
    """Build the models of a type, the inner ones first: what is made of them takes them as they are."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        for part in get_args(annotation):
            _complete(part, seen)
    elif annotation not in seen and not annotation.__pydantic_complete__:
        seen.add(annotation)
        for inner in annotation.model_fields.values():
            _complete(inner.annotation, seen)
        annotation.model_rebuild()


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


_asked_first: dict[str, Any] = {name: getattr(place, name, None) for place, names in _TOUCHED[1:4] for name in names}
_signature = _remembered(_asked_first[_SIGNATURE])
