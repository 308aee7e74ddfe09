"""Run mypy over every member: all sources at once, then each tests folder by itself (their file names repeat)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("packages", "services", "tooling", "platforms")


def main() -> int:
    """Exit code 0 when everything is clean; every complaint is printed by mypy itself."""
    members = sorted(found.parent for place in PLACES for found in (ROOT / place).glob("*/pyproject.toml"))
    sources = [str(member / "src") for member in members if (member / "src").is_dir()]
    runs = [(sources, ROOT)]
    runs += [
        ([str(folder)], folder)
        for folder in [*(member / "tests" for member in members), ROOT / "tests"]
        if _holds_tests(folder)
    ]
    worst = 0
    for targets, base in runs:
        print(f"mypy {', '.join(str(Path(target).relative_to(ROOT)) for target in targets)}", flush=True)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mypy",
                "--config-file",
                str(ROOT / "pyproject.toml"),
                "--cache-dir",
                str(ROOT / ".mypy_cache"),
                *targets,
            ],
            env={**os.environ, "MYPYPATH": str(base)},
            cwd=ROOT,
            check=False,
        )
        worst = max(worst, done.returncode)
    return worst


def _holds_tests(folder: Path) -> bool:
    return folder.is_dir() and any(folder.rglob("*.py"))


if __name__ == "__main__":
    raise SystemExit(main())
