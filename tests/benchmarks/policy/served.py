"""Identity on a platform, beside a route that asks who calls and returns a constant; ``BENCH_*`` says where."""

import os
from pathlib import Path

from fastapi import APIRouter, FastAPI

from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import Contribution, Manifest, PlatformSettings, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing.stand_ins import Prepared

router = APIRouter()


@router.post("/constant")
@access(authenticated=True)
async def constant() -> dict[str, bool]:
    """What ``POST /rbac/check`` is compared with."""
    return {"allowed": True}


def app() -> FastAPI:
    """For ``uvicorn --factory``."""
    contribution = Contribution(routers=(RouterMount("api", router, Tier.API),))
    settings = PlatformSettings(
        environment="test",
        data_dir=Path(os.environ["BENCH_DATA"]),
        database_url=os.environ.get("BENCH_DATABASE") or None,
        public_url="http://127.0.0.1",
        log_level="error",
    )
    return create_app(settings, capabilities=[Identity(), Prepared(Manifest("bench", "1.0", ""), contribution)])
