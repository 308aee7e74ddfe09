"""Servers that a shell brings along: a real PostgreSQL, its own user, its own password, nothing left running."""

from __future__ import annotations

import json
import shutil
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.shell.down import down
from au_sys_python_factory.shell.overview import Overview
from au_sys_python_factory.shell.services.chosen import prepare_services, running_for_a_while
from au_sys_python_factory.shell.services.ldap import SUFFIX, Ldap
from au_sys_python_factory.shell.services.mail import MailSink
from au_sys_python_factory.shell.services.postgres import Postgres
from au_sys_python_factory.shell.services.redis import Redis
from au_sys_python_factory.shell.supervision.addresses import is_free
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record

pytestmark = [pytest.mark.needs_uv, pytest.mark.needs_postgres, pytest.mark.needs_redis, pytest.mark.needs_slapd]
Start = Callable[..., Overview]


@pytest.fixture
def served(state: StateFolder) -> Iterator[StateFolder]:
    """A state folder whose cluster, wherever it lies, is removed at the end."""
    state.prepare()
    yield state
    down(state)
    for link in (path for path in state.services.glob("*") if path.is_symlink()):
        shutil.rmtree(link.resolve())


async def version(address: str) -> str:
    """Ask the server something."""
    connection = await asyncpg.connect(address.replace("+asyncpg", ""))
    try:
        return str(await connection.fetchval("show server_version"))
    finally:
        await connection.close()


async def test_it_runs_for_a_while_with_a_password_and_without_rights(served: StateFolder) -> None:
    """The platform's address works, another password does not, and the server does not run as root."""
    postgres = prepare_services(["postgres"], served)[0]
    assert isinstance(postgres, Postgres)
    address = postgres.environment["FSP_DATABASE_URL"]
    with running_for_a_while([postgres], served.logs):
        assert await version(address)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await version(address.replace(quote(postgres.password, safe=""), "wrong"))
        assert (postgres.folder / "data").stat().st_uid != 0
    assert is_free("127.0.0.1", postgres.port)
    assert postgres.password not in repr(postgres)


async def test_a_shell_with_a_server_starts_and_stops_it(start: Start, served: StateFolder) -> None:
    """It is supervised with the rest, reachable while the shell runs, and gone with it; its data stay."""
    overview = start(services=("postgres",))
    address = json.loads(served.addresses.read_text())["FSP_DATABASE_URL"]
    assert await version(address)
    assert {name for name, _ in overview.processes} == {"web", "tinyworker", "postgres"}
    record = read_record(served)
    assert record is not None
    down(served)
    assert not record.survivors
    assert start(services=("postgres",)).admin is None


def test_a_server_that_cannot_start_says_why(served: StateFolder) -> None:
    """The end of its log is in the message."""
    postgres = prepare_services(["postgres"], served)[0]
    assert isinstance(postgres, Postgres)
    (postgres.folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(FactoryError, match="no_such_setting"), running_for_a_while([postgres], served.logs):
        pass


def test_without_a_choice_nothing_is_prepared(served: StateFolder, tmp_path: Path) -> None:
    """The first command needs no server."""
    assert prepare_services([], served) == ()
    assert not served.services.exists()


def test_redis_asks_for_its_password(served: StateFolder) -> None:
    """It listens on loopback, answers who knows the password, and no list of processes shows it."""
    redis = prepare_services(["redis"], served)[0]
    assert isinstance(redis, Redis)
    with running_for_a_while([redis], served.logs), socket.create_connection(("127.0.0.1", redis.port), 30) as wire:
        wire.sendall(b"PING\r\n")
        assert wire.recv(100).startswith(b"-NOAUTH")
        wire.sendall(f"AUTH {redis.password}\r\nPING\r\n".encode())
        answer = wire.recv(100)
        while b"PONG" not in answer:
            answer += wire.recv(100)
    assert redis.password not in " ".join(redis.program.command)
    assert redis.password not in repr(redis)


def test_a_letter_to_the_sink_is_a_file(served: StateFolder) -> None:
    """Sent over SMTP, kept as it was written."""
    sink = prepare_services(["mail"], served)[0]
    assert isinstance(sink, MailSink)
    with running_for_a_while([sink], served.logs):
        letter = EmailMessage()
        letter["To"], letter["From"], letter["Subject"] = "ada@fsp.example", "fsp@fsp.example", "Welcome"
        letter.set_content("First line\n.a line that begins with a dot\n")
        with smtplib.SMTP("127.0.0.1", sink.port, timeout=30) as client:
            client.send_message(letter)
    (kept,) = sink.outbox.glob("*.eml")
    assert ".a line that begins with a dot" in kept.read_text().splitlines()


def test_the_directory_lets_its_person_in(served: StateFolder) -> None:
    """Over TLS whose authority is the shell's own, and not with another password."""
    ldap = prepare_services(["ldap"], served)[0]
    assert isinstance(ldap, Ldap)

    def whoami(password: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *("ldapwhoami", "-x", "-H", f"ldaps://127.0.0.1:{ldap.port}"),
                *("-D", f"uid=ldap-user,ou=people,{SUFFIX}", "-w", password),
            ],
            env={"PATH": "/usr/bin:/bin", "LDAPTLS_CACERT": str(ldap.folder / "ca.pem")},
            capture_output=True,
            text=True,
            check=False,
        )

    with running_for_a_while([ldap], served.logs):
        assert "uid=ldap-user" in whoami(ldap.password).stdout
        assert whoami("wrong").returncode == 49
    assert ldap.password not in repr(ldap)
