"""A Redis server for tests."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fastapi_services_platform.testing.redis import redis_server


@pytest.fixture(scope="session")
def start_redis() -> Callable[[Path], AbstractContextManager[str]]:
    """Starts a server with its data in a folder."""
    return redis_server
