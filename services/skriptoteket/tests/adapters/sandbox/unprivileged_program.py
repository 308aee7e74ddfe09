"""Play every ending as an ordinary user: ``unprivileged_program.py STATE_DIR RUNNER`` prints one JSON line for each."""

import asyncio
import json
import sys
from pathlib import Path

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.endings import ENDINGS
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.sandbox import Sandbox


async def main(state_dir: Path, runner: str) -> None:
    """Play all, one after the other."""
    sandbox: Sandbox = ZygoteSandbox(state_dir, warm_slots=1) if runner == "zygote" else BubblewrapSandbox(state_dir)
    print(json.dumps({"capabilities": dict(await sandbox.capabilities())}))
    for name, (script, expected) in ENDINGS.items():
        played = await play(sandbox, script)
        print(json.dumps({"name": name, "expected": expected.value, "got": played.code.value}))
    await sandbox.close()
    print(json.dumps({"left": [one.name for one in (state_dir / "sandboxes").glob("*")]}))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
