"""The contract with FastAPI's private parts: it fails here, before it fails in a request."""

import subprocess
import sys
import warnings
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, WebSocket
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient

from fastapi_services_platform.http import fastapi_seams, fastapi_sharing
from fastapi_services_platform.http.fastapi_seams import flatten


def test_the_pinned_minor_is_installed() -> None:
    """Another minor needs this contract to be read again."""
    assert fastapi.__version__.split(".")[:2] == ["0", "165"]


def test_the_names_that_the_seams_touch_exist() -> None:
    """What is private may go without notice."""
    from fastapi import routing

    assert hasattr(routing, "_IncludedRouter")
    assert hasattr(routing._IncludedRouter, "effective_candidates")
    assert routing._FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY == "effective_route_context"
    assert routing._FASTAPI_INCLUDED_ROUTER_KEY == "included_router"
    assert routing._FASTAPI_FORM_LIMITS_KEY == "form_limits"
    assert routing._FASTAPI_SCOPE_KEY == "fastapi"
    assert hasattr(APIRouter(), "_mark_routes_changed")
    assert fastapi_sharing.is_pinned()


def test_nested_routers_are_flattened_with_their_full_paths() -> None:
    """Prefixes are joined, dependencies of the include reach the route, every kind of route comes along."""
    seen: list[str] = []

    async def note() -> None:
        seen.append("ran")

    async def leaf(who: Annotated[None, Depends(note)]) -> None:
        return None

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    async def plain(_scope: Any, _receive: Any, _send: Any) -> None:
        return None

    inner = APIRouter(prefix="/inner")
    inner.add_api_route("/leaf/{key:int}", leaf, methods=["GET", "PUT"], name="leaf")
    inner.add_api_websocket_route("/socket", socket)
    inner.mount("/files", plain, name="files")
    outer = APIRouter()
    outer.include_router(inner, prefix="/outer", dependencies=[Depends(note)])
    app = FastAPI(openapi_url=None)
    app.include_router(outer, prefix="/app")
    flat = {route.path: route for route in flatten(app.router.routes)}
    assert sorted(flat) == ["/app/outer/files", "/app/outer/inner/leaf/{key:int}", "/app/outer/inner/socket"]
    leaf_route = flat["/app/outer/inner/leaf/{key:int}"]
    assert (sorted(leaf_route.methods), leaf_route.name) == (["GET", "PUT"], "leaf")
    assert list(leaf_route.convertors) == ["key"]
    assert isinstance(leaf_route.route, APIRoute)
    assert callable(leaf_route.served().app)
    context: Any = leaf_route.served().scope_update["fastapi"]
    assert [item.call for item in context["effective_route_context"].dependant.dependencies] == [note, note]


def test_the_scope_holds_what_fastapi_asks_for() -> None:
    """Without the exit stack under this key FastAPI refuses every request."""
    scope: dict[str, Any] = {}
    stack = fastapi_seams.prepare_scope(scope, APIRouter(), ({}, {}))
    assert scope["fastapi_middleware_astack"] is stack
    assert "starlette.exception_handlers" in scope


def test_an_endpoint_is_analysed_at_its_first_request() -> None:
    """Neither a declaration nor an inclusion looks at the signature; what is looked at is remembered."""
    from fastapi_services_platform.http.fastapi_sharing import LateRoute, lean_declarations, lean_inclusions

    async def leaf(key: int, word: str = "") -> dict[str, str]:
        return {"key": str(key), "word": word}

    inner, outer, app = APIRouter(), APIRouter(), FastAPI(openapi_url=None)
    before = APIRoute.__init__
    with lean_declarations():
        inner.add_api_route("/leaf/{key}", leaf, status_code=201, tags=["leaves"])
        outer.include_router(inner, prefix="/inner")
    assert APIRoute.__init__ is before
    with lean_inclusions():
        app.include_router(outer, prefix="/outer")
    (flat,) = flatten(app.router.routes)
    assert (flat.path, flat.name, sorted(flat.methods)) == ("/outer/inner/leaf/{key}", "leaf", ["GET"])
    assert isinstance(flat.route, LateRoute)
    context: Any = flat.served().scope_update["fastapi"]
    effective = context["effective_route_context"]
    assert [field.name for field in effective.dependant.path_params] == ["key"]
    assert (effective.status_code, effective.response_field.name) == (201, "Response_leaf_outer_inner_leaf__key__get")
    assert type(flat.route) is LateRoute
    fastapi_seams.complete(app.router.routes)
    (included,) = app.router.routes
    assert next(iter(included.effective_route_contexts())) is effective  # type: ignore[attr-defined]  # FastAPI's own


async def test_a_late_route_is_one_of_fastapi_for_whoever_asks() -> None:
    """Outside of the platform a router that was declared lean serves, documents and says what any other does."""
    from fastapi_services_platform.http.fastapi_sharing import LateRoute, lean_declarations

    async def leaf(key: int) -> list[int]:
        return [key]

    plain, late = APIRouter(), APIRouter()
    plain.add_api_route("/leaf/{key}", leaf)
    with lean_declarations():
        late.add_api_route("/leaf/{key}", leaf)
    (route,), (expected,) = late.routes, plain.routes
    assert isinstance(route, LateRoute)
    assert not hasattr(route, "nothing")
    assert {name: getattr(route, name) for name in ("unique_id", "path_format", "description", "response_model")} == {
        name: getattr(expected, name) for name in ("unique_id", "path_format", "description", "response_model")
    }
    assert type(route) is APIRoute
    app = FastAPI()
    app.include_router(late)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/leaf/7")).json() == [7]
        assert (await client.get("/leaf/x")).status_code == 422


def test_an_annotation_that_fastapi_does_not_take_is_told_when_the_route_is_worked_out() -> None:
    """Each time, with FastAPI's own error; what works out all of them is ``complete``."""
    from fastapi_services_platform.http.fastapi_sharing import lean_declarations

    class Odd: ...

    async def leaf(key: Odd) -> None: ...

    router, app = APIRouter(), FastAPI()
    with lean_declarations():
        router.add_api_route("/leaf", leaf)
    app.include_router(router)
    (*_, flat) = flatten(app.router.routes)
    for _ in range(2):
        with pytest.raises(fastapi.exceptions.FastAPIError, match="Invalid args"):
            flat.served()
    with pytest.raises(fastapi.exceptions.FastAPIError, match="Invalid args"):
        fastapi_seams.complete(app.router.routes)


def test_a_model_is_built_when_it_is_first_used() -> None:
    """A model of a lean block that says nothing else; the inner ones of a field are built with it."""
    from pydantic import BaseModel, ConfigDict

    from fastapi_services_platform.http.fastapi_sharing import Analysis, lean_declarations

    with lean_declarations():

        class Inner(BaseModel):
            key: int

        class Outer(BaseModel):
            inners: list[Inner]

        class Eager(BaseModel):
            model_config = ConfigDict(defer_build=False)

    class After(BaseModel): ...

    kinds = (Inner, Outer, Eager, After)
    assert [kind.__pydantic_complete__ for kind in kinds] == [False, False, True, True]
    app = FastAPI()
    with Analysis().at_work():
        app.add_api_route("/outer", _taking(Outer), methods=["POST"])
    assert [kind.__pydantic_complete__ for kind in kinds] == [True] * 4


def _taking(model: Any) -> Any:
    async def leaf(body: model) -> None: ...

    return leaf


def test_declarations_import_no_models_of_pydantic_1() -> None:
    """FastAPI would import them for its first annotation; one that somebody uses is refused as before."""
    from fastapi_services_platform.http.fastapi_sharing import lean_declarations

    lines = (
        "import sys",
        "from fastapi import APIRouter, FastAPI",
        "from fastapi_services_platform.http.fastapi_seams import flatten",
        "from fastapi_services_platform.http.fastapi_sharing import lean_declarations",
        "router = APIRouter()",
        "async def leaf(key: int) -> list[str]: ...",
        "with lean_declarations():",
        "    router.add_api_route('/{key}', leaf)",
        "app = FastAPI()",
        "app.include_router(router)",
        "flatten(app.router.routes)[-1].served()",
        "print('pydantic.v1' in sys.modules)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydantic import v1

    async def old() -> v1.BaseModel:
        return v1.BaseModel()

    router = APIRouter()
    with lean_declarations():
        router.add_api_route("/old", old)
    with pytest.raises(fastapi.exceptions.PydanticV1NotSupportedError):
        _ = router.routes[0].dependant  # type: ignore[attr-defined]  # FastAPI's own


def test_an_empty_path_is_refused_inside_the_lean_block() -> None:
    """A nested router is not worked out again, its own routes and those of a router without a prefix are looked at."""
    from fastapi_services_platform.http.fastapi_sharing import lean_declarations

    async def leaf() -> None: ...

    inner = APIRouter()
    inner.add_api_route("", leaf)
    with lean_declarations(), pytest.raises(fastapi.exceptions.FastAPIError, match="cannot be both empty"):
        APIRouter().include_router(inner)


def test_the_same_type_has_one_adapter_and_the_same_dependency_is_looked_at_once() -> None:
    """Inside an analysis; types, defaults or words that differ have adapters of their own."""
    from fastapi_services_platform.http.fastapi_sharing import Analysis

    async def who(request: Request) -> str:
        return str(request.url)

    async def one(a: int, b: Annotated[int, Query(ge=1)] = 3, who: str = Depends(who)) -> None: ...

    async def other(
        c: int, d: Annotated[int, Query(ge=1)] = 4, e: bool = True, f: int = 1, who: str = Depends(who)
    ) -> None: ...

    router = APIRouter()
    with Analysis().at_work():
        router.add_api_route("/one", one)
        router.add_api_route("/{c}/other", other)
    first, second = (route.dependant for route in router.routes if isinstance(route, APIRoute))
    adapters: dict[str, Any] = {
        field.name: field._type_adapter for field in (*first.query_params, *second.path_params, *second.query_params)
    }
    assert adapters["a"] is adapters["c"]
    assert len({id(adapters[name]) for name in "abdef"}) == 5
    assert [item.path for item in (first.dependencies[0], second.dependencies[0])] == ["/one", "/{c}/other"]
    assert first.dependencies[0].request_param_name == second.dependencies[0].request_param_name == "request"


async def test_routes_that_were_declared_lean_answer_as_others_do() -> None:
    """Validation, defaults and documents are those of FastAPI."""
    from fastapi_services_platform.http.fastapi_sharing import lean_declarations, lean_inclusions

    def declared() -> APIRouter:
        async def leaf(
            key: Annotated[int, Path(ge=1, description="The key")],
            size: Annotated[int, Query(le=9, description="How many")] = 3,
            name: Annotated[str, Query(max_length=3, alias="Name")] = "x",
        ) -> dict[str, int]:
            return {"key": key, "size": size}

        async def beside(key: Annotated[int, Path(ge=1, description="Another key")], size: int = 3) -> list[int]:
            return [key, size]

        router = APIRouter()
        router.add_api_route("/leaf/{key}", leaf)
        router.add_api_route("/beside/{key}", beside)
        return router

    plain, lean = FastAPI(), FastAPI()
    plain.include_router(declared(), prefix="/in")
    with lean_declarations():
        router = declared()
    with lean_inclusions():
        lean.include_router(router, prefix="/in")
    flatten(lean.router.routes)
    fastapi_seams.complete(lean.router.routes)
    assert lean.openapi() == plain.openapi()
    answers = []
    for app in (plain, lean):
        async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
            paths = ("/in/leaf/1", "/in/leaf/0", "/in/leaf/2?size=10&Name=long", "/in/beside/7?size=a", "/in/beside/7")
            answers.append([(answer.status_code, answer.json()) for answer in [await client.get(p) for p in paths]])
    assert answers[0] == answers[1]


def test_a_path_is_compiled_when_it_is_asked() -> None:
    """A late pattern answers as a compiled one does, can be copied, and has what a compiled one has only."""
    import copy
    import re

    from fastapi_services_platform.http.fastapi_sharing import LatePattern, late_path

    pattern = late_path("/late.leaf/{key}")[0]
    late, compiled = copy.copy(pattern), re.compile(pattern.pattern)
    assert isinstance(late, LatePattern)
    for path in ("/late.leaf/7", "/late-leaf/7", "/late.leaf/", "/late.leaf/7/8"):
        found, expected = late.match(path), compiled.match(path)
        assert (found and found.groupdict()) == (expected and expected.groupdict())
    assert late.groupindex == compiled.groupindex
    with pytest.raises(AttributeError):
        _ = late.nothing


def test_what_is_asked_about_a_function_is_remembered_as_long_as_it_lives() -> None:
    """A function that is gone leaves nothing; what cannot be remembered is asked each time."""
    import gc

    from fastapi_services_platform.http.fastapi_sharing import _remembered

    asked: list[str] = []

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]  # as the language has it

        def __call__(self) -> None: ...

    def name(call: Any) -> str:
        asked.append(type(call).__name__)
        return type(call).__name__

    look, odd = _remembered(name), Unhashable()

    def leaf() -> None: ...

    assert [look(leaf), look(leaf), look(odd), look(odd)] == ["function", "function", "Unhashable", "Unhashable"]
    assert asked == ["function", "Unhashable", "Unhashable"]
    del leaf
    gc.collect()
    assert list(look.__closure__[1].cell_contents) == []  # type: ignore[index]  # what it remembers
