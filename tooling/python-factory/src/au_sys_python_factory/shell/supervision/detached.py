"""The supervisor as a process of its own: what ``shell up --detach`` leaves running.

It takes its orders as JSON on standard input (secrets are in there, an argument would show them to everybody) and
inherits the descriptor that holds the shell's lock.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from au_sys_python_factory.shell.supervision.processes import ProcessId, identify
from au_sys_python_factory.shell.supervision.readiness import Json
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.shell.supervision.supervisor import Program, Supervision, Supervisor

_LAUNCHED: list[subprocess.Popen[bytes]] = []
"""Supervisors outlive us on purpose; the interpreter would call a forgotten one a leak."""


def launch(supervision: Supervision, lock: int) -> ProcessId:
    """Start the supervisor in a session of its own; the lock goes over to it."""
    orders = {
        "state": str(supervision.state.root),
        "host": supervision.host,
        "port": supervision.port,
        "programs": [asdict(program) for program in supervision.programs],
        "environment": dict(supervision.environment),
        "ready_seconds": supervision.ready_seconds,
        "drain_seconds": supervision.drain_seconds,
    }
    with (supervision.state.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 (this very module)
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=supervision.state.run,
            start_new_session=True,
            pass_fds=(lock,),
        )
    _LAUNCHED.append(process)
    found = identify(process.pid)
    if process.stdin is not None:
        process.stdin.write(json.dumps(orders).encode())
        process.stdin.close()
    return found


def _program(item: dict[str, Json]) -> Program:
    account = item.pop("account")
    command = tuple(item.pop("command"))
    return Program(command=command, account=tuple(account) if account else None, **item)


def _main() -> int:
    orders = json.loads(sys.stdin.buffer.read())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    supervision = Supervision(
        state=StateFolder(Path(orders["state"])),
        host=orders["host"],
        port=orders["port"],
        programs=tuple(_program(item) for item in orders["programs"]),
        environment=orders["environment"],
        restart_web=True,
        ready_seconds=orders["ready_seconds"],
        drain_seconds=orders["drain_seconds"],
    )

    async def supervise() -> str:
        return await Supervisor(supervision).run()

    outcome = asyncio.run(supervise())
    sys.stderr.write(f"supervisor: {outcome}\n")
    return 0 if outcome == "stopped" else 1


if __name__ == "__main__":
    raise SystemExit(_main())
