"""What is served: the platform with storage behind declared permissions, and FastAPI alone."""

import os
from pathlib import Path

from fastapi import FastAPI

from fastapi_services_platform import PlatformSettings, create_app
from fastapi_services_platform.testing.stand_ins import believing_identity

VALUE: dict[str, object] = {"name": "x" * 900, "numbers": list(range(20)), "nested": {"a": None, "b": True}}
_NO_OPERATOR = frozenset({"storage.backends.switch"})
"""What makes a caller an administrator, whose every change is an event of its own."""


def bare() -> FastAPI:
    """FastAPI alone: a document out of a dictionary."""
    app = FastAPI(openapi_url=None)
    documents = {("notes", "k"): VALUE}

    @app.get("/storage/{namespace}/{key:path}")
    async def read(namespace: str, key: str) -> dict[str, object]:
        return documents[namespace, key]

    return app


def platform() -> FastAPI:
    """The whole stack over SQLite and files; every request is authenticated and authorized."""
    from au_sys_storage_sdk.manifest.plugin import Storage

    settings = PlatformSettings(environment="test", data_dir=Path(os.environ["BENCH_DATA"]))
    return create_app(settings, capabilities=[Storage(), believing_identity(_NO_OPERATOR)])
