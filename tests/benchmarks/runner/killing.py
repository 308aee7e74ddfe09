"""B7: a worker that is killed with -9 again and again leaves nothing, and the next one holds the truth at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from skriptoteket.conformance.gates import Row


def rows(folder: Path, kills: int) -> list[Row]:
    """What was left, and the recovery that nearly all kept; `just proof-runner` does ten thousand."""
    folder.mkdir(parents=True)
    folder.parent.chmod(0o755)  # scripts run as users of their own, which pass through here
    state = folder / "kills.json"
    command = [sys.executable, "-m", "tests.runs.kills", "--kills", str(kills), "--state", str(state)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[3])
    told = json.loads(state.read_text(encoding="utf-8"))
    recoveries = sorted(told["recovery_ms"])
    return [
        Row(f"B7 left or lost after {told['kills']} kills", len(told["complaints"]), 0),
        Row("B7 recovery, p90", recoveries[int(len(recoveries) * 0.9)], 1000, "ms"),
    ]
