"""Questions to a fresh interpreter of the workspace; only what is asked on demand runs code that it reads."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from au_sys_python_factory.workspace.members import Workspace

_SECONDS = 120.0
"""How long an answer may take; a member that hangs at import is told like one that fails."""


def asked(workspace: Workspace, program: str, question: object) -> tuple[object, str]:
    """The last line that the program printed as JSON (``None``: it printed nothing), and why it failed, if it did."""
    sources = [str(member.source.parent) for member in workspace.members if member.source]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory(prefix="python-factory-deep-") as place:
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter, our own words
                [str(interpreter(workspace.root)), "-c", program, json.dumps(question)],
                cwd=place, env=surroundings, capture_output=True, text=True, timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, f"no answer within {_SECONDS:.0f} s"
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    lines = done.stdout.strip().splitlines()
    return (json.loads(lines[-1]) if lines else None), ""


def interpreter(root: Path) -> Path:
    """The workspace's own Python where it has an environment, else the one that runs the factory."""
    for inner in ("bin/python", "Scripts/python.exe"):
        if (root / ".venv" / inner).is_file():
            return root / ".venv" / inner
    return Path(sys.executable)
