"""Route index: finds the route of a request in the same time whatever the number of routes.

An exact dictionary answers paths without parameters; a tree over path segments answers the rest, one for each method.
The answer is the one that Starlette's linear scan gives: the first full match in order of registration, else the first
partial one (405), else a redirect of slashes, else nothing. The request is then dispatched to the very route that was
found, so what was authorized is what runs.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol  # Any: what FastAPI and Starlette leave untyped

from starlette.types import ASGIApp

from fastapi_services_platform.http.compiled import CompiledEndpoint
from fastapi_services_platform.http.door.rate_limits import RateTerm
from fastapi_services_platform.http.permissions import Access
from fastapi_services_platform.security.principal import Reversibility

RouteKind = Literal["http", "websocket", "mount"]


class Owner(Protocol):
    """The capability of a route, as far as a request needs it."""

    @property
    def name(self) -> str: ...

    @property
    def unavailable(self) -> str | None: ...

    @property
    def reversibility(self) -> Reversibility: ...


@dataclass(frozen=True, slots=True)
class RouteTerms:
    """What the configuration says of a route. ``own_lane``: it is the platform's own and is answered under overload
    too. ``lane``: the tier whose places it takes, with their number, when the tier has a number of its own.
    """

    max_body_bytes: int | None = None
    rate_limits: tuple[RateTerm, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    own_lane: bool = False
    request_timeout: float | None = None
    lane: tuple[str, int] | None = None
    problem_codes: Mapping[str | int, str] = field(default_factory=dict)


class Target(NamedTuple):
    """What runs: ``app`` is the ASGI application behind a route, ``scope_update`` what it finds in the scope."""

    app: ASGIApp
    scope_update: Mapping[str, object]
    compiled: CompiledEndpoint | None


@dataclass(frozen=True, slots=True, eq=False)
class RouteEntry:
    """One route. ``target`` is worked out when it is first called, and remembered."""

    path: str
    kind: RouteKind
    methods: frozenset[str]
    name: str
    endpoint: object
    access: Access
    owner: Owner
    mount_name: str
    regex: re.Pattern[str]
    convertors: Mapping[str, Any]  # Any: starlette.convertors.Convertor of whatever type
    original: object
    terms: RouteTerms
    target: Callable[[], Target]

    def answers(self, method: str | None) -> bool:
        """Whether a request with the method is for it; ``None``: a method that no route names."""
        return not self.methods or method in self.methods

    @property
    def parametrised(self) -> bool:
        """Whether the path has parameters (a mount always has: the rest of the path)."""
        return bool(self.convertors)


class Found(NamedTuple):
    """The route of a request. ``allowed`` is empty unless only the method is wrong."""

    entry: RouteEntry
    path_params: dict[str, Any]
    allowed: frozenset[str]


_ANY: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Node:
    children: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    ends: list[int] = field(default_factory=list)
    tails: list[int] = field(default_factory=list)


class RouteIndex:
    """Immutable once built; a changed set of routes gets a new index."""

    def __init__(self, entries: Sequence[RouteEntry]) -> None:
        self.entries = tuple(entries)
        self._http = _Table([(n, e) for n, e in enumerate(entries) if e.kind != "websocket"])
        self._websocket = _Table([(n, e) for n, e in enumerate(entries) if e.kind != "http"])
        self._by_method = {method: self._answering(method) for method in _methods(entries)}
        self._of_any = self._answering(None)
        self._own_heads = frozenset(_head(e.path) for e in entries if e.terms.own_lane)

    def _answering(self, method: str | None) -> "_Table":
        """The routes that answer a method, so that a look-up tries no other; ``None``: one that no route names."""
        return _Table([(n, e) for n, e in enumerate(self.entries) if e.kind != "websocket" and e.answers(method)])

    def find(self, kind: str, method: str, path: str) -> Found | None:
        """The route that Starlette would choose, or ``None``."""
        table = self._by_method.get(method, self._of_any) if kind == "http" else self._websocket
        for entry in table.candidates(path):
            params = _match(entry, path)
            if params is not None:
                return Found(entry, params, _ANY)
        if kind == "http":
            for entry in self._http.candidates(path):
                params = _match(entry, path)
                if params is not None:
                    return Found(entry, params, entry.methods)
        return None

    def in_own_lane(self, method: str, path: str) -> bool:
        """Whether the path leads to a route of the platform's own; a look at its first segment answers most."""
        if _head(path) not in self._own_heads and "{" not in self._own_heads:
            return False
        found = self.find("http", method, path)
        return found is not None and found.entry.terms.own_lane

    def redirect_of(self, path: str) -> str | None:
        """The path with or without its last slash when only that one is routed."""
        if path == "/":
            return None
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        if any(_match(entry, other) is not None for entry in self._http.candidates(other)):
            return other
        return None


class _Table:
    def __init__(self, numbered: Iterable[tuple[int, RouteEntry]]) -> None:
        self._root = _Node()
        self._entries: dict[int, RouteEntry] = {}
        exact: dict[str, list[int]] = {}
        for number, entry in numbered:
            self._entries[number] = entry
            if entry.parametrised:
                self._insert(number, entry)
            else:
                exact.setdefault(entry.path, []).append(number)
        self._exact = {path: self._resolve([*numbers, *self._walk(path)]) for path, numbers in exact.items()}

    def candidates(self, path: str) -> Sequence[RouteEntry]:
        """Routes that may match, in order of registration."""
        exact = self._exact.get(path)
        return exact if exact is not None else self._resolve(self._walk(path))

    def _resolve(self, numbers: Iterable[int]) -> tuple[RouteEntry, ...]:
        return tuple(self._entries[number] for number in sorted(numbers))

    def _insert(self, number: int, entry: RouteEntry) -> None:
        node = self._root
        for segment in entry.path.split("/")[1:]:
            if "{" not in segment:
                node = node.children.setdefault(segment, _Node())
            elif _is_one_segment(segment, entry):
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node.tails.append(number)
                return
        (node.tails if entry.kind == "mount" else node.ends).append(number)

    def _walk(self, path: str) -> Iterator[int]:
        segments = path.split("/")[1:]
        level: list[_Node] = [self._root]
        for segment in segments:
            following: list[_Node] = []
            for node in level:
                yield from node.tails
                child = node.children.get(segment)
                if child is not None:
                    following.append(child)
                if node.parameter is not None:
                    following.append(node.parameter)
            if not following:
                return
            level = following
        for node in level:
            yield from node.ends
            yield from node.tails


def _methods(entries: Iterable[RouteEntry]) -> frozenset[str]:
    return frozenset().union(*(entry.methods for entry in entries))


def _head(path: str) -> str:
    """The first segment; ``{`` for one with a parameter."""
    segment = path.split("/", 2)[1] if path.startswith("/") else path
    return "{" if "{" in segment else segment


def _is_one_segment(segment: str, entry: RouteEntry) -> bool:
    whole = re.fullmatch(r"\{([a-zA-Z_][a-zA-Z0-9_]*)(?::(?:str|int|float|uuid))?\}", segment)
    return whole is not None and whole.group(1) in entry.convertors


def _match(entry: RouteEntry, path: str) -> dict[str, Any] | None:
    if not entry.convertors:
        return {}
    found = entry.regex.match(path)
    if found is None:
        return None
    try:
        return {key: entry.convertors[key].convert(value) for key, value in found.groupdict().items()}
    except ValueError:  # a number of thousands of digits: no such thing, rather than an error of ours
        return None
