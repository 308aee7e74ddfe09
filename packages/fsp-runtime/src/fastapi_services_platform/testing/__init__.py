"""The testing kit: an app running with its client, a real server, the suite every capability passes, a guard for the
loop.
"""

from fastapi_services_platform.testing.capability_conformance import CapabilityConformance
from fastapi_services_platform.testing.loop_guard import loop_guard
from fastapi_services_platform.testing.serving import serve
from fastapi_services_platform.testing.started_app import started_app

__all__ = ["CapabilityConformance", "loop_guard", "serve", "started_app"]
