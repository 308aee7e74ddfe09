"""What identity offers."""

from pathlib import Path

from au_sys_identity.manifest.permissions import BUNDLES, PERMISSIONS
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing import CapabilityConformance


class TestConformance(CapabilityConformance):
    """Passes the runtime's conformance suite."""

    def capability(self) -> Identity:
        return Identity()


def test_bundles_hold_known_permissions() -> None:
    """No template gives what identity does not contribute."""
    known = {permission.name for permission in PERMISSIONS}
    assert [bundle.name for bundle in BUNDLES if not set(bundle.permissions) <= known] == []


def test_the_plugin_stays_small() -> None:
    """It returns data; under one hundred lines."""
    from au_sys_identity.manifest import plugin

    assert len(Path(str(plugin.__file__)).read_text(encoding="utf-8").splitlines()) < 100


def test_nothing_is_opened_before_the_start(tmp_path: Path) -> None:
    """Making the capability touches neither database nor files."""
    Identity()
    PlatformSettings(environment="test", data_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
