"""A platform in processes of its own, at a name that takes passkeys, with its letters and its administrator."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
from tests.attacks.running_platform import COMMANDS, EMAIL, PASSWORD, create_admin, environment_of, serving

ADMIN = EMAIL
ADMIN_PASSWORD = PASSWORD
OWN_PASSWORD = "seven geese walk slowly home"
_PATIENCE = 180.0
_LINK = re.compile(r"http://\S+#token=\S+")


@dataclass
class House:
    """Where it answers, where its letters lie, and programs of its people."""

    url: str
    folder: Path
    client: httpx.Client
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def call(
        self, who: str, method: str, path: str, body: object = None, *, password: str = OWN_PASSWORD, **more: Any
    ) -> Any:  # Any: JSON, and options of httpx
        """What a program of somebody is answered; it has to go well."""
        answer = self.ask(who, method, path, body, password=password, **more)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def ask(
        self, who: str, method: str, path: str, body: object = None, *, password: str = OWN_PASSWORD, **more: Any
    ) -> httpx.Response:  # Any: options of httpx
        """The answer to a program of somebody, whatever it is."""
        if who not in self.tokens:
            signing = {"email": who, "password": ADMIN_PASSWORD if who == ADMIN else password}
            signed = self.client.post("/auth/jwt/login", json=signing)
            assert signed.status_code == 200, signed.text
            self.tokens[who] = signed.json()["access_token"]
        headers = {"authorization": f"Bearer {self.tokens[who]}", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, json=body, **more)

    def person(self, name: str, *roles: str) -> str:
        """Register somebody who holds these roles; returns her URN."""
        email = f"{name}@example.org"
        body = {"email": email, "password": OWN_PASSWORD, "display_name": name.title()}
        assert self.client.post("/auth/register", json=body).status_code == 202
        urn = str(self.call(email, "GET", "/users/me")["urn"])
        for role in roles:
            self.call(ADMIN, "POST", f"/rbac/users/{urn}/roles", {"role": role})
        return urn

    def link_to(self, address: str) -> str:
        """The link of the letter to an address, when it came."""
        found: list[str] = []

        def look() -> bool:
            for file in sorted((self.folder / "data/outbox").glob("*.eml")):
                letter = message_from_bytes(file.read_bytes(), policy=policy.default)
                body = letter.get_body(("plain",))
                if body is not None and address in str(letter["to"]):
                    found.extend(_LINK.findall(str(body.get_content())))
            return bool(found)

        self.until(look, f"a letter to {address}")
        return found[0]

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Look again and again at what another process does by itself."""
        deadline = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"{what} did not come"
            time.sleep(0.05)


@dataclass(frozen=True)
class Place:
    """Where the state of a house is, at which port it answers, and its settings."""

    folder: Path
    port: int
    environment: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        """By a name, not a number: passkeys need one."""
        return f"http://localhost:{self.port}"


@contextmanager
def running_house(folder: Path, *, worker: bool = False, **settings: str) -> Iterator[House]:
    """Start a new one with its state in a folder, and stop it by its pids."""
    place = new_place(folder, **settings)
    create_admin(place.environment)
    with living_in(place, worker=worker) as house:
        yield house


def new_place(folder: Path, **settings: str) -> Place:
    """An empty folder and a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    data.mkdir(parents=True)
    targets = {name: f"sqlite://{data}/{name}.db" for name in ("second", "third")}
    known = {
        "FSP_PUBLIC_URL": f"http://localhost:{port}",
        "FSP_MAX_TURN_SECONDS": "60",
        "IDENTITY_PASSWORD_MEMORY_KIB": "8",
        "IDENTITY_PASSWORD_TIME_COST": "1",
        "IDENTITY_STEP_UP_MAX_AGE": "3600",
        "IDENTITY_ACCESS_TTL": "3600",
        "STORAGE_SWITCH_TARGETS": json.dumps(targets),
        **settings,
    }
    return Place(folder, port, environment_of(folder, port, **known))


@contextmanager
def living_in(place: Place, *, worker: bool = False) -> Iterator[House]:
    """Serve what is in a place."""
    with (
        serving(place.folder, place.port, place.environment),
        httpx.Client(base_url=place.url, timeout=120) as client,
    ):
        working = _worker(place) if worker else None
        try:
            yield House(place.url, place.folder, client)
        finally:
            if working is not None:
                os.kill(working.pid, signal.SIGTERM)
                working.wait(timeout=60)


def _worker(place: Place) -> subprocess.Popen[bytes]:
    command = [str(COMMANDS / "skriptoteket"), "worker"]
    with open(place.folder / "worker", "wb") as output:
        return subprocess.Popen(command, env=place.environment, stdout=output, stderr=output)
