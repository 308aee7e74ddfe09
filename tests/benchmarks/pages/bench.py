"""Every page with 10,000 people and 1,000 agents: what a first visit transfers, and how long the server takes.

Sizes are Chromium's, with an empty cache: page, styles, scripts, font, icons, as they are served. Times are those of a
client on one open connection, 95th percentile. ``--quick`` takes few samples. Exit code 1 when a page misses a bound.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from playwright.sync_api import Browser, BrowserContext
from tests.attacks.running_platform import create_admin
from tests.benchmarks.pages.growth import grow
from tests.journeys.house import ADMIN, ADMIN_PASSWORD, House, living_in, new_place
from tests.journeys.inventory import pages_of
from tests.journeys.population import Population, populate
from tests.journeys.running_shell import running_browser
from tests.journeys.visiting import Visit

PEOPLE, AGENTS = 10_000, 1_000
BYTES, MILLISECONDS = 100_000, 50.0
TRANSFERRED = """() => performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
EDITOR = 256_000
"""The page with the code editor may bring its bundle, which has a bound of its own (250 KiB)."""


@dataclass(frozen=True)
class Row:
    """One page."""

    name: str
    size: int
    cpu: float
    median: float
    tail: float

    @property
    def missed(self) -> bool:
        """Whether it is out of bounds."""
        more = EDITOR if self.name.startswith("/editor/tools") else 0
        return self.size >= BYTES + more or self.tail >= MILLISECONDS


def main() -> int:
    """Print a row for each page, the slowest first."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    samples = 12 if asked.parse_args().quick else 60
    with tempfile.TemporaryDirectory() as folder:
        place = new_place(Path(folder) / "platform")
        create_admin(place.environment)
        with living_in(place, worker=True) as house:
            made = populate(house, lambda words: words)
        grow(
            place.folder / "data/identity.db",
            made.urns["person"],
            made.urns["agent"],
            people=PEOPLE,
            agents=AGENTS,
        )
        with living_in(place) as house, running_browser() as browser:
            rows = measured(house, browser, made, samples)
    print(f"{f'{PEOPLE} people, {AGENTS} agents':58}{'kB':>8}{'CPU ms':>8}{'p50 ms':>8}{'p95 ms':>8}")
    for row in sorted(rows, key=lambda row: -row.tail):
        figures = f"{row.size / 1000:8.1f}{row.cpu:8.1f}{row.median:8.1f}{row.tail:8.1f}"
        print(f"{row.name[:58]:58}{figures}{'  MISSED' if row.missed else ''}")
    missed = sum(row.missed for row in rows)
    print(f"{len(rows)} pages, {missed} miss < {BYTES // 1000} kB or < {MILLISECONDS:.0f} ms")
    return 1 if missed else 0


def measured(house: House, browser: Browser, made: Population, samples: int) -> list[Row]:
    """A row for each page."""
    visit = Visit(browser, house)
    visit.sign_in(ADMIN, ADMIN_PASSWORD)
    pages = pages_of(house, made, "person77")
    pages["members of the organization"] = "/admin/identity/organizations/default"
    cookies = {str(cookie["name"]): str(cookie["value"]) for cookie in visit.context.cookies()}
    headers = {"accept": "text/html", "accept-encoding": "gzip", "sec-fetch-site": "same-origin"}
    server = _pid(house)
    rows = []
    with httpx.Client(base_url=house.url, cookies=cookies, headers=headers, timeout=60) as client:
        for name, path in pages.items():
            times, before = [], 0.0
            for number in range(samples + 3):
                before = cpu_seconds(server) if number == 3 else before
                began = time.perf_counter()
                client.get(path)
                times.append((time.perf_counter() - began) * 1000)
            spent = (cpu_seconds(server) - before) * 1000 / samples
            times = sorted(times[3:])
            size = first_visit(visit.context, path)
            rows.append(Row(name, size, spent, times[samples // 2], times[int(samples * 0.95)]))
    visit.close()
    return rows


def _pid(house: House) -> int:
    """The process that serves."""
    port = house.url.rpartition(":")[2].encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if port in words and b"run" in words:
                return int(path.parent.name)
    raise LookupError(house.url)


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_visit(context: BrowserContext, path: str) -> int:
    """Bytes that come over the wire for somebody who was never here."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    page.goto(path)
    with suppress(Exception):
        page.wait_for_load_state("networkidle", timeout=2_000)
    size: int = page.evaluate(TRANSFERRED)
    page.close()
    return size


if __name__ == "__main__":
    raise SystemExit(main())
