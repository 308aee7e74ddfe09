"""Environments that hold wheels and nothing else, as an installation does: no development group, bytecode compiled."""

import os
import subprocess
from pathlib import Path

WORKSPACE = Path(__file__).resolve().parents[3]
SHELL = ("au-sys-identity", "au-sys-storage-sdk", "skriptoteket")


class Environments:
    """Made once for a run, below a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wheels = folder / "wheels"
        self._uv("build", "--all-packages", "--wheel", "--out-dir", str(self._wheels), where=WORKSPACE)

    def python(self, name: str, *requirements: str) -> str:
        """The interpreter of a new environment with the runtime and these."""
        place = self._folder / name
        self._uv("venv", str(place))
        wanted = [self._with_extra(item) for item in ("fastapi-services-platform", *requirements)]
        python = str(place / "bin" / "python")
        self._uv("pip", "install", "--python", python, "--compile-bytecode", *wanted)
        return python

    def _with_extra(self, requirement: str) -> str:
        name, bracket, extra = requirement.partition("[")
        wheel = next(self._wheels.glob(f"{name.replace('-', '_')}-*.whl"))
        return f"{name}{bracket}{extra} @ {wheel.as_uri()}"

    def _uv(self, *arguments: str, where: Path | None = None) -> None:
        variables = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        done = subprocess.run(
            ["uv", *arguments, "--quiet"], cwd=where, env=variables, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"uv {arguments[0]} failed: {done.stderr[-2000:]}")
