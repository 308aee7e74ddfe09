"""A platform with identity on real SQLite files, and a person."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.manifest.plugin import Identity
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing import started_app

PASSWORD = "correct horse battery staple"
Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def transactions() -> MemoryTransactions:
    return MemoryTransactions()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start a platform; keyword arguments are settings of identity."""

    def starting(**settings: object) -> AbstractAsyncContextManager[AsyncClient]:
        cheap = {
            "registration": "open",
            "registration_verify": "off",
            "password_memory_kib": 8,
            "password_time_cost": 1,
        }
        cheap |= {"rate_sign_in": "100000/minute", "rate_mail": "100000/minute", "rate_default": "100000/minute"}
        for name in [name for name in os.environ if name.startswith("IDENTITY_")]:
            monkeypatch.delenv(name)
        for name, value in {**cheap, **settings}.items():
            monkeypatch.setenv(f"IDENTITY_{name.upper()}", str(value))
        platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
        return started_app(settings=platform, capabilities=[Identity()])

    return starting


@pytest.fixture
async def client(start: Start) -> AsyncIterator[AsyncClient]:
    async with start() as client:
        yield client
