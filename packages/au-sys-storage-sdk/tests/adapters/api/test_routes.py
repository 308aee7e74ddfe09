"""No route hides another: generated from the table of a started platform."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import create_app
from fastapi_services_platform.http.edge import Edge
from fastapi_services_platform.http.routing import RouteEntry, RouteIndex
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

SAMPLES = {"namespace": ("notes", "a.b-c_d"), "key": ("k", "a/b", "a:b", "x/rollback"), "upload": ("f" * 32,)}


@pytest.fixture
async def index(tmp_path: Path) -> RouteIndex:
    """What the platform looks requests up in."""
    app = create_app(settings_for(tmp_path), capabilities=[Storage(), believing_identity()])
    async with app.router.lifespan_context(app):
        edge = await app.state.platform.container.get(Edge)
        assert edge.index is not None
        found: RouteIndex = edge.index
        return found


def own(index: RouteIndex) -> list[RouteEntry]:
    """Storage's routes."""
    return [entry for entry in index.entries if entry.owner.name == "storage" and entry.kind == "http"]


def examples(path: str) -> Iterator[str]:
    """Paths that a route is meant for."""
    names = re.findall(r"{(\w+)(?::path)?}", path)
    for values in product(*(SAMPLES.get(name, ("x",)) for name in names)):
        filled = path
        for name, value in zip(names, values, strict=True):
            filled = re.sub(rf"{{{name}(:path)?}}", value, filled)
        yield filled


async def test_every_route_answers_its_own_paths(index: RouteIndex) -> None:
    """Under every method and for every sample, keys with colons and slashes among them."""
    assert len(own(index)) > 30
    hidden = []
    for entry in own(index):
        for method, path in product(entry.methods, examples(entry.path)):
            found = index.find("http", method, path)
            if found is None or found.allowed or found.entry.path != entry.path:
                hidden.append((method, path, entry.path, found and found.entry.path))
    assert hidden == []


async def test_every_get_answers_head(index: RouteIndex) -> None:
    """Save the feed, which never ends, and the pages."""
    asked = {entry.path for entry in own(index) if "GET" in entry.methods and not entry.path.startswith("/admin")}
    probed = {entry.path for entry in own(index) if "HEAD" in entry.methods}
    assert asked - probed == {"/storage/{namespace}:watch"}
