"""The hub passes the suite that every capability must pass."""

from collections.abc import Sequence

from fastapi_services_platform import Capability
from fastapi_services_platform.hub.plugin import Hub
from fastapi_services_platform.testing import CapabilityConformance
from fastapi_services_platform.testing.stand_ins import believing_identity


class TestConformance(CapabilityConformance):
    """With a stand-in for identity."""

    def capability(self) -> Capability:
        return Hub()

    def companions(self) -> Sequence[Capability]:
        return [believing_identity()]
