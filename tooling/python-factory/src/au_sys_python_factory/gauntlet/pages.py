"""The first stage's pages: each that a signed-in administrator is led to answers, and so does every file it names.

Pages are found as people find them: from the front page by its links. Links with a question mark are other views of a
page that is visited anyway, and downloads are no pages.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from au_sys_python_factory.gauntlet.people import Sessions
from au_sys_python_factory.gauntlet.playing import Outcome
from au_sys_python_factory.gauntlet.rows import Expectation, Row

MOST = 45  # pages: those of the menu, and the first that these lead to
LONGEST = 30.0  # seconds for one answer; what is no page is not read to its end, which a stream does not have
_HTML = "text/html"
_HEADERS = {"Accept": f"{_HTML},*/*"}
_OK = 200
_ATTRIBUTES = {"a": "href", "link": "href", "script": "src", "img": "src"}


class _Links(HTMLParser):
    """Addresses that a page names: other pages, and files that it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.files: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each element."""
        address = dict(attrs).get(_ATTRIBUTES.get(tag, ""), None)
        if address and "download" not in dict(attrs):
            (self.pages if tag == "a" else self.files).append(address)


async def visit(sessions: Sessions, folder: Path, who: str = "admin") -> list[Outcome]:
    """Every page from the front page on, and every file of them, each once; none where there is no front page."""
    client, _ = await sessions.client(who, "cookie", "")
    waiting, seen, outcomes = deque(["/"]), {"/"}, list[Outcome]()
    for _ in range(MOST):
        if not waiting:
            break
        path = waiting.popleft()
        outcome, found = await _asked(client, path, folder)
        if path == "/" and outcome.verdict != "passed":
            return []
        outcomes.append(outcome)
        for address in found.pages:
            target = _own(sessions.base_url, path, address)
            if target and target not in seen and not urlsplit(target).query:
                seen.add(target)
                waiting.append(target)
        for address in found.files:
            target = _own(sessions.base_url, path, address)
            if target and target not in seen:
                seen.add(target)
                outcomes.append((await _asked(client, target, folder))[0])
    return outcomes


async def _asked(client: httpx.AsyncClient, path: str, folder: Path) -> tuple[Outcome, _Links]:
    started, found = time.monotonic(), _Links()
    row = Row(f"{path} answers", "boot", "platform", folder, "GET", path, Expectation(status=(_OK,)), who="admin")
    try:
        async with (
            asyncio.timeout(LONGEST),
            client.stream("GET", path, headers=_HEADERS, follow_redirects=True) as answer,
        ):
            shown = answer.headers.get("content-type", "").startswith(_HTML)
            text = (await answer.aread()).decode(errors="replace") if shown else ""
    except (httpx.HTTPError, TimeoutError) as error:
        reason = f"no answer: {type(error).__name__} {error}".strip()
        return Outcome(row, "failed", time.monotonic() - started, (reason,), "GET", path), found
    good = answer.status_code == _OK
    if good:
        found.feed(text)
    reasons = () if good else (f"status is {answer.status_code}, expected {_OK}",)
    seconds, verdict = time.monotonic() - started, "passed" if good else "failed"
    return Outcome(row, verdict, seconds, reasons, "GET", path, answer.status_code, "" if good else text[:500]), found


def _own(base_url: str, page: str, address: str) -> str:
    """The path of an address on this system without its fragment, or ""; signing out is no page to visit."""
    target = urlsplit(urljoin(f"{base_url}{page}", address))
    if f"{target.scheme}://{target.netloc}" != base_url or target.path.startswith("/logout"):
        return ""
    return target.path + (f"?{target.query}" if target.query else "")
