"""Notes about live sandboxes, so that a later worker can end what a killed one left behind."""

import contextlib
import json
from collections.abc import Collection
from pathlib import Path

from skriptoteket.adapters.sandbox.host import processes
from skriptoteket.adapters.sandbox.host.cgroups import Cgroups
from skriptoteket.core.identifiers import RunId


def label_of(run_id: RunId, attempt: int) -> str:
    """The name under which what belongs to one attempt of a run is found again."""
    return f"{run_id}-{attempt}"


class Remains:
    """One small file per live sandbox in the state directory; removed with the sandbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remember(self, label: str, pid: int) -> None:
        """Note the outermost process of a sandbox; ``label`` is run id and attempt with a hyphen between.

        A file that is not written whole is treated as no process.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = {"pid": pid, "started": processes.start_time(pid)}
        self._path(label).write_text(json.dumps(note), encoding="ascii")

    def forget(self, label: str) -> None:
        """Remove the note; idempotent."""
        self._path(label).unlink(missing_ok=True)

    def reap(self, known: Collection[str], cgroups: Cgroups, key: str) -> None:
        """Kill and remove everything of runs that are not ``known``; ``key`` tells our groups from another worker's.

        Empty groups of workers that never came back are removed too, whoever they belonged to.

        Blocks.
        """
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            if path.name.rsplit("-", 1)[0] in known:
                continue
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                note = json.loads(path.read_text(encoding="ascii"))
                processes.kill_if_same(int(note["pid"]), int(note["started"]))
            path.unlink(missing_ok=True)
        for label, group in cgroups.leftovers().items():
            owner, _, run = label.partition("-")
            if (owner == key and run.rsplit("-", 1)[0] not in known) or group.abandoned():
                group.kill()
                group.remove()

    def _path(self, label: str) -> Path:
        return self._folder / f"{label}.json"
