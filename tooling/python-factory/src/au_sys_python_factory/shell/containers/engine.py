"""A container engine and its compose command, or the reason why there is none."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import FINDINGS, FactoryError, Missing

_SECONDS = 30
"""How long an engine may take to say that it is there."""


class EngineFailed(FactoryError):
    """The engine ended with an error; its own words follow."""

    exit_code = FINDINGS


@dataclass(frozen=True, slots=True)
class Engine:
    """What answers, and how compose is called."""

    program: str
    compose: tuple[str, ...]

    @property
    def is_compose_2(self) -> bool:
        """Whether Compose is the engine's own command; the separate program is the version before."""
        return len(self.compose) == 2

    def run(self, *arguments: str, given: str | None = None, environment: Mapping[str, str] | None = None) -> str:
        """Call the engine to its end; what it wrote to standard output.

        Raises:
            EngineFailed: with its last lines.
        """
        return _call([self.program, *arguments], given, environment)

    def composed(self, files: Sequence[Path], project: str, *arguments: str, environment: Mapping[str, str]) -> str:
        """Call compose for a project.

        Raises:
            EngineFailed: with its last lines.
        """
        chosen = [part for file in files for part in ("-f", str(file))]
        return _call([*self.compose, "-p", project, *chosen, *arguments], None, environment)


def find_engine(program: str) -> Engine:
    """The engine, when it runs and has Compose.

    Raises:
        Missing: it is not installed, does not answer, or there is no Compose; never a silent fall-back.
    """
    found = shutil.which(program)
    stand_in = "platforms/*/docker/make_base_image.sh makes base images where no registry is reachable"
    if found is None:
        raise Missing(f"{program} is not installed", fix=f"install it with Compose; {stand_in}")
    answer = _tried([found, "info", "--format", "{{.ServerVersion}}"])
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines()[-1:]
        raise Missing(f"`{program} info` failed: {''.join(said)}", fix=f"start it, then `{program} info`; {stand_in}")
    if _tried([found, "compose", "version"]).returncode == 0:
        return Engine(found, (found, "compose"))
    beside = shutil.which(f"{program}-compose")
    if beside is None:
        raise Missing(
            f"`{program} compose version` failed, and there is no {program}-compose", fix="install Compose v2"
        )
    return Engine(found, (beside,))


def _tried(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)  # noqa: S603 (the engine)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {_SECONDS} s")


def _call(command: list[str], given: str | None, environment: Mapping[str, str] | None) -> str:
    done = subprocess.run(  # noqa: S603 (the engine, with arguments of our own)
        command,
        input=given or "",
        env=dict(environment) if environment is not None else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join([*done.stdout.strip().splitlines()[-15:], *done.stderr.strip().splitlines()[-5:]])
        raise EngineFailed(f"{Path(command[0]).name} {' '.join(command[1:4])} failed\n{tail}")
    return done.stdout
