"""Pictures of every page at phone and desktop width, light and dark: `just screenshots [FOLDER]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser
from tests.journeys.running_shell import (
    ROOT,
    Shell,
    run_the_guardian_tool,
    running_browser,
    running_shell,
    sign_in_for_the_first_time,
)

OPEN = {"welcome": "/", "sign-in": "/login"}
SIGNED_IN = {
    "hub": "/",
    "tools": "/browse",
    "tool": "/tools/guardian-email-list",
    "run-form": "/tools/guardian-email-list/run",
    "runs": "/my-runs",
    "account": "/account",
    "people": "/admin/identity/users",
    "platform": "/platform",
    "capabilities": "/platform/capabilities",
    "health": "/platform/health",
    "capability": "/platform/capabilities/skriptoteket",
    "routes": "/platform/routes",
    "permissions": "/platform/permissions",
    "settings": "/platform/settings",
    "log-levels": "/platform/log-levels",
    "flags": "/platform/flags",
    "jobs": "/platform/jobs",
    "breakers": "/platform/breakers",
    "events": "/platform/events",
    "audit": "/platform/audit",
    "reference": "/platform/reference",
    "components": "/platform/components",
    "nowhere": "/nowhere",
}


def main(folder: Path) -> int:
    """Write NAME-WIDTH-SCHEME.png for each page; returns 0."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, running_shell(Path(state)) as shell, running_browser() as browser:
        page = browser.new_context(base_url=shell.url).new_page()
        page.goto("/login")
        sign_in_for_the_first_time(page, shell)
        run_the_guardian_tool(page)
        signed_in = {**SIGNED_IN, "result": urlsplit(page.url).path}
        session = Path(state) / "session.json"
        page.context.storage_state(path=session)
        for width in (360, 1280):
            for scheme in ("light", "dark"):
                _shoot(browser, shell, OPEN, folder, f"{width}-{scheme}", None)
                _shoot(browser, shell, signed_in, folder, f"{width}-{scheme}", session)
    print(f"wrote {len(list(folder.glob('*.png')))} pictures to {folder}")
    return 0


def _shoot(
    browser: Browser, shell: Shell, pages: dict[str, str], folder: Path, look: str, session: Path | None
) -> None:
    width, scheme = look.split("-")
    context = browser.new_context(
        base_url=shell.url,
        viewport={"width": int(width), "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        storage_state=session,
    )
    page = context.new_page()
    for name, path in pages.items():
        page.goto(path)
        page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"))
