"""The route index answers as Starlette's linear scan does: one table of requests against both."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from fastapi_services_platform import access
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.router_factory import entry_of
from fastapi_services_platform.http.fastapi_seams import flatten
from fastapi_services_platform.http.routing import RouteIndex


def said(name: str) -> Any:
    @access(public=True)
    async def endpoint(request: Request) -> PlainTextResponse:
        params = ",".join(f"{key}={value!r}" for key, value in sorted(request.path_params.items()))
        return PlainTextResponse(f"{name}({params})")

    endpoint.__name__ = name
    return endpoint


@access(public=True)
async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"mounted {scope['root_path']}")(scope, receive, send)


def build() -> FastAPI:
    app = FastAPI(openapi_url=None)
    users = APIRouter()
    users.add_api_route("/", said("users"), methods=["GET"])
    users.add_api_route("/{user}", said("user"), methods=["GET", "DELETE"])
    users.add_api_route("/me", said("me"), methods=["GET"])
    users.add_api_route("/{user}/notes/{note:int}", said("note"), methods=["GET"])
    users.add_api_route("/{user}/notes/last", said("last_note"), methods=["GET"])
    inner = APIRouter(prefix="/inner")
    inner.add_api_route("/leaf", said("leaf"), methods=["GET"])
    inner.add_api_route("/leaf", said("leaf_post"), methods=["POST"])
    users.include_router(inner, prefix="/deep")
    app.include_router(users, prefix="/users")
    rest = APIRouter()
    rest.add_api_route("/", said("root"), methods=["GET"])
    rest.add_api_route("/files/{path:path}", said("file"), methods=["GET"])
    rest.add_api_route("/files/special", said("special"), methods=["GET", "PUT"])
    rest.add_api_route("/price/{amount:float}", said("price"), methods=["GET"])
    rest.add_api_route("/id/{key:uuid}", said("key"), methods=["GET"])
    rest.add_api_route("/v{version}/status", said("status"), methods=["GET"])
    rest.add_api_route("/report.{kind}", said("report"), methods=["GET"])
    rest.add_api_route("/slash/", said("slash"), methods=["GET"])
    rest.add_api_route("/a.b+c", said("literal"), methods=["GET"])
    rest.mount("/static", mounted, name="static")
    app.include_router(rest)
    return app


PATHS = [
    "/",
    "/users",
    "/users/",
    "/users/ada",
    "/users/ada/",
    "/users/me",
    "/users/ada/notes/7",
    "/users/ada/notes/-7",
    "/users/ada/notes/last",
    "/users/ada/notes/",
    "/users//notes/7",
    "/users/deep/inner/leaf",
    "/users/deep/inner/leaf/",
    "/users/deep/inner",
    "/files/",
    "/files",
    "/files/a/b/c.txt",
    "/files/special",
    "/price/1.5",
    "/price/x",
    "/id/6f1c3f6e-6c1b-4a53-9f43-6f0a3a0e3b11",
    "/id/nothing",
    "/v2/status",
    "/v/status",
    "/v2/x/status",
    "/report.csv",
    "/report.",
    "/slash",
    "/slash/",
    "/a.b+c",
    "/aXb+c",
    "/static",
    "/static/",
    "/static/css/site.css",
    "/staticx",
    "/nowhere",
    "/nowhere/",
    "//",
    "/users/%C3%A5sa",
    "/users/a%2Fb",
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
async def test_every_request_is_answered_as_starlette_would(method: str) -> None:
    """Status, Allow, Location and body agree for the whole table."""
    plain, ours = build(), build()
    owner = LoadedCapability(Manifest("demo", "1", ""), None)
    index = RouteIndex([entry_of(flat, owner, "demo") for flat in flatten(ours.router.routes)])

    async def indexed(scope: Scope, receive: Receive, send: Send) -> None:
        from fastapi_services_platform.config.settings import PlatformSettings
        from fastapi_services_platform.container.registry import Registry
        from fastapi_services_platform.http.door.admission import Admission
        from fastapi_services_platform.http.door.forgery import TokenMaker
        from fastapi_services_platform.http.edge import Edge

        edge = Edge(ours, ours.router, PlatformSettings(environment="test"), Registry())
        edge.index = index
        edge.admission = Admission(None, None, TokenMaker(b"k"), "http://platform.test", None)
        await edge(scope, receive, send)

    async with (
        AsyncClient(transport=ASGITransport(plain), base_url="http://platform.test") as starlette,
        AsyncClient(transport=ASGITransport(indexed), base_url="http://platform.test") as edge,
    ):
        for path in PATHS:
            expected, actual = await starlette.request(method, path), await edge.request(method, path)
            place = f"{method} {path}"
            assert (place, expected.status_code) == (place, actual.status_code)
            assert (place, expected.headers.get("location")) == (place, actual.headers.get("location"))
            assert (place, _allow(expected.headers.get("allow"))) == (place, _allow(actual.headers.get("allow")))
            if expected.status_code == 200:
                assert (place, expected.text) == (place, actual.text)


def _allow(header: str | None) -> set[str]:
    return set(header.split(", ")) if header else set()


def test_a_number_beyond_reason_is_no_match() -> None:
    """A parameter that Python refuses to convert is a 404, not an error."""
    app = build()
    owner = LoadedCapability(Manifest("demo", "1", ""), None)
    index = RouteIndex([entry_of(flat, owner, "demo") for flat in flatten(app.router.routes)])
    assert index.find("http", "GET", f"/users/ada/notes/{'9' * 5000}") is None


def test_the_last_of_a_thousand_routes_needs_no_more_candidates_than_the_first() -> None:
    """The number of patterns that are tried does not grow with the number of routes."""
    app = FastAPI(openapi_url=None)
    router = APIRouter()
    for number in range(1000):
        router.add_api_route(f"/things{number}/{{key}}", said(f"thing{number}"), methods=["GET"])
    app.include_router(router)
    owner = LoadedCapability(Manifest("demo", "1", ""), None)
    index = RouteIndex([entry_of(flat, owner, "demo") for flat in flatten(app.router.routes)])
    counts = [len(index._http.candidates(f"/things{number}/x")) for number in (0, 500, 999)]
    assert counts == [1, 1, 1]
