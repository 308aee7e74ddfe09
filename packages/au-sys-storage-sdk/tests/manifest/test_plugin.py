"""Storage is a capability as the runtime wants it, and its settings are documented."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from au_sys_storage_sdk.manifest.config import StorageSettings
from au_sys_storage_sdk.manifest.permissions import BUNDLES, PERMISSIONS
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import Capability
from fastapi_services_platform.testing import CapabilityConformance
from fastapi_services_platform.testing.stand_ins import believing_identity

PACKAGE = Path(__file__).parents[2]


class TestStorage(CapabilityConformance):
    """The runtime's suite."""

    def capability(self) -> Capability:
        """Storage itself."""
        return Storage()

    def companions(self) -> Sequence[Capability]:
        """Somebody who says who is asking."""
        return (believing_identity(),)


def test_every_setting_is_in_the_example() -> None:
    """The example names each setting once, and no other."""
    named = re.findall(r"^STORAGE_(\w+)=", (PACKAGE / ".env.example").read_text(), flags=re.MULTILINE)
    assert sorted(name.upper() for name in StorageSettings.model_fields) == sorted(named)


def test_the_example_is_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Copied as it is, it gives the defaults."""
    for line in (PACKAGE / ".env.example").read_text().splitlines():
        if line.startswith("STORAGE_"):
            monkeypatch.setenv(*line.split("=", 1))
    assert f"sqlite://{tmp_path}/documents.db" == StorageSettings().resolved_url(tmp_path)
    assert f"file://{tmp_path}/blobs" == StorageSettings().resolved_blobs_url(tmp_path)


def test_a_rule_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt rule of a namespace stops the start."""
    monkeypatch.setenv("STORAGE_NAMESPACES", '{"notes": {"conditionl": true}}')
    with pytest.raises(ValueError, match="conditionl"):
        StorageSettings()


def test_bundles_name_existing_rights() -> None:
    """No bundle grants what nobody declared, and none is given to everybody."""
    known = {permission.name for permission in PERMISSIONS}
    assert {right for bundle in BUNDLES for right in bundle.permissions} <= known
    assert not any(bundle.default for bundle in BUNDLES)
