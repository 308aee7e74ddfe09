"""Endpoints that are called directly answer as FastAPI would: one table of requests against both."""

import json
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from fastapi_services_platform import PlatformSettings, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing import started_app


class Item(BaseModel):
    name: str = Field(min_length=2)
    price: float = 1.5
    tags: list[str] = []


class Shown(BaseModel):
    label: str = Field(alias="Label")
    secret: str | None = None


async def name_of(request: Request) -> str:
    return request.headers.get("x-name", "nobody")


async def refuse(request: Request) -> None:
    if "x-refuse" in request.headers:
        raise HTTPException(418, "a teapot")


def build() -> APIRouter:
    router = APIRouter()

    @router.get("/scalars/{number}/{key}")
    @access(public=True)
    async def scalars(
        number: int, key: UUID, on: bool = False, word: str | None = None, share: Annotated[float, Query(le=1)] = 0.5
    ) -> dict[str, object]:
        return {"number": number, "key": str(key), "on": on, "word": word, "share": share}

    @router.get("/needed")
    @access(public=True)
    async def needed(q: Annotated[int, Query(alias="Q", ge=1)]) -> int:
        return q

    @router.post("/items", status_code=201)
    @access(public=True)
    async def items(item: Item) -> Item:
        return item

    @router.get("/aliased", response_model_exclude_none=True)
    @access(public=True)
    async def aliased() -> Shown:
        return Shown(Label="x")

    @router.get("/named", dependencies=[Depends(refuse)])
    @access(public=True)
    async def named(request: Request, who: Annotated[str, Depends(name_of)]) -> dict[str, str]:
        return {"who": who, "path": request.url.path}

    @router.get("/plain")
    @access(public=True)
    async def plain() -> PlainTextResponse:
        return PlainTextResponse("plain", 202, {"x-own": "1"})

    @router.get("/lists")
    @access(public=True)
    async def lists(n: Annotated[list[int], Query()]) -> list[int]:
        return n

    @router.get("/header")
    @access(public=True)
    async def header(x_name: Annotated[str, Header()]) -> str:
        return x_name

    @router.get("/wrong")
    @access(public=True)
    async def wrong(lie: bool = True) -> Item:
        return {"name": "x"} if lie else Item(name="ok")  # type: ignore[return-value]  # the lie is the test

    return router


GOOD = "0b5f7f3e-7c1e-4a45-9a35-1f2d3c4b5a69"
JSON = {"content-type": "application/json"}

Row = tuple[str, str, dict[str, str], bytes]
TABLE: list[Row] = [
    ("GET", f"/scalars/7/{GOOD}", {}, b""),
    ("GET", f"/scalars/7/{GOOD}?on=yes&word=a+b%20c&share=0.25&extra=1", {}, b""),
    ("GET", f"/scalars/7/{GOOD}?word=&word=last&on=1", {}, b""),
    ("GET", f"/scalars/x/{GOOD}", {}, b""),
    ("GET", "/scalars/7/nothing?on=perhaps&share=2", {}, b""),
    ("GET", "/needed", {}, b""),
    ("GET", "/needed?Q=3", {}, b""),
    ("GET", "/needed?q=3", {}, b""),
    ("GET", "/needed?Q=0", {}, b""),
    ("GET", "/needed?Q=%ff", {}, b""),
    ("POST", "/items", JSON, b'{"name": "tea", "tags": ["a"]}'),
    ("POST", "/items", {"content-type": "application/json; charset=utf-8"}, b'{"name": "tea", "price": 1e3}'),
    ("POST", "/items", {"content-type": "application/vnd.tea+json"}, b'{"name": "tea"}'),
    ("POST", "/items", {"content-type": "text/plain"}, b'{"name": "tea"}'),
    ("POST", "/items", {}, b'{"name": "tea"}'),
    ("POST", "/items", JSON, b'{"name": "t", "price": "x"}'),
    ("POST", "/items", JSON, b'{"name": "tea", "price": NaN}'),
    ("POST", "/items", JSON, b'{"name": "tea"'),
    ("POST", "/items", JSON, b"\xff\xfe"),
    ("POST", "/items", JSON, b"[]"),
    ("POST", "/items", JSON, b"null"),
    ("POST", "/items", JSON, b""),
    ("GET", "/aliased", {}, b""),
    ("GET", "/named", {"x-name": "ada"}, b""),
    ("GET", "/named", {"x-refuse": "1"}, b""),
    ("GET", "/plain", {}, b""),
    ("GET", "/lists?n=1&n=2", {}, b""),
    ("GET", "/lists?n=x", {}, b""),
    ("GET", "/header", {"x-name": "ada"}, b""),
    ("GET", "/header", {}, b""),
    ("GET", "/wrong?lie=false", {}, b""),
]


def essence(status: int, headers: dict[str, str], body: bytes) -> tuple[object, ...]:
    """What must agree: errors are told in another shape, so only field and rule count."""
    if status == 422:
        content = json.loads(body)
        if "errors" in content:
            return status, sorted((item["field"], item["rule"]) for item in content["errors"])
        return status, sorted((".".join(map(str, item["loc"])), item["type"]) for item in content["detail"])
    if status >= 400:
        return (status,)
    return status, headers.get("content-type"), headers.get("x-own"), body


@pytest.mark.parametrize(("method", "path", "headers", "body"), TABLE)
async def test_both_ways_answer_alike(
    settings: PlatformSettings,
    sample: Callable[..., Any],
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    """Status, type and body of every request in the table; for wrong input field and rule."""
    plain = FastAPI(openapi_url=None)
    plain.include_router(build())
    capability = sample(routers=(RouterMount("api", build(), Tier.API),))
    async with (
        AsyncClient(transport=ASGITransport(plain), base_url="http://platform.test") as fastapi,
        started_app(settings=settings, capabilities=[capability]) as platform,
    ):
        one = await fastapi.request(method, path, headers=headers, content=body)
        two = await platform.request(method, path, headers=headers, content=body)
    assert essence(one.status_code, dict(one.headers), one.content) == essence(
        two.status_code, dict(two.headers), two.content
    )


async def test_an_answer_that_breaks_its_model_is_an_error_of_ours(
    settings: PlatformSettings, sample: Callable[..., Any]
) -> None:
    """500 without the content."""
    capability = sample(routers=(RouterMount("api", build(), Tier.API),))
    async with started_app(settings=settings, capabilities=[capability]) as client:
        answer = await client.get("/wrong")
    assert (answer.status_code, answer.json()["title"]) == (500, "Something went wrong here")


async def test_simple_endpoints_are_compiled_and_others_are_not(
    settings: PlatformSettings, sample: Callable[..., Any]
) -> None:
    """Lists and headers are FastAPI's to read; overrides turn the direct way off."""
    app = create_app(settings, capabilities=[sample(routers=(RouterMount("api", build(), Tier.API),))])
    async with started_app(app) as client:
        platform: Any = app.state.platform
        routes = [entry for entry in platform.inventory.routes if entry.owner.name == "demo"]
        compiled = {entry.name for entry in routes if entry.target().compiled}
        assert compiled == {"scalars", "needed", "items", "aliased", "named", "plain", "wrong"}

        async def somebody() -> str:
            return "overridden"

        app.dependency_overrides[name_of] = somebody
        assert (await client.get("/named")).json()["who"] == "overridden"
