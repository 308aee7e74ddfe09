"""A PostgreSQL server for tests: that of ``FSP_TEST_POSTGRES_URL``, else one from installed binaries or a wheel."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

_VARIABLE = "FSP_TEST_POSTGRES_URL"
_DEBIAN = Path("/usr/lib/postgresql")
_START_SECONDS = 30.0


class NoPostgres(RuntimeError):
    """There is neither a server nor the binaries to start one."""


class PostgresServer:
    """A running server. ``pid`` is 0 for one that was running already and is nobody's to stop."""

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self.url = url
        self._folder = folder

    @property
    def pid(self) -> int:
        """The server's process."""
        if self._folder is None:
            return 0
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def database(self, name: str, like: str = "template1") -> str:
        """The URL of a database that is made new: empty, or a copy of the one it is to be ``like``."""
        base, _, _ = self.url.rpartition("/")
        made = f'CREATE DATABASE "{name}" TEMPLATE "{like}"'
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', made)
        return f"{base}/{name}"

    def _run(self, *statements: str) -> None:
        arguments = [_tool("psql"), self.url, "-q", "-v", "ON_ERROR_STOP=1"]
        arguments += [part for statement in statements for part in ("-c", statement)]
        subprocess.run(arguments, check=True, capture_output=True)  # noqa: S603 - an installed binary, arguments of ours


class _Kept:
    """The server that serves everybody for as long as servers are kept."""

    def __init__(self) -> None:
        self.until = ExitStack()
        self.server: PostgresServer | None = None


_kept: _Kept | None = None


@contextmanager
def kept_server() -> Iterator[None]:
    """Inside the block, the first server serves everybody: a run of tests starts one, not thirty."""
    global _kept
    _kept = _Kept()
    try:
        yield
    finally:
        _kept.until.close()
        _kept = None


def server_of_the_run() -> PostgresServer | None:
    """The server that is kept, if one is and somebody asked for it."""
    return _kept.server if _kept is not None else None


@contextmanager
def postgres_server(*, own: bool = False) -> Iterator[PostgresServer]:
    """A server while the block runs; durability is off, because its data lives as long as the tests. An ``own`` one is
    for whoever configures or stops it.

    Raises:
        NoPostgres: see the class.
    """
    running = os.environ.get(_VARIABLE)
    if running:
        yield PostgresServer(running)
    elif own or _kept is None:
        with _started_server() as server:
            yield server
    else:
        _kept.server = _kept.server or _kept.until.enter_context(_started_server())
        yield _kept.server


@contextmanager
def _started_server() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="fsp-postgres-"))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user, -1)
    try:
        process, port = _start(folder, user)
        try:
            yield PostgresServer(f"postgresql://fsp@127.0.0.1:{port}/postgres", folder)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, user: int | None) -> "tuple[subprocess.Popen[bytes], int]":
    data = str(folder / "data")
    initialise = [_tool("initdb"), "-D", data, "-U", "fsp", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
    subprocess.run(initialise, check=True, capture_output=True, user=user, cwd=folder)  # noqa: S603 - as above
    port = _free_port()
    arguments = [_tool("postgres"), "-D", data, "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
    arguments += ["-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, user=user, cwd=folder)  # noqa: S603 - as above
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        question = [_tool("pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        ready = subprocess.run(question, capture_output=True, check=False)  # noqa: S603 - as above
        if ready.returncode == 0:
            return process, port
        time.sleep(0.05)
    raise NoPostgres(f"the server did not start: {(folder / 'log').read_text()[-500:]}")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is not None:
        return found
    versions = [*sorted(_DEBIAN.glob(f"*/bin/{name}"), reverse=True), *_of_a_wheel(name)]
    if not versions:
        fix = "install PostgreSQL (Debian: apt-get install postgresql), or the wheel pgserver"
        raise NoPostgres(f"set {_VARIABLE}, or {fix}")
    return str(versions[0])


def _of_a_wheel(name: str) -> list[Path]:
    """The tool as the wheel ``pgserver`` of PyPI brings it, where that is installed; nothing of it is imported."""
    found = find_spec("pgserver")
    places = found.submodule_search_locations or () if found is not None else ()
    return [tool for place in places if (tool := Path(place, "pginstall", "bin", name)).is_file()]


def _unprivileged() -> int | None:
    """Whom the server runs as when the tests run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
