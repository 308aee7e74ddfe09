"""A real slapd for the folder's tests, and a platform whose administrator may set up a directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from au_sys_identity.conformance.slapd import GROUPS, SERVICE, SERVICE_PASSWORD, SUFFIX, Slapd, slapd_server
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.core.directories.models import Directory
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

ADMIN = "a very different sentence"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd_server(tmp_path_factory.mktemp("slapd") / "server") as server:
        yield server


@pytest.fixture
def slapd(running: Slapd) -> Iterator[Slapd]:
    """The server, emptied after each test."""
    yield running
    running.clear()


@pytest.fixture
def given(slapd: Slapd) -> dict[str, object]:
    """A directory as it is set up: members of the group `admins` are helpdesk here."""
    return {
        "name": "staff",
        "label": "Staff directory",
        "servers": [slapd.ldaps],
        "base": SUFFIX,
        "user": SERVICE,
        "password": SERVICE_PASSWORD,
        "certificates": str(slapd.ca),
        "roles": {f"cn=admins,{GROUPS}": "helpdesk"},
        "people": "(&(objectClass=inetOrgPerson)(!(employeeType=left)))",
    }


@pytest.fixture
def directory(given: dict[str, object]) -> Directory:
    return Directory.read(given)


@pytest.fixture
async def admin(tmp_path: Path) -> str:
    """The address of an administrator."""
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.com", "Ada Admin"), ADMIN)
    return "admin@example.com"
