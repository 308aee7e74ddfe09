"""One running platform for all attacks that leave it whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.attacks.running_platform import Person, RunningPlatform, running_platform

from fastapi_services_platform.testing.leaks import found_in


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Every capability, with patience for tests that prove themselves once."""
    folder = tmp_path_factory.mktemp("attacked") / "platform"
    with running_platform(folder, IDENTITY_STEP_UP_MAX_AGE="3600", IDENTITY_ACCESS_TTL="3600") as running:
        yield running
        with httpx.Client(base_url=running.url, timeout=60) as client:
            told = [client.get(path).text for path in ("/openapi.json", "/metrics", "/health", "/nothing/here")]
        assert found_in("\n".join([running.output, *told, *arguments()])) == []  # attack 38, when all is done


def arguments() -> Iterator[str]:
    """What every process of this machine was called with."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            yield path.read_text(errors="replace")


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
