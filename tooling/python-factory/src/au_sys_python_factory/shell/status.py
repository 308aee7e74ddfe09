"""What runs, and is it well."""

from __future__ import annotations

import json
from dataclasses import dataclass

from au_sys_python_factory.shell.overview import Overview, describe_capabilities, places
from au_sys_python_factory.shell.supervision.readiness import Json, fetch_json
from au_sys_python_factory.shell.supervision.state import ShellRecord, StateFolder, read_record

READY, DEGRADED, NOT_RUNNING = 0, 1, 4


@dataclass(frozen=True, slots=True)
class Status:
    """The answer, with the exit code that stands for it."""

    state: str
    exit_code: int
    detail: str = ""
    overview: Overview | None = None

    def as_data(self) -> dict[str, Json]:
        """For ``--json``."""
        return {"state": self.state, "detail": self.detail, **(self.overview.as_data() if self.overview else {})}

    def as_text(self) -> str:
        """For people."""
        first = f"{self.state}: {self.detail}" if self.detail else self.state
        return f"{first}\n\n{self.overview.as_text()}" if self.overview else first


def status(state: StateFolder) -> Status:
    """Ask the record, the processes and ``/health``; changes nothing."""
    state.check()
    record = read_record(state)
    if record is None:
        return Status("not running", NOT_RUNNING)
    if not record.alive:
        left = ", ".join(f"{item.name} (process {item.process.pid})" for item in record.survivors)
        hint = f"its supervisor was killed and left {left}; " if left else "its supervisor was killed; "
        return Status("not running", NOT_RUNNING, f"{hint}the next start or `shell down` cleans up")
    if record.phase != "ready":
        return Status(record.phase, DEGRADED, record.detail)
    code, health = fetch_json(f"{record.url}/health")
    overview = _overview(state, record, health)
    said = str(health.get("status", "unknown")) if isinstance(health, dict) else "no answer"
    failed = [item.name for item in record.processes if item.failed or not item.process.alive]
    if failed:
        return Status("degraded", DEGRADED, f"not running: {', '.join(failed)}; see `shell logs {failed[0]}`", overview)
    if code == 200 and said == "healthy":
        return Status("ready", READY, "", overview)
    return Status("degraded", DEGRADED, f"/health says {said}", overview)


def _overview(state: StateFolder, record: ShellRecord, health: Json) -> Overview:
    try:
        inventory = json.loads(state.inventory.read_text("utf-8"))["inventory"]
        wheels = json.loads(state.manifest.read_text("utf-8"))["wheels"]
    except (OSError, ValueError, KeyError):
        inventory, wheels = {"capabilities": []}, {}
    hashes = {name: wheel["sha256"] for name, wheel in wheels.items()}
    return Overview(
        url=record.url,
        seconds=0.0,
        capabilities=describe_capabilities(inventory, hashes, health if isinstance(health, dict) else None),
        processes=tuple((item.name, item.process.pid) for item in record.processes),
        places=places(record.url, inventory),
    )
