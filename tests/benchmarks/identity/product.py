"""Identity alone on a platform, with settings as shipped; the data folder is ``BENCH_DATA``."""

import os
from pathlib import Path

from fastapi import FastAPI

from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings, create_app


def app() -> FastAPI:
    """For ``uvicorn --factory``."""
    settings = PlatformSettings(
        environment="test", data_dir=Path(os.environ["BENCH_DATA"]), public_url="http://127.0.0.1", log_level="error"
    )
    return create_app(settings, capabilities=[Identity()])
