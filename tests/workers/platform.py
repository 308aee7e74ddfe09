"""The whole platform as processes: web processes on one port, the worker of the library, one administrator."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EMAIL = "admin@fsp.example"
METRICS_TOKEN = "scrape-" + secrets.token_hex(12)
_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class RunningPlatform:
    """Where it is, and how to sign in. ``web`` is the parent of the web processes."""

    url: str
    password: str
    web: "subprocess.Popen[bytes]"
    environment: dict[str, str]


@contextmanager
def running_platform(
    folder: Path, *, workers: int, database: str = "", extra: Mapping[str, str] | None = None
) -> Iterator[RunningPlatform]:
    """Start everything below ``folder``, and end it with the block.

    ``database`` is the address of a PostgreSQL database for all capabilities; empty: a SQLite file each. ``extra`` is
    added to the environment.

    Raises:
        RuntimeError: it does not start; the log stands in ``folder``.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**_environment(folder, url, database), **(extra or {})}
    password = secrets.token_urlsafe(18)
    command = [str(BIN / "au-sys-identity"), "create-admin", "--email", EMAIL, "--json"]
    subprocess.run(command, env=environment, input=password.encode(), check=True, capture_output=True)
    with (folder / "web.log").open("wb") as web_log, (folder / "worker.log").open("wb") as worker_log:
        serve = [str(BIN / "fsp"), "run", "--port", str(port), "--workers", str(workers)]
        web = subprocess.Popen(serve, env=environment, stdout=web_log, stderr=web_log)
        try:
            _wait_until_ready(url, web, folder)
            worker = subprocess.Popen([str(BIN / "skriptoteket"), "worker"], env=environment, stderr=worker_log)
            try:
                yield RunningPlatform(url, password, web, environment)
            finally:
                _end(worker)
        finally:
            _end(web)


def _environment(folder: Path, url: str, database: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FSP_", "IDENTITY_", "STORAGE_"))}
    # Its own copy: flags that are changed while it runs are written there.
    shutil.copytree(ROOT / "platforms" / "fsp_shell_001" / "config", folder / "config")
    own = {
        "FSP_DATA_DIR": str(folder / "data"),
        "FSP_CONFIG_DIR": str(folder / "config"),
        "FSP_PUBLIC_URL": url,
        "FSP_SECRET_KEY": secrets.token_hex(32),
        "FSP_METRICS_TOKEN": METRICS_TOKEN,
        "IDENTITY_SECRET_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "IDENTITY_REGISTRATION": "open",
        "IDENTITY_REGISTRATION_VERIFY": "off",
        "IDENTITY_RATE_SIGN_IN": "1000/minute",
        "IDENTITY_RATE_MAIL": "1000/minute",
        "IDENTITY_RATE_DEFAULT": "10000/minute",
    }
    if database:
        own |= {"FSP_DATABASE_URL": database, "STORAGE_URL": database, "FSP_RATE_LIMIT_STORAGE": "database"}
    return {**kept, **own}


def _wait_until_ready(url: str, web: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and web.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/health/ready", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the platform did not start: {(folder / 'web.log').read_text()[-2000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
