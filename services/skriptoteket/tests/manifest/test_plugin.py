"""What the library offers, and that its parts keep the house rules."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

import skriptoteket
from fastapi_services_platform import open_database
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.core import roles
from skriptoteket.manifest.config import SkriptoteketSettings
from skriptoteket.manifest.container import build_library
from skriptoteket.manifest.permissions import BUNDLES, PERMISSIONS
from skriptoteket.manifest.plugin import MIGRATIONS

PACKAGE = Path(skriptoteket.__file__).parent


def test_each_bundle_holds_the_one_above() -> None:
    """User, contributor, admin, superuser: more from step to step; only the first is everybody's."""
    held = [set(bundle.permissions) for bundle in BUNDLES]
    assert all(smaller < bigger for smaller, bigger in pairwise(held))
    assert {permission.name for permission in PERMISSIONS} == held[-1]
    assert [bundle.default for bundle in BUNDLES] == [True, False, False, False]
    assert set(roles.SUPERUSER_RIGHTS) == held[-1]


def test_router_modules_have_real_annotations() -> None:
    """Postponed annotations would hide dependencies from FastAPI."""
    modules = [path for part in ("api", "web") for path in (PACKAGE / "adapters" / part).rglob("*.py")]
    assert [path.name for path in modules if "from __future__ import annotations" in path.read_text()] == []


def test_every_setting_is_in_the_example() -> None:
    """The example names each variable once and none that does not exist."""
    example = (PACKAGE.parents[1] / ".env.example").read_text()
    named = re.findall(r"^#? ?(SKRIPTOTEKET_[A-Z_]+)=", example, re.MULTILINE)
    assert sorted(f"SKRIPTOTEKET_{name}".upper() for name in SkriptoteketSettings.model_fields) == sorted(named)


def test_a_lease_outlives_heartbeats() -> None:
    """A lease shorter than three heartbeats is refused with its name."""
    with pytest.raises(ValueError, match="lease_seconds"):
        SkriptoteketSettings(lease_seconds=10, heartbeat_seconds=5)


async def test_installing_twice_changes_nothing(tmp_path: Path) -> None:
    """What ships is created, published and recorded once; the second time everything is unchanged."""
    platform = settings_for(tmp_path)
    database = open_database("skriptoteket", platform)
    await database.migrate(MIGRATIONS)
    library = build_library(database, platform, SkriptoteketSettings())
    first = await library.install_what_ships()
    second = await library.install_what_ships()
    assert {"created"} == {each.result for each in first}
    assert {"unchanged"} == {each.result for each in second}
    async with library.work.read() as unit:
        tool = await unit.tools.by_bank_slug("guardian-emails")
        assert tool is not None
        assert [each.verdict for each in await unit.versions.decisions(tool.id)] == ["publish"]
    await database.close()
