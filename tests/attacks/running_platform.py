"""A whole platform in processes of its own, and its first administrator."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent
EMAIL = "admin@example.org"
PASSWORD = "twelve herons in the reed bed"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Person:
    """Somebody who registered, and a client that is signed in as them."""

    email: str
    password: str = field(repr=False)
    client: httpx.Client
    id: str


@dataclass(frozen=True)
class RunningPlatform:
    """Where it answers, what it writes, and how its administrator signs in."""

    url: str
    folder: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def output(self) -> str:
        """Everything that the server has written to its streams and its text log."""
        logs = sorted((self.folder / "logs").rglob("*"))
        files = [*self.folder.glob("*std???"), *(log for log in logs if log.is_file())]
        return "\n".join(file.read_text(errors="replace") for file in files)

    def tokens(self, email: str = EMAIL, password: str = PASSWORD) -> dict[str, str]:
        """Tokens of a new session."""
        answer = httpx.post(f"{self.url}/auth/jwt/login", json={"email": email, "password": password}, timeout=30)
        answer.raise_for_status()
        found: dict[str, str] = answer.json()
        return found

    def sign_in(self, email: str, password: str, **more: str) -> httpx.Response:
        """The answer to a sign-in of a program."""
        body = {"email": email, "password": password, **more}
        return httpx.post(f"{self.url}/auth/jwt/login", json=body, timeout=60)

    @contextmanager
    def person(self, password: str = "nine otters under the pier") -> Iterator[Person]:
        """A new person, signed in."""
        email = f"{uuid4().hex}@example.org"
        made = httpx.post(f"{self.url}/auth/register", json={"email": email, "password": password}, timeout=60)
        assert made.status_code == 202, made.text
        bearer = {"authorization": f"Bearer {self.tokens(email, password)['access_token']}"}
        with httpx.Client(base_url=self.url, headers=bearer, timeout=60) as client:
            yield Person(email, password, client, client.get("/users/me").json()["id"])

    def client(self) -> httpx.Client:
        """A client that is signed in as the administrator."""
        bearer = {"authorization": f"Bearer {self.tokens()['access_token']}"}
        return httpx.Client(base_url=self.url, headers=bearer, timeout=30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running_platform(folder: Path, **settings: str) -> Iterator[RunningPlatform]:
    """Start every capability on SQLite files in ``folder`` with an administrator; stop it by its pid."""
    port = free_port()
    environment = environment_of(folder, port, **settings)
    (folder / "data").mkdir(parents=True)
    create_admin(environment)
    with serving(folder, port, environment) as platform:
        yield platform


def environment_of(folder: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a platform whose state is in ``folder``; nothing of the caller's own settings is left.

    It runs on a copy of the platform's configuration: flags that change while it runs are written there.
    """
    config = folder / "config"
    if not config.exists():
        shutil.copytree(ROOT / "platforms/fsp_shell_001/config", config)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FSP_", "IDENTITY_", "STORAGE_"))},
        "FSP_ENVIRONMENT": "dev",
        "FSP_DATA_DIR": str(folder / "data"),
        "FSP_LOG_DIR": str(folder / "logs"),
        "FSP_CONFIG_DIR": str(config),
        "FSP_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "IDENTITY_REGISTRATION": "open",
        "IDENTITY_REGISTRATION_VERIFY": "off",
        "IDENTITY_RATE_SIGN_IN": "100000/minute",
        "IDENTITY_RATE_MAIL": "100000/minute",
        "IDENTITY_RATE_DEFAULT": "100000/minute",
        **settings,
    }


def create_admin(environment: dict[str, str]) -> None:
    """Make the first administrator."""
    made = [str(COMMANDS / "au-sys-identity"), "create-admin", "--email", EMAIL]
    subprocess.run(made, env=environment, input=PASSWORD, text=True, check=True, capture_output=True, timeout=60)


@contextmanager
def serving(folder: Path, port: int, environment: dict[str, str], name: str = "") -> Iterator[RunningPlatform]:
    """Start a server process and stop it by its pid."""
    with open(folder / f"{name}stdout", "wb") as out, open(folder / f"{name}stderr", "wb") as err:
        command = [str(COMMANDS / "fsp"), "run", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
    platform = RunningPlatform(f"http://127.0.0.1:{port}", folder, environment)
    try:
        _wait_until_ready(platform, server)
        yield platform
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_until_ready(platform: RunningPlatform, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the platform ended at its start:\n{platform.output[-4000:]}")
        try:
            if httpx.get(f"{platform.url}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the platform was not ready in {_PATIENCE:.0f} s:\n{platform.output[-4000:]}")
