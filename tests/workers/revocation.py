"""Disable a human and measure when another process refuses an agent two levels down: `just proof-revocation`."""

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx
from tests.attacks.agents import key_of_a_grandchild, seconds_until
from tests.attacks.running_platform import create_admin, environment_of, free_port, serving

from fastapi_services_platform.testing.postgres import postgres_server

_ONLY_IDENTITY = "capabilities:\n  storage: { enabled: false }\n  skriptoteket: { enabled: false }\n"
_BOUND = 1.0


def measured(folder: Path, rounds: int, database: str = "") -> list[float]:
    """Seconds from the answer that disabled her to the first refusal by the other process, round by round."""
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "config" / "router_factory_features.yaml").write_text(_ONLY_IDENTITY)
    ports = [free_port(), free_port()]
    settings = {"FSP_CONFIG_DIR": str(folder / "config"), "FSP_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}"}
    settings["IDENTITY_STEP_UP_MAX_AGE"] = "3600"
    if database:
        settings["FSP_DATABASE_URL"] = database
    create_admin(environment_of(folder, ports[0], **settings))
    with ExitStack() as stack:
        here, there = (
            stack.enter_context(serving(folder, port, environment_of(folder, port, **settings), f"{port}-"))
            for port in ports
        )
        person = stack.enter_context(here.person())
        admin = stack.enter_context(here.client())
        key = key_of_a_grandchild(admin, f"urn:au:user:{person.id}")
        agent = stack.enter_context(httpx.Client(base_url=there.url, headers=key, timeout=60))
        return [_round(admin, agent, person.id) for _ in range(rounds)]


def _round(admin: httpx.Client, agent: httpx.Client, person: str) -> float:
    admin.patch(f"/users/{person}", json={"is_active": True}).raise_for_status()
    seconds_until(agent, 200)
    admin.patch(f"/users/{person}", json={"is_active": False}).raise_for_status()
    return seconds_until(agent, 403)


def main() -> int:
    """0 when every refusal came within a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="fsp-revocation-") as folder, postgres_server() as server:
        for name, database in (("sqlite", ""), ("postgres", server.database("revocation"))):
            found = measured(Path(folder) / name, rounds, database)
            worst = max(worst, *found)
            half = statistics.median(found)
            print(f"{name}: {rounds} rounds, median {half * 1000:.0f} ms, worst {max(found) * 1000:.0f} ms")
    print("every refusal came within a second" if worst < _BOUND else f"a refusal took {worst:.2f} s")
    return 0 if worst < _BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
