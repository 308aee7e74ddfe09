"""Storage is a capability as the runtime wants it, and its settings are documented."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.manifest.config import StorageSettings
from au_sys_storage_sdk.manifest.permissions import BUNDLES, PERMISSIONS
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import Capability
from fastapi_services_platform.errors import CapabilityError
from fastapi_services_platform.testing import CapabilityConformance, started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

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


async def test_documents_are_sealed_when_keys_are_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The platform's own file holds nothing readable, and no key is shown."""
    key = base64.b64encode(b"k" * 32).decode()
    monkeypatch.setenv("STORAGE_ENCRYPTION_KEYS", f'{{"1": "{key}"}}')
    async with started_app(settings=settings_for(tmp_path), capabilities=[Storage(), believing_identity()]) as client:
        client.headers["Authorization"] = "Bearer ada"
        await client.put("/storage/notes/k", json="plaintext-marker")
        assert (await client.get("/storage/notes/k")).json() == "plaintext-marker"
        for path in tmp_path.glob("documents.db*"):
            assert b"plaintext-marker" not in path.read_bytes()
    assert key not in repr(StorageSettings())
    monkeypatch.setenv("STORAGE_ENCRYPTION_KEYS", '{"1": "not base64"}')
    with pytest.raises(InvalidInput, match="base64"):
        StorageSettings().key_bytes()


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


async def test_another_platform_is_no_backend_of_a_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It opens the namespaces that a platform keeps for itself to nobody, so the start says what to do instead."""
    monkeypatch.setenv("STORAGE_URL", "https://storage.example")
    with pytest.raises(CapabilityError, match=r"STORAGE_URL.*another platform.*postgresql://"):
        async with started_app(settings=settings_for(tmp_path), capabilities=[Storage(), believing_identity()]):
            pass
