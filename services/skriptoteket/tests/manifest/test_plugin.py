"""What the library offers; it passes the suite that every capability passes."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import Capability, Contribution, Manifest, Service, open_database
from fastapi_services_platform.testing import CapabilityConformance
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.core import roles
from skriptoteket.manifest.config import SkriptoteketSettings
from skriptoteket.manifest.container import build_library
from skriptoteket.manifest.permissions import BUNDLES, PERMISSIONS
from skriptoteket.manifest.plugin import MIGRATIONS, Skriptoteket


class TestConformance(CapabilityConformance):
    """Held to the platform's contract."""

    def capability(self) -> Capability:
        """The library."""
        return Skriptoteket()

    def companions(self) -> Sequence[Capability]:
        """Somebody who knows callers, and blobs in memory."""
        blobs = open_blobs("memory://")
        contribution = Contribution(services=(Service(Blobs, lambda _scope: blobs),))
        return believing_identity(), Prepared(Manifest("storage", "1.0", "Blobs in memory"), contribution)


def test_each_bundle_holds_the_one_above() -> None:
    """User, contributor, admin, superuser: more from step to step; only the first is everybody's."""
    held = [set(bundle.permissions) for bundle in BUNDLES]
    assert all(smaller < bigger for smaller, bigger in pairwise(held))
    assert {permission.name for permission in PERMISSIONS} == held[-1]
    assert [bundle.default for bundle in BUNDLES] == [True, False, False, False]
    assert set(roles.SUPERUSER_RIGHTS) == held[-1]


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
