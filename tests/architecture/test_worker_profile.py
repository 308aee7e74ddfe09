"""The platform's worker and the library's own compose file run under the same profile of system calls."""

import json
from pathlib import Path

WORKSPACE = Path(__file__).parents[2]
SHIPPED = "services/skriptoteket/src/skriptoteket/adapters/sandbox/host/deployment/nested.json"
PLATFORM = "platforms/fsp_shell_001/docker/worker-seccomp.json"


def test_the_profile_of_the_platform_is_the_librarys() -> None:
    """Whoever changes one changes the other."""
    assert json.loads((WORKSPACE / SHIPPED).read_text()) == json.loads((WORKSPACE / PLATFORM).read_text())
