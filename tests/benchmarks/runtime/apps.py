"""The applications that are measured against each other."""

import os
from pathlib import Path
from time import thread_time
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header
from pydantic import BaseModel

from fastapi_services_platform import (
    Contribution,
    Manifest,
    Permission,
    PlatformSettings,
    RouterMount,
    Tier,
    access,
    create_app,
)
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

MANY = 1000


class Item(BaseModel):
    name: str
    price: float


def bare() -> FastAPI:
    """FastAPI alone."""
    app = FastAPI(openapi_url=None)

    @app.get("/item/{number}")
    async def item(number: int) -> Item:
        return Item(name=f"item {number}", price=1.5)

    return app


def platform() -> FastAPI:
    """The whole stack: log, headers, limits, authentication, permission."""
    router = APIRouter()

    @router.get("/item/{number}")
    @access(permission="shop.item.read")
    async def item(number: int) -> Item:
        return Item(name=f"item {number}", price=1.5)

    return _platform_of(router)


def public() -> FastAPI:
    """The same endpoint, open to everybody: no authentication, no permission."""
    router = APIRouter()

    @router.get("/item/{number}")
    @access(public=True)
    async def item(number: int) -> Item:
        return Item(name=f"item {number}", price=1.5)

    return _platform_of(router)


def uncompiled() -> FastAPI:
    """The same endpoint with a header, which only FastAPI itself can read."""
    router = APIRouter()

    @router.get("/item/{number}")
    @access(permission="shop.item.read")
    async def item(number: int, x_nothing: Annotated[str | None, Header()] = None) -> Item:
        return Item(name=f"item {number}", price=1.5)

    return _platform_of(router)


def many() -> FastAPI:
    """The whole stack with a thousand routes in included routers."""
    whole = APIRouter()
    for group in range(MANY // 10):
        router = APIRouter()
        for leaf in range(10):
            number = group * 10 + leaf

            @router.get(f"/leaf{leaf}/{{key}}", name=f"leaf{number}")
            @access(permission="shop.item.read")
            async def item(key: int) -> Item:
                return Item(name=f"item {key}", price=1.5)

        whole.include_router(router, prefix=f"/group{group}")
    return _platform_of(whole)


def _platform_of(router: APIRouter) -> FastAPI:
    shop = Prepared(
        Manifest("shop", "1.0", "Items"),
        Contribution(
            routers=(RouterMount("api", router, Tier.API),),
            permissions=(Permission("shop.item.read", "Read items"),),
        ),
    )
    settings = PlatformSettings(environment="test", data_dir=Path(os.environ["BENCH_DATA"]))  # the rest from FSP_…
    return create_app(settings, capabilities=[believing_identity(), shop])


def heavy() -> FastAPI:
    """The whole stack with an endpoint that works for two milliseconds without waiting."""
    router = APIRouter()

    @router.get("/work")
    @access(permission="shop.item.read")
    async def work() -> int:
        end = thread_time() + 0.002
        rounds = 0
        while thread_time() < end:
            rounds += 1
        return rounds

    return _platform_of(router)
