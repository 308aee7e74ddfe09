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
    sources = [member / "src" for member in members if (member / "src").is_dir()]
    runs = [(sources, sources, ROOT)]
    runs += [
        ([tests], [member, ROOT], member)
        for member, tests in ((member, member / "tests") for member in members)
        if any(tests.rglob("*.py"))
    ]
    runs.append(([ROOT / "tests"], [ROOT], ROOT))
    worst = 0
    for targets, bases, place in runs:
        print(f"mypy {', '.join(str(target.relative_to(ROOT)) for target in targets)}", flush=True)
        options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
        done = subprocess.run(
            [sys.executable, "-m", "mypy", *options, *map(str, targets)],
            env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, bases))},
            cwd=place,
            check=False,
        )
        worst = max(worst, done.returncode)
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
