"""Start and stop the platform as containers."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from au_sys_python_factory.errors import FINDINGS, FactoryError
from au_sys_python_factory.shell.assembly.assembling import wheels_of
from au_sys_python_factory.shell.assembly.configuration import secret
from au_sys_python_factory.shell.assembly.installed_commands import FirstAdmin
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.containers.engine import Engine, EngineFailed, find_engine
from au_sys_python_factory.shell.containers.image import build_image
from au_sys_python_factory.shell.services import mail_sink
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.readiness import fetch_json
from au_sys_python_factory.shell.supervision.state import StateFolder

STAND_IN = "fsp-base:local"
IMAGE = "fsp-shell-001:local"
_ENTRYPOINT = "/opt/fsp/bin/entrypoint"  # as the Dockerfile places it
_WORKER_MAY = ("no-new-privileges:true", "systempaths=unconfined")
_SECRETS = ("FSP_SECRET_KEY", "IDENTITY_SECRET_KEY", "POSTGRES_PASSWORD")


@dataclass(frozen=True, slots=True)
class ContainerWish:
    """What the caller asked for."""

    engine: str = "docker"
    base_image: str = "python:3.13-slim"
    port: int = 8001
    fresh: bool = False
    rebuild: bool = True
    ready_seconds: float = 120.0
    admin_email: str = "admin@fsp.example"
    project: str = "fsp"


@dataclass(frozen=True, slots=True)
class Containers:
    """What runs."""

    url: str
    image: str
    admin: FirstAdmin | None
    services: tuple[str, ...]


class NotReady(FactoryError):
    """The containers do not answer; the web container's last lines follow."""

    exit_code = FINDINGS


def up_in_containers(
    platform: PlatformFolder, state: StateFolder, wish: ContainerWish, progress: Progress
) -> Containers:
    """Wheels, image, containers, first administrator.

    Raises:
        Missing: no engine, no Compose, or no base image: exit 5.
        FactoryError: a step failed.
    """
    with progress.step("engine") as step:
        engine = find_engine(wish.engine)
        step.result = Path(engine.program).name
    state.prepare()
    with progress.step("wheels") as step:
        built = wheels_of(platform, rebuild=wish.rebuild)
        step.result = f"{len(built.rebuilt)} built, {len(built.wheels) - len(built.rebuilt)} reused"
    folder = state.root / "containers"
    with progress.step("image") as step:
        image = build_image(
            platform, engine, built, base_image=wish.base_image, tag=IMAGE, kept=folder, revision=_revision(platform)
        )
        step.result = image.removeprefix("sha256:")[:12]
    compose = _Compose(engine, platform, state, wish)
    if wish.fresh:
        compose.stop("--volumes")
    with progress.step("containers") as step:
        compose.start()
        step.result = ", ".join(compose.services)
    url = f"http://127.0.0.1:{wish.port}"
    with progress.step("ready"):
        _wait(url, compose, wish.ready_seconds)
    admin = _first_admin(compose, state, wish)
    return Containers(url, image, admin, compose.services)


def down_in_containers(platform: PlatformFolder, state: StateFolder, wish: ContainerWish, *, volumes: bool) -> None:
    """Stop and remove containers and network; the data too when ``volumes`` says so.

    Raises:
        Missing: no engine.
    """
    compose = _Compose(find_engine(wish.engine), platform, state, wish)
    compose.stop(*(["--volumes"] if volumes else []))
    if volumes:
        (state.root / "containers" / ".first-admin").unlink(missing_ok=True)


class _Compose:
    def __init__(self, engine: Engine, platform: PlatformFolder, state: StateFolder, wish: ContainerWish) -> None:
        self.engine = engine
        self.project = wish.project
        docker = platform.folder / "docker"
        stand_in = [docker / "compose.stand-in.yaml"] if wish.base_image == STAND_IN else []
        self.files = [docker / "compose.yaml", *stand_in]
        self.services = ("postgres", "redis", "mail", "ldap", "migrate", "web", "worker")
        self.environment = _environment(docker, state, wish)
        self._worker = f"{wish.project}-worker"

    def start(self) -> None:
        """Every service. Compose before version 2 knows no system paths: the worker is then started beside it."""
        if self.engine.is_compose_2:
            self.call("up", "--detach", "--remove-orphans", *self.services)
            return
        self.call("up", "--detach", "--remove-orphans", *self.services[:-1])
        self.engine.run("rm", "--force", self._worker)
        web = self.engine.run("inspect", self.call("ps", "--quiet", "web").strip())
        profile = self.environment["FSP_WORKER_SECCOMP"]
        self.engine.run("run", "--detach", "--name", self._worker, *worker_like(web, profile))

    def stop(self, *options: str) -> None:
        """Containers and network."""
        if not self.engine.is_compose_2:
            self.engine.run("rm", "--force", self._worker)
        self.call("down", "--remove-orphans", "--timeout", "20", *options)

    def call(self, *arguments: str) -> str:
        """One compose command for this project."""
        return self.engine.composed(self.files, self.project, *arguments, environment=self.environment)


def _environment(docker: Path, state: StateFolder, wish: ContainerWish) -> Mapping[str, str]:
    url = f"http://127.0.0.1:{wish.port}"
    given = {
        "FSP_IMAGE": IMAGE,
        "FSP_PORT": str(wish.port),
        "FSP_PUBLIC_URL": url,
        "FSP_TRUSTED_HOSTS": "127.0.0.1,localhost",
        "FSP_SECRETS": str(_secret_files(state)),
        "FSP_MAIL_SINK": str(mail_sink.__file__),
        "FSP_WORKER_SECCOMP": str(docker / "worker-seccomp.json"),
        "COMPOSE_PROFILES": "extras",
    }
    return {**given, **os.environ, "FSP_SECRETS": given["FSP_SECRETS"]}


def worker_like(web: str, profile: str) -> list[str]:
    """The worker as ``run`` spells it, after what the engine says of the web container."""
    told = json.loads(web)[0]
    host = told["HostConfig"]
    options = ["--read-only", "--user", told["Config"]["User"], "--no-healthcheck", "--cap-drop", "ALL"]
    options += ["--network", next(iter(told["NetworkSettings"]["Networks"]))]
    options += ["--memory", "2g", "--pids-limit", str(host["PidsLimit"]), "--stop-timeout", "20"]
    options += [part for text in _WORKER_MAY for part in ("--security-opt", text)]
    options += ["--security-opt", f"seccomp={profile}"]
    options += [part for place, how in (host["Tmpfs"] or {}).items() for part in ("--tmpfs", f"{place}:{how}")]
    for mount in told["Mounts"]:
        source = mount.get("Name") or mount["Source"]
        options += ["--volume", f"{source}:{mount['Destination']}:{'rw' if mount['RW'] else 'ro'}"]
    options += [part for text in told["Config"]["Env"] for part in ("--env", text)]
    return [*options, told["Config"]["Image"], "skriptoteket", "worker"]


def _secret_files(state: StateFolder) -> Path:
    """Files that the containers' user may read; nobody else gets into the state folder."""
    folder = state.root / "containers" / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: secret(state, name) for name in _SECRETS}
    password = quote(values["POSTGRES_PASSWORD"], safe="")
    values["FSP_DATABASE_URL"] = f"postgresql+asyncpg://fsp:{password}@postgres:5432/fsp"
    for name, value in values.items():
        path = folder / name
        path.write_text(value, "utf-8")
        path.chmod(0o444)
    return folder


def _wait(url: str, compose: _Compose, seconds: float) -> None:
    end = time.monotonic() + seconds
    while fetch_json(f"{url}/health/ready")[0] != 200:
        if time.monotonic() > end:
            raise NotReady(f"no answer on {url}\n{compose.call('logs', '--tail', '30', 'web')}")
        time.sleep(0.3)


def _first_admin(compose: _Compose, state: StateFolder, wish: ContainerWish) -> FirstAdmin | None:
    mark = state.root / "containers" / ".first-admin"
    if mark.exists() and not wish.fresh:
        return None
    command = ["/bin/sh", _ENTRYPOINT, "au-sys-identity", "create-admin", "--generate", "--json"]
    try:
        told = json.loads(compose.call("exec", "-T", "web", *command, "--email", wish.admin_email))
    except EngineFailed:
        compose.call("stop", "--timeout", "20")
        raise
    mark.write_text(secrets.token_hex(4), "utf-8")
    return FirstAdmin(told["email"], told["password"], {})


def _revision(platform: PlatformFolder) -> str:
    head = platform.workspace.root / ".git" / "HEAD"
    if not head.is_file():
        return "unknown"
    text = head.read_text("utf-8").strip()
    pointed = platform.workspace.root / ".git" / text.removeprefix("ref: ")
    return pointed.read_text("utf-8").strip() if pointed.is_file() else text
