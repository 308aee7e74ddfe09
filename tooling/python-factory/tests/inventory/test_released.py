"""Two released applications that others wrote; the tables of their routes come from running them."""

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Any  # Any: what TOML holds

import httpx
import pytest

from au_sys_python_factory.inventory.taking import take

_SOURCES: dict[str, Any] = tomllib.loads((Path(__file__).parents[1] / "brownfield/sources.toml").read_text())


def _archive(source: dict[str, str], folder: Path) -> Path:
    path = folder / source["url"].rsplit("/", 1)[1]
    if not path.exists():
        try:
            answer = httpx.get(source["url"], timeout=30)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"the package index is not reachable: {error}")
        path.write_bytes(answer.content)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == source["sha256"]
    return path


@pytest.mark.parametrize("name", sorted(_SOURCES))
def test_every_route_is_found_and_none_invented(name: str, pytestconfig: pytest.Config) -> None:
    """Routers built by functions and in the lifespan; lists of modules that grow; prefixes computed from a version."""
    source = _SOURCES[name]
    found = take(_archive(source, pytestconfig.cache.mkdir("brownfield")))
    assert {f"{route.path} {route.endpoint.name}" for route in found.routes} == set(source["routes"])
    assert found.unreadable == ()
