"""The library passes the suite that every capability passes."""

from collections.abc import Sequence

from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import Capability, Contribution, Manifest, Service
from fastapi_services_platform.testing import CapabilityConformance
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from skriptoteket.manifest.plugin import Skriptoteket


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
