"""``python -m tests.planted.run``: the gauntlet against a platform with one defect after another.

Exit 0 only when the run without a defect is green, and each defect turns its own stage red and no other.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.planted.defects import CHOSEN, DEFECTS
from tests.workers.platform import BIN, EMAIL, ROOT, RunningPlatform, running_platform

NONE = "none"


def red_stages(running: RunningPlatform, folder: Path) -> tuple[int, dict[str, str]]:
    """Exit code, and the first failed row of each stage that is red."""
    command = [str(BIN / "python-factory"), "gauntlet", "--base-url", running.url, "--admin", EMAIL, "--destructive"]
    options = ["--lend-provider", "--report", str(folder / "report"), "--letters", str(folder / "data" / "outbox")]
    environment = {**running.environment, "FSP_GAUNTLET_PASSWORD": running.password}
    with (folder / "gauntlet.log").open("ab") as log:
        done = subprocess.run([*command, *options], env=environment, stdout=log, stderr=log, check=False)
    report = json.loads((folder / "report" / "gauntlet.json").read_text(encoding="utf-8"))
    red: dict[str, str] = {}
    for step in report["steps"]:
        if step["verdict"] == "failed":
            red.setdefault(step["stage"], f"{step['owner']}: {step['name']}: {'; '.join(step['reasons'])}")
    return done.returncode, red


def _turns_red(stage: str, folder: Path) -> bool:
    """Whether a platform of its own with this defect makes exactly this stage red."""
    chosen = folder / "defect"
    chosen.write_text("" if stage == NONE else stage, encoding="utf-8")
    path = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
    extra = {"FSP_APP": "tests.planted.defects:application", "PYTHONPATH": path, CHOSEN: str(chosen)}
    started = time.monotonic()
    with running_platform(folder, workers=1, extra={**extra, "IDENTITY_OUTBOUND_ALLOW": "127.0.0.1"}) as running:
        code, red = red_stages(running, folder)
    good = (code, set(red)) == ((0, set()) if stage == NONE else (1, {stage}))
    print(f"{'ok  ' if good else 'FAIL'} {stage:<15} {DEFECTS.get(stage, 'no defect'):<44}", end="")
    print(f" exit {code}, red: {', '.join(red) or 'nothing'}, {time.monotonic() - started:.0f} s", flush=True)
    for row in red.values():
        print(f"       {row[:200]}", flush=True)
    return good


def main() -> int:
    """Every stage asked for, and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"Of {NONE}, {', '.join(DEFECTS)}; empty: all.")
    asked = parser.parse_args()
    wrong = 0
    for stage in asked.stages or [NONE, *DEFECTS]:
        with tempfile.TemporaryDirectory(prefix="fsp-planted-") as folder:
            wrong += not _turns_red(stage, Path(folder))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
