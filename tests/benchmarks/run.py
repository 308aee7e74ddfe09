"""Run benchmarks by name, or all of them, and say how loaded the machine was; each prints its own table of ratios."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """Exit code 0 when every benchmark ran and met its "must" column, 2 for an unknown name; options go to each."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    known = sorted(found.parent.name for found in HERE.glob("*/bench.py"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"bench: unknown benchmark {', '.join(unknown)}; known are {', '.join(known)}", file=sys.stderr)
        return 2
    worst = 0
    for name in names or known:
        load = os.getloadavg()[0]
        print(f"\n== {name} (load {load:.2f} on {os.cpu_count()} cores at the start)", flush=True)
        worst = max(
            worst, subprocess.run([sys.executable, str(HERE / name / "bench.py"), *options], check=False).returncode
        )
    return worst


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
