"""A Redis server for tests."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from au_sys_storage_sdk.conformance.redis_server import redis_server


@pytest.fixture(scope="session")
def start_redis() -> Callable[[Path], AbstractContextManager[str]]:
    """Starts a server with its data in a folder."""
    return redis_server
