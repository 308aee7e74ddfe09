"""Capabilities made of data, a stand-in for identity, and settings below a temporary folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastapi_services_platform import Contribution, Manifest, PlatformSettings
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for


@pytest.fixture
def sample() -> Callable[..., Prepared]:
    def make(name: str = "demo", *, manifest: dict[str, Any] | None = None, **parts: Any) -> Prepared:
        # Any: fields of Manifest and of Contribution
        return Prepared(Manifest(name, "1.0", f"The {name}", **(manifest or {})), Contribution(**parts))

    return make


@pytest.fixture
def identity() -> Prepared:
    return believing_identity(denied=frozenset({"demo.note.forbid"}))


@pytest.fixture
def settings(tmp_path: Path) -> PlatformSettings:
    return settings_for(tmp_path)
