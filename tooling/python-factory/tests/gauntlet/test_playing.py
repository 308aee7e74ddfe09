"""One row against an application in this process."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from au_sys_python_factory.gauntlet.people import Sessions
from au_sys_python_factory.gauntlet.playing import COMES_BACK, play
from au_sys_python_factory.gauntlet.rows import Expectation, Row
from au_sys_python_factory.gauntlet.variables import Variables


class Busy(Sessions):
    """A system that is busy for some requests."""

    left = 0
    asked = 0

    def plain(self) -> httpx.AsyncClient:
        """A client that reaches it."""

        async def answer(_: Request) -> Response:
            self.left, self.asked = self.left - 1, self.asked + 1
            return Response(status_code=503, headers={"retry-after": "0"}) if self.left >= 0 else Response("done")

        app = Starlette(routes=[Route("/", answer)])
        return httpx.AsyncClient(base_url=self.base_url, transport=httpx.ASGITransport(app))


async def played(busy_for: int, *status: int) -> tuple[str, int]:
    """The verdict, and how often it was asked."""
    sessions = Busy("http://busy.test", {})
    sessions.left = busy_for
    row = Row("it is done", "boot", "demo", Path(), "GET", "/", Expectation(status))
    outcome = await play(row, sessions, Variables())
    await sessions.close()
    return outcome.verdict, sessions.asked


async def test_whoever_is_told_to_come_back_comes_back_a_few_times() -> None:
    """Not where a busy system is what is expected, and not for ever."""
    assert await played(2, 200) == ("passed", 3)
    assert await played(COMES_BACK + 1, 200) == ("failed", COMES_BACK + 1)
    assert await played(5, 503) == ("passed", 1)
