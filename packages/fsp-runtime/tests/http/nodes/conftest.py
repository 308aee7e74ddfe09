"""What nodes share: a PostgreSQL and a Redis server for all tests here."""

from collections.abc import Iterator

import pytest

from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from fastapi_services_platform.testing.redis import redis_server


@pytest.fixture(scope="package")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="package")
def redis() -> Iterator[str]:
    with redis_server() as url:
        yield url
