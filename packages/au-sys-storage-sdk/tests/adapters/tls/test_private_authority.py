"""Servers whose certificate a private authority has signed: reached with its certificate, and not without."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from au_sys_identity.conformance.slapd import make_certificates
from au_sys_storage_sdk import Unavailable, open_storage
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from fastapi_services_platform.testing.redis import redis_server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, and what a server on 127.0.0.1 shows."""
    folder = tmp_path_factory.mktemp("authority")
    make_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of our own."""
    with postgres_server(own=True) as started:
        if not started.pid:
            pytest.skip("the server of FSP_TEST_POSTGRES_URL is not ours to configure")
        yield started


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def configured(server: PostgresServer, certificates: Path) -> str:
    """The URL, once the server shows its certificate and lets nobody in without TLS."""
    connection = await asyncpg.connect(server.url)
    data = Path(await connection.fetchval("SHOW data_directory"))
    for name in ("server.pem", "server.key"):
        shutil.copy(certificates / name, data / name)
        os.chown(data / name, data.stat().st_uid, -1)
        (data / name).chmod(0o600)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
    settings = {"ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key"}
    for name, value in settings.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    return server.url


@pytest.mark.needs_postgres
async def test_postgres(server: PostgresServer, certificates: Path) -> None:
    """``sslmode=verify-full`` with the authority's certificate; another authority's is not enough."""
    url = await configured(server, certificates)
    strangers = certificates / "strangers"
    strangers.mkdir()
    make_certificates(strangers)
    async with open_storage(f"{url}?sslmode=verify-full&sslrootcert={certificates}/ca.pem") as storage:
        version = await storage.namespace("things").put("k", 1)
        found = await storage.namespace("things").get("k")
        assert (found.version if found else 0) == version
    with pytest.raises(Unavailable, match="SSLCertVerificationError"):
        await open_storage(f"{url}?sslmode=verify-full&sslrootcert={strangers}/ca.pem").__aenter__()
    with pytest.raises(Unavailable):
        await open_storage(f"{url}?sslmode=disable").__aenter__()


@pytest.mark.needs_redis
async def test_redis(certificates: Path, tmp_path: Path) -> None:
    """``rediss://`` with the authority's certificate; the system's authorities are not enough."""
    if os.environ.get("FSP_TEST_REDIS_URL"):
        pytest.skip("the server of FSP_TEST_REDIS_URL is not ours to configure")
    port = free_port()
    shown = ("--tls-cert-file", f"{certificates}/server.pem", "--tls-key-file", f"{certificates}/server.key")
    with redis_server(None, "--tls-port", str(port), "--tls-auth-clients", "no", *shown):
        url = f"rediss://127.0.0.1:{port}/0"
        async with open_storage(f"{url}?ssl_ca_certs={certificates}/ca.pem") as storage:
            version = await storage.namespace("things").put("k", 1)
            found = await storage.namespace("things").get("k")
            assert (found.version if found else 0) == version
        with pytest.raises(Unavailable):
            await open_storage(url).__aenter__()
