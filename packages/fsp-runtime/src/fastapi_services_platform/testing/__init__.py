"""The testing kit: an app running with its client, a real server, the suite every capability passes, a guard for the
loop.
"""

import sys

if "pytest" in sys.modules:  # then a check that fails says what it compared
    sys.modules["pytest"].register_assert_rewrite(  # factory: allow A13 -- pytest wants it before the import
        f"{__name__}.capability_conformance"
    )

from fastapi_services_platform.testing.capability_conformance import CapabilityConformance
from fastapi_services_platform.testing.loop_guard import loop_guard
from fastapi_services_platform.testing.serving import serve
from fastapi_services_platform.testing.started_app import started_app

__all__ = ["CapabilityConformance", "loop_guard", "serve", "started_app"]
