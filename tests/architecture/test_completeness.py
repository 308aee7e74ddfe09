"""Nothing of identity is left out: each operation has a row in the gauntlet, each error a problem, each setting a line.

Rows run over real HTTP (``just gauntlet``); its last stage calls every operation that is not public as a stranger, so
only what is public needs a refusal of its own here. What has no row yet stands in ``unplayed.txt``, which only shrinks.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import au_sys_identity
from au_sys_identity.adapters.api.problems import PROBLEMS
from au_sys_identity.core import errors
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.plugin import Identity
from au_sys_python_factory.gauntlet.coverage import Operation, operations_of
from au_sys_python_factory.gauntlet.rows import Row, read_folder
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing import started_app

PACKAGE = Path(au_sys_identity.__file__).parent
ROOT = Path(__file__).resolve().parents[2]
_OTHERS = ("/health", "/discovery", "/platform", "/openapi.json", "/metrics", "/storage", "/problems", "/mcp")
_VARIABLE = re.compile(r"\$\{[^}]+\}")


@pytest.fixture
async def operations(tmp_path: Path) -> list[tuple[Operation, bool]]:
    """What identity offers, and whether a stranger may call it with something that can be refused."""
    settings = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    async with started_app(settings=settings, capabilities=[Identity()]) as client:
        app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
        document = app.openapi()
    found = []
    for operation in operations_of(document):
        described = document["paths"][operation.path][operation.method.lower()]
        takes = "requestBody" in described or described.get("parameters")
        if not operation.path.startswith(_OTHERS):
            found.append((operation, bool(takes) and described["x-permission"] == "public"))
    return found


def rows() -> Iterator[Row]:
    """Those of identity, and those of the platform that cross capabilities."""
    yield from read_folder(PACKAGE / "gauntlet", "identity")
    for folder in sorted((ROOT / "platforms").glob("*/gauntlet")):
        yield from read_folder(folder, "platform")


def played(operation: Operation, *, refused: bool) -> bool:
    """Whether a row calls the operation and expects success, or a refusal."""
    return any(
        row.method == operation.method
        and operation.pattern.match(_VARIABLE.sub("x", row.path).partition("?")[0])
        and any((status >= 400) == refused for status in row.expect.status)
        for row in rows()
    )


async def test_every_operation_is_played(operations: list[tuple[Operation, bool]]) -> None:
    """Once with success, and if strangers may call it once with a refusal."""
    missing = [f"succeeds: {operation}" for operation, _ in operations if not played(operation, refused=False)]
    missing += [
        f"refuses: {operation}" for operation, public in operations if public and not played(operation, refused=True)
    ]
    listed = (Path(__file__).with_name("unplayed.txt")).read_text(encoding="utf-8").splitlines()
    assert sorted(missing) == sorted(line for line in listed if line and not line.startswith("#"))


def leaves(error: type[Exception]) -> Iterator[type[Exception]]:
    """The ends of the tree of errors."""
    if not error.__subclasses__():
        yield error
    for child in error.__subclasses__():
        yield from leaves(child)


def test_every_error_has_one_problem() -> None:
    """No leaf of the tree is answered with an internal error, and none is mapped twice."""
    mapped = [mapping.error for mapping in PROBLEMS]
    ends = {leaf for leaf in leaves(errors.IdentityError) if inspect.getmodule(leaf) is errors}
    assert sorted(leaf.__name__ for leaf in ends - set(mapped)) == []
    assert len(mapped) == len(set(mapped))


def test_every_setting_is_documented() -> None:
    """In the package's own example file and in the generated page."""
    example = (ROOT / "packages/au-sys-identity/.env.example").read_text(encoding="utf-8")
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    names = [f"IDENTITY_{name.upper()}" for name in IdentitySettings.model_fields]
    assert [name for name in names if name not in example] == []
    assert [name for name in names if f"`{name}`" not in page] == []
