"""Microseconds that one log event costs the thread that logs it, with console and file written; printed as JSON."""

import json
import statistics
import sys
import tempfile
from pathlib import Path
from time import thread_time

from fastapi_services_platform import PlatformSettings, get_logger
from fastapi_services_platform.observability.logger_factory import close_logging, configure_logging, flush_logging

ROUNDS = 7
EVENTS = 10_000


def main() -> None:
    """The median of several rounds; the writer empties its queue between them."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "console").open("wb") as console:
        configure_logging(PlatformSettings(log_dir=Path(folder)), lambda: {"correlation_id": "abc"}, console=console)
        log = get_logger("bench")
        costs = []
        for _ in range(ROUNDS):
            begun = thread_time()
            for number in range(EVENTS):
                log.info("tool.started", tool="guardian-list", rows=number, note="as usual")
            costs.append((thread_time() - begun) / EVENTS * 1e6)
            flush_logging()
        close_logging()
    json.dump({"microseconds": statistics.median(costs)}, sys.stdout)


if __name__ == "__main__":
    main()
