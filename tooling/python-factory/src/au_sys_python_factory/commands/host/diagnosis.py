"""What a host has, what it lacks, and what in it does harm."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from au_sys_python_factory.checks.dependencies.declarations import PUBLIC_HOSTS
from au_sys_python_factory.workspace.members import Workspace
from au_sys_python_factory.workspace.tables import read_table, table

State = Literal["ok", "missing", "harmful"]

INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL")
PROGRAMS = (
    ("bubblewrap", ("bwrap",), "running tools of the script library", "apt-get install bubblewrap"),
    (
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        "journeys in a browser",
        "apt-get install chromium",
    ),
    ("Redis", ("redis-server",), "tests against Redis", "apt-get install redis-server"),
    ("slapd", ("slapd", "/usr/sbin/slapd"), "tests against a directory", "apt-get install slapd"),
    (
        "PostgreSQL",
        ("postgres", "pg_ctl", "/usr/lib/postgresql"),
        "tests against PostgreSQL",
        "apt-get install postgresql",
    ),
    ("container engine", ("docker", "podman"), "building the image", "install Docker or Podman"),
)
PYTHONS = ("3.11", "3.12", "3.13")
SHELL_PORT = 8001
_SECONDS = 10
"""How long a program may take to say its version."""
LEAST_DISK = 2 * 1024**3
"""Bytes that a clean environment with all wheels needs, with room for a second one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: State
    detail: str
    fix: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """Everything, in a fixed order."""
    parts: tuple[Callable[[Workspace], Iterator[Finding]], ...] = (
        _uv,
        _pythons,
        _index,
        _lock,
        _byte_code,
        _port,
        _disk,
        _programs,
    )
    return [finding for part in parts for finding in part(workspace)]


def _uv(workspace: Workspace) -> Iterator[Finding]:
    program = os.environ.get("UV") or shutil.which("uv")
    bound = str(table(table(read_table(workspace.pyproject), "tool"), "uv").get("required-version", "any"))
    if not program:
        yield Finding("uv", "missing", "nothing can be locked, synced or built", "python3 -m pip install uv")
        return
    version = _output([program, "--version"])
    yield Finding("uv", "ok", f"{version} (the workspace asks for {bound})")


def _pythons(workspace: Workspace) -> Iterator[Finding]:
    program = os.environ.get("UV") or shutil.which("uv")
    for version in PYTHONS:
        found = shutil.which(f"python{version}") or ""
        if not found and program:
            found = _output([program, "python", "find", "--offline", version])
        if found:
            yield Finding(f"Python {version}", "ok", found)
        else:
            yield Finding(
                f"Python {version}", "missing", f"tests on {version} will not run", f"uv python install {version}"
            )


def _index(workspace: Workspace) -> Iterator[Finding]:
    foreign = [name for name in INDEX_VARIABLES if os.environ.get(name) and not _public(os.environ[name])]
    for name in foreign:
        detail = f"{name} names another index; its host would stay in uv.lock"
        yield Finding("index variables", "harmful", detail, f"unset {name}, or use the recipes of the justfile")
    if not foreign:
        yield Finding("index variables", "ok", "none leads away from the public index")


def _public(address: str) -> bool:
    return all(host in PUBLIC_HOSTS for host in re.findall(r"https?://(?:[^@/]*@)?([^/:\s]+)", address))


def _lock(workspace: Workspace) -> Iterator[Finding]:
    lock = workspace.root / "uv.lock"
    if not lock.is_file():
        yield Finding("uv.lock", "missing", "versions are not fixed", "uv lock")
        return
    hosts = set(re.findall(r"https?://(?:[^@/\"]*@)?([^/:\"]+)", lock.read_text(encoding="utf-8"))) - PUBLIC_HOSTS
    if hosts:
        yield Finding("uv.lock", "harmful", f"names {', '.join(sorted(hosts))}", "just lock-repair")
    else:
        yield Finding("uv.lock", "ok", "public hosts only")


def _byte_code(workspace: Workspace) -> Iterator[Finding]:
    if sys.flags.dont_write_bytecode:
        detail = "PYTHONDONTWRITEBYTECODE is set: every start of a program compiles everything again"
        yield Finding("byte code", "harmful", detail, "unset PYTHONDONTWRITEBYTECODE")
    else:
        yield Finding("byte code", "ok", "is written")


def _port(workspace: Workspace) -> Iterator[Finding]:
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", SHELL_PORT)) == 0
    if taken:
        fix = "python-factory shell status; another port: shell up --port N"
        yield Finding(f"port {SHELL_PORT}", "harmful", "something answers there already", fix)
    else:
        yield Finding(f"port {SHELL_PORT}", "ok", "is free")


def _disk(workspace: Workspace) -> Iterator[Finding]:
    free = shutil.disk_usage(workspace.root).free
    text = f"{free / 1024**3:.1f} GB free"
    if free < LEAST_DISK:
        yield Finding("disk", "harmful", text, "make room: a clean environment with all wheels needs about 1 GB")
    else:
        yield Finding("disk", "ok", text)


def _programs(workspace: Workspace) -> Iterator[Finding]:
    for subject, names, what, fix in PROGRAMS:
        found = next(
            (place for name in names if (place := shutil.which(name) or (name if Path(name).is_dir() else ""))), ""
        )
        if found:
            yield Finding(subject, "ok", found)
        else:
            yield Finding(subject, "missing", f"{what} will not work here", fix)


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
