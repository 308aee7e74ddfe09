"""A clean environment of exactly these wheels: others as locked with hashes, our own by file, nothing resolved."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.wheels.building import BuiltFile
from au_sys_python_factory.wheels.uv import clean_environment, run_uv

COMPLETE = "fsp-wheels.json"
"""Written last into an environment: without it, what is there was never finished."""

_ANSWER_SECONDS = 30
"""How long an installed command may take to say its version."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A finished environment, and whether it had to be made."""

    folder: Path
    packages: int
    seconds: float
    made: bool

    @property
    def bin(self) -> Path:
        """Where the console scripts are."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.bin / "python"


def export_lock(root: Path, packages: Sequence[str], extras: Sequence[str] = ()) -> str:
    """The third-party closure of members as pinned requirements with hashes, straight from ``uv.lock``.

    Raises:
        UvFailed: the lock does not fit the members' requirements any more; the fix is ``uv lock``.
    """
    chosen = [part for package in packages for part in ("--package", package)]
    chosen += [part for extra in extras for part in ("--extra", extra)]
    return run_uv(
        ["export", "--quiet", "--locked", "--no-dev", "--no-emit-workspace", "--no-annotate", "--no-header", *chosen],
        doing="reading uv.lock",
        folder=root,
    )


def make_environment(
    folder: Path,
    *,
    root: Path,
    requirements: str,
    wheels: Sequence[BuiltFile],
    python: str | None = None,
    relocatable: bool = False,
) -> Environment:
    """Bring ``folder`` to exactly these packages; one that already is so is taken as it is.

    A new one is made beside the old, and the old one survives a failure. A ``relocatable`` one may be copied.

    Raises:
        UvFailed: a step of uv failed; ``folder`` is as it was.
    """
    started = time.monotonic()
    interpreter = python or sys.executable
    key = _key(requirements, wheels, interpreter)
    finish_interrupted(folder)
    done = _read(folder)
    if done.get("key") == key:
        return Environment(folder, int(done["packages"]), time.monotonic() - started, made=False)
    old = folder.with_name(f"{folder.name}.old")
    if folder.exists():
        folder.rename(old)
    try:
        packages = _install(folder, root, requirements, wheels, interpreter, relocatable)
        (folder / COMPLETE).write_text(json.dumps({"key": key, "packages": str(packages)}), "utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return Environment(folder, packages, time.monotonic() - started, made=True)


def finish_interrupted(folder: Path) -> None:
    """Put the old environment back when a process that was replacing it was killed."""
    old = folder.with_name(f"{folder.name}.old")
    if not old.exists():
        return
    if _read(folder):
        shutil.rmtree(old, ignore_errors=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        old.rename(folder)


def answering_scripts(environment: Environment, scripts: Sequence[str]) -> dict[str, str]:
    """Each console script with the first line of its answer to ``--version`` or else ``--help``; "" for silence."""
    return {script: _answer(environment.bin / script) for script in scripts}


def _install(
    folder: Path, root: Path, requirements: str, wheels: Sequence[BuiltFile], interpreter: str, relocatable: bool
) -> int:
    folder.parent.mkdir(parents=True, exist_ok=True)
    kind = ["--relocatable"] if relocatable else []
    run_uv(
        ["venv", "--quiet", "--no-project", "--clear", *kind, "--python", interpreter, str(folder)],
        doing="making the environment",
        folder=root,
    )
    pinned = folder / "requirements.txt"
    pinned.write_text(requirements, "utf-8")
    target = ["--quiet", "--python", str(folder / "bin" / "python"), "--compile-bytecode", "--no-config"]
    run_uv(
        ["pip", "install", *target, "--require-hashes", "-r", str(pinned)],
        doing="installing the locked packages",
        folder=root,
    )
    if wheels:
        files = [str(wheel.path.resolve()) for wheel in wheels]
        run_uv(["pip", "install", *target, "--no-deps", *files], doing="installing our wheels", folder=root)
    run_uv(
        ["pip", "check", "--quiet", "--python", str(folder / "bin" / "python")],
        doing="uv pip check",
        folder=root,
    )
    return len(list(folder.glob("lib/python*/site-packages/*.dist-info")))


def _answer(script: Path) -> str:
    for option in ("--version", "--help"):
        try:
            done = subprocess.run(  # noqa: S603 (a script of the environment that we installed)
                [str(script), option],
                env=clean_environment({"NO_COLOR": "1"}),
                cwd=script.parent,
                capture_output=True,
                text=True,
                timeout=_ANSWER_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip().splitlines()[0]
    return ""


def _key(requirements: str, wheels: Sequence[BuiltFile], interpreter: str) -> str:
    version = f"{os.path.realpath(interpreter)} {sys.version if interpreter == sys.executable else ''}"
    parts = [version, requirements, *sorted(f"{wheel.path.name} {wheel.sha256}" for wheel in wheels)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(folder: Path) -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads((folder / COMPLETE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content
