"""One running platform for all attacks that leave it whole."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.attacks.running_platform import Person, RunningPlatform, running_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Every capability, with patience for tests that prove themselves once."""
    folder = tmp_path_factory.mktemp("attacked") / "platform"
    with running_platform(folder, IDENTITY_STEP_UP_MAX_AGE="3600", IDENTITY_ACCESS_TTL="3600") as running:
        yield running


@pytest.fixture(scope="session")
def admin(platform: RunningPlatform) -> Iterator[httpx.Client]:
    """The administrator's client."""
    with platform.client() as client:
        yield client


@pytest.fixture
def ann(platform: RunningPlatform) -> Iterator[Person]:
    """A new ordinary person."""
    with platform.person() as person:
        yield person
