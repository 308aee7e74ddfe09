"""Run the gauntlet against one process on SQLite and against four on PostgreSQL, and compare: `just proof-workers`."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.workers.platform import BIN, EMAIL, running_platform

from fastapi_services_platform.testing.postgres import postgres_server


def gauntlet(folder: Path, *, workers: int, database: str = "") -> dict[str, str]:
    """The outcome of every row by its name."""
    with running_platform(folder, workers=workers, database=database) as running:
        report = folder / "report"
        command = [str(BIN / "python-factory"), "gauntlet", "--base-url", running.url, "--admin", EMAIL]
        subprocess.run(
            [*command, "--report", str(report), "--letters", str(folder / "data" / "outbox"), "--destructive"],
            env={**running.environment, "FSP_GAUNTLET_PASSWORD": running.password},
            check=False,
        )
    rows = json.loads((report / "gauntlet.json").read_text())
    return {f"{row['stage']}: {row['name']}": row["verdict"] for row in rows["steps"]}


def main() -> int:
    """0 when every row passes on both; the rows that differ are printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--keep", type=Path, help="Folder for logs and reports; else a temporary one.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fsp-workers-") as temporary, postgres_server() as server:
        folder = chosen.keep or Path(temporary)
        found = {}
        for name, workers, database in (("sqlite", 1, ""), ("postgres", chosen.workers, server.database("platform"))):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(parents=True)
            found[name] = gauntlet(folder / name, workers=workers, database=database)
    failed = {name: [row for row, outcome in rows.items() if outcome == "failed"] for name, rows in found.items()}
    differing = sorted(row for row in found["sqlite"] if found["sqlite"][row] != found["postgres"].get(row))
    print(f"one process on SQLite: {len(found['sqlite'])} rows, {len(failed['sqlite'])} failed")
    print(f"{chosen.workers} processes on PostgreSQL: {len(found['postgres'])} rows, {len(failed['postgres'])} failed")
    for row in differing:
        print(f"differs: {row}: {found['sqlite'][row]} / {found['postgres'].get(row, 'not there')}")
    return 1 if failed["sqlite"] or failed["postgres"] or differing else 0


if __name__ == "__main__":
    sys.exit(main())
