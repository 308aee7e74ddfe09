"""The hub: the platform's own capability."""

from fastapi_services_platform.capability.contribution import Contribution, Service
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.http.pages import PageParts, Pages


class Hub:
    """Offers the page frame."""

    manifest = Manifest("hub", "2.0.0", "Pages of the platform itself")

    async def initialize(self, platform: Platform) -> Contribution:
        """Contribute the page frame."""
        return Contribution(services=(Service(Pages, lambda _scope: Pages(lambda: PageParts(platform.settings.name))),))
