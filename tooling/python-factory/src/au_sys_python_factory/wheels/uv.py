"""Calls of uv: the public index and nothing else, whatever the environment names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from au_sys_python_factory.errors import FINDINGS, FactoryError, Missing

PUBLIC_INDEX = "https://pypi.org/simple"
"""The index that everybody reaches; what is locked comes from there alone."""

_FOREIGN = frozenset(
    {
        *("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE"),
        *(
            "UV_PROJECT_ENVIRONMENT",
            "UV_PROJECT",
            "UV_WORKING_DIRECTORY",
            "UV_NO_SYNC",
            "UV_LOCKED",
            "UV_FROZEN",
            "UV_PYTHON",
        ),
        *(
            "VIRTUAL_ENV",
            "PYTHONPATH",
            "PYTHONHOME",
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONPYCACHEPREFIX",
            "SOURCE_DATE_EPOCH",
        ),
    }
)
"""Variables that would change what is built or installed, or where."""


class UvFailed(FactoryError):
    """uv ended with an error; its own words follow."""

    exit_code = FINDINGS

    def __init__(self, doing: str, output: str, *, fix: str = "") -> None:
        self.output = output
        tail = "\n".join(output.strip().splitlines()[-12:])
        super().__init__(f"{doing} failed\n{tail}", fix=fix or _fix(output))


def uv_program() -> str:
    """The uv that started us (``uv run`` says so), else the one on ``PATH``.

    Raises:
        Missing: there is none.
    """
    found = os.environ.get("UV") or shutil.which("uv")
    if not found:
        raise Missing("uv is not installed", fix="python3 -m pip install uv")
    return found


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without what would bend a build or an installation."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**kept, "UV_DEFAULT_INDEX": PUBLIC_INDEX, "PYTHONUTF8": "1", **(extra or {})}


def run_uv(
    arguments: Sequence[str],
    *,
    doing: str,
    folder: Path,
    extra: Mapping[str, str] | None = None,
    timeout: float = 600.0,
) -> str:
    """Run uv to its end and return what it wrote to stdout.

    Raises:
        UvFailed: with the last lines that uv wrote.
        Missing: no uv.
    """
    command = [uv_program(), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (uv, with arguments of our own)
            command,
            cwd=folder,
            env=clean_environment(extra),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UvFailed(doing, f"no end after {timeout:.0f} s", fix="look at the network, then try again") from None
    if done.returncode != 0:
        raise UvFailed(doing, done.stderr or done.stdout)
    return done.stdout


def _fix(output: str) -> str:
    lowered = output.lower()
    if "no space left" in lowered:
        return "free some disk space; what was there before still works"
    if "needs to be updated" in lowered:
        return "uv lock"
    if any(word in lowered for word in ("network", "dns error", "connect", "failed to fetch", "offline")):
        return "the packages named above are not in uv's cache: try again with a network"
    return ""
