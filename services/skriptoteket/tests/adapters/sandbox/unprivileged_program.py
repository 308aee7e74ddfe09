"""Play every ending as an ordinary user: ``unprivileged_program.py STATE_DIR`` prints one JSON line for each."""

import asyncio
import json
import sys
from pathlib import Path

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.conformance.endings import ENDINGS
from skriptoteket.conformance.playing import play


async def main(state_dir: Path) -> None:
    """Play all, one after the other."""
    sandbox = BubblewrapSandbox(state_dir)
    print(json.dumps({"capabilities": dict(await sandbox.capabilities())}))
    for name, (script, expected) in ENDINGS.items():
        played = await play(sandbox, script)
        print(json.dumps({"name": name, "expected": expected.value, "got": played.code.value}))
    print(json.dumps({"left": [one.name for one in (state_dir / "sandboxes").glob("*")]}))


asyncio.run(main(Path(sys.argv[1])))
