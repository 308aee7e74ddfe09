"""A platform with a defect for each stage; a file says which of them is alive, so that one start serves all.

The parts of the product are bent before any capability is loaded. What cannot be bent there is bent at the door.
"""

import importlib
import inspect
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

CHOSEN = "PLANTED_DEFECT_FILE"
DEFECTS = {
    "boot": "a page names a script that is not there",
    "authentication": "a token survives the signing out",
    "identity": "a deleted account stays",
    "access": "decisions about others are explained to everybody",
    "machines": "an approval can be used twice",
    "graph": "groups may be members of each other",
    "storage": "a document that was accepted is lost",
    "scripts": "strangers see a run",
    "recovery": "what is taken back stays as it was",
    "hub": "a flag that is switched changes nothing",
    "faults": "a reset leaves the rules",
    "coverage": "a route forgets its permission",
}
_IDENTITY = "au_sys_identity.core"
_SCRIPT, _UNGUARDED = "/static/hub/htmx.min.js", "/platform/api/v1/pools"
_PERSON = re.compile("^/users/[0-9a-f-]{36}$")
Work = Callable[..., Any]  # Any: whatever the part that is bent gives


def chosen() -> str:
    """The stage whose defect is alive now, or ""."""
    return Path(os.environ[CHOSEN]).read_text(encoding="utf-8").strip()


def application() -> ASGIApp:
    """What ``fsp run --app`` serves."""
    _bend("authentication", f"{_IDENTITY}.sessions.lifecycle", "Sessions.end", _nothing)
    _bend("machines", f"{_IDENTITY}.approvals.using", "Using.use", _yes)
    _bend("machines", f"{_IDENTITY}.approvals.using", "Using.fits", _any_approval)
    _bend("graph", f"{_IDENTITY}.graph.linking", "checked_edge", _as_given)
    _bend("storage", "au_sys_storage_sdk.adapters.api.documents", "_write", _accepted)
    _bend("scripts", "skriptoteket.core.runs.sight", "sight_of", _everything)
    _bend("recovery", f"{_IDENTITY}.recovery.undoing", "Undoing.undo", _only_tried)
    _bend("hub", "fastapi_services_platform.config.feature_flags", "FeatureFlags.change", _quietly_nothing)
    _bend("faults", f"{_IDENTITY}.access.ruling", "Ruling.replace_all", _outcome_without_work)
    from fastapi_services_platform import create_app

    return _Door(create_app())


class _Door:
    """In front of the platform: a script that is gone, a deletion that only says so, a route that asks for nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.router = getattr(app, "router", None)
        self.state = getattr(app, "state", None)

    def __getattr__(self, name: str) -> Any:  # Any: whatever the server asks the platform for
        return getattr(self._app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server."""
        answer = self._bent(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _bent(self, scope: Scope) -> Response | None:
        if scope["path"] == _SCRIPT and chosen() == "boot":
            return Response(status_code=404)
        if scope["method"] == "DELETE" and _PERSON.match(scope["path"]) and chosen() == "identity":
            known = any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])
            return Response(status_code=204) if known else None
        if scope["path"] == "/rbac/explain" and chosen() == "access":
            return JSONResponse({"decision": True})
        if scope["path"] == _UNGUARDED and chosen() == "coverage":
            return JSONResponse({"pools": {}})
        return None


def _bend(stage: str, module: str, path: str, instead: Callable[[Work], Work]) -> None:
    owner: Any = importlib.import_module(module)  # Any: a module or a class of it
    *above, name = path.split(".")
    for part in above:
        owner = getattr(owner, part)
    right = getattr(owner, name)
    wrong = instead(right)

    def either(*given: Any, **named: Any) -> Any:  # Any: passed on as it is
        return (wrong if chosen() == stage else right)(*given, **named)

    async def awaited(*given: Any, **named: Any) -> Any:  # Any: passed on as it is
        return await either(*given, **named)

    setattr(owner, name, awaited if inspect.iscoroutinefunction(right) else either)


def _nothing(_: Work) -> Work:
    async def work(*_: object, **__: object) -> None:
        return None

    return work


def _quietly_nothing(_: Work) -> Work:
    return lambda *_, **__: None


def _yes(_: Work) -> Work:
    async def work(*_: object, **__: object) -> bool:
        return True

    return work


def _as_given(_: Work) -> Work:
    async def work(_unit: object, edge: object, *_: object, **__: object) -> object:
        return edge

    return work


def _any_approval(right: Callable[..., Awaitable[object]]) -> Work:
    first: list[object] = []

    async def work(*given: object, **named: object) -> object:
        found = await right(*given, **named)
        first[:] = [found] if found is not None else first
        return first[0] if first else None

    return work


def _accepted(_: Work) -> Work:
    from au_sys_storage_sdk.adapters.api.documents import _written

    async def work(*_: object) -> Response:
        return _written(1, 201)

    return work


def _everything(_: Work) -> Work:
    from skriptoteket.core.runs.sight import Sight

    return lambda *_, **__: Sight.OWN


def _only_tried(right: Callable[..., Awaitable[object]]) -> Work:
    async def work(*given: object, **named: object) -> object:
        return await right(*given, **{**named, "dry_run": True})

    return work


def _outcome_without_work(right: Callable[..., Awaitable[object]]) -> Work:
    async def work(*given: object, **named: object) -> object:
        return await right(*given, **{**named, "dry_run": True})

    return work
