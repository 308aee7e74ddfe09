"""A platform with a good capability and one that hangs, leaks connections or crashes."""

import asyncio
import os
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request

from fastapi_services_platform import Contribution, Manifest, PlatformSettings, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing.stand_ins import Prepared

good = APIRouter()
bad = APIRouter()


@good.get("/good/{number}")
@access(public=True)
async def answer(number: int) -> dict[str, int]:
    return {"number": number}


@bad.get("/hang")
@access(public=True)
async def hang() -> None:
    await asyncio.Event().wait()


@bad.get("/leak")
@access(public=True)
async def leak(request: Request) -> None:
    connection = await request.app.state.platform.database("bad").engine.connect()
    request.app.state.kept = [*getattr(request.app.state, "kept", []), connection]


@bad.get("/crash")
@access(public=True)
async def crash() -> None:
    raise RuntimeError("as announced")


def platform() -> FastAPI:
    """Both capabilities in one process."""
    capabilities = [
        Prepared(Manifest(name, "1.0", ""), Contribution(routers=(RouterMount("api", router, Tier.API),)))
        for name, router in (("good", good), ("bad", bad))
    ]
    settings = PlatformSettings(environment="test", data_dir=Path(os.environ["BENCH_DATA"]))
    return create_app(settings, capabilities=capabilities)
