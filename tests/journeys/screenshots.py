"""Pictures of every page at phone and desktop width, light and dark, and in Swedish.

`just screenshots [FOLDER [WORDS]]`: pages come from the platform's own list of routes; with WORDS only those whose
address holds them.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser
from tests.journeys.house import ADMIN, ADMIN_PASSWORD, House, running_house
from tests.journeys.inventory import pages_of
from tests.journeys.population import populate
from tests.journeys.running_shell import ROOT, run_the_guardian_tool, running_browser
from tests.journeys.visiting import Visit

LOOKS: tuple[tuple[int, Literal["light", "dark"], str], ...] = (
    (1280, "light", "en"),
    (1280, "dark", "en"),
    (360, "light", "en"),
    (360, "dark", "en"),
    (1280, "light", "sv"),
    (360, "dark", "sv"),
)
STRANGERS = ("/", "/login", "/login/link", "/register", "/forgot-password", "/reset-password", "/magic", "/invitation")
HALVES = {"people found", "audit found", "tools found", "samples found", "own problem", "reason not known"}


def main(folder: Path, words: str = "") -> int:
    """Write WIDTH-SCHEME-LANGUAGE/NAME.png for each page; returns 0."""
    with (
        tempfile.TemporaryDirectory() as place,
        running_browser() as browser,
        running_house(Path(place) / "platform", worker=True) as house,
    ):
        made = populate(house, lambda said: said)
        pages = {name: path for name, path in pages_of(house, made, "a").items() if name not in HALVES}
        visit = Visit(browser, house)
        visit.sign_in(ADMIN, ADMIN_PASSWORD)
        run_the_guardian_tool(visit.page)
        pages["/my-runs/result"] = urlsplit(visit.page.url).path
        visit.page.context.storage_state(path=Path(place) / "session.json")
        visit.close()
        signed_in = {name: path for name, path in pages.items() if words in path}
        strangers = {f"stranger {path}": path for path in STRANGERS if words in path}
        for look in LOOKS:
            _shoot(browser, house, strangers, folder, look, None)
            _shoot(browser, house, signed_in, folder, look, Path(place) / "session.json")
    print(f"wrote {len(list(folder.rglob('*.png')))} pictures to {folder}")
    return 0


def _shoot(
    browser: Browser,
    house: House,
    pages: dict[str, str],
    folder: Path,
    look: tuple[int, Literal["light", "dark"], str],
    session: Path | None,
) -> None:
    width, scheme, language = look
    visit = Visit(browser, house, width=width, color_scheme=scheme, storage_state=session, locale=language)
    kept = folder / f"{width}-{scheme}-{language}"
    kept.mkdir(parents=True, exist_ok=True)
    for name, path in pages.items():
        visit.go(path)
        file = re.sub(r"[^a-z]+", "-", name.lower()).strip("-") or "hub"
        visit.page.screenshot(path=kept / f"{file}.png", full_page=True)
    visit.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    raise SystemExit(main(Path(given[0]) if given else ROOT / "screenshots", given[1] if given[1:] else ""))
