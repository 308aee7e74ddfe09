"""Pages are visited as people find them, by links, and each file that they name is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from au_sys_python_factory.gauntlet.pages import visit
from au_sys_python_factory.gauntlet.people import Account, Sessions

PAGES = {
    "/": '<a href="/one#part"></a><a href="/one?page=2"></a><a href="https://elsewhere.example/"></a>'
    '<a href="/logout"></a><a href="/report" download></a><script src="/static/there.js"></script>',
    "/one": '<a href="/"></a><a href="/two"></a><script src="/static/missing.js"></script>',
    "/two": '<link href="/static/there.js" rel="preload">',
    "/login": '<input name="csrf_token" value="x">',
    "/account": "",
}


class House(Sessions):
    """People of an application in this process."""

    def plain(self) -> httpx.AsyncClient:
        """A client that reaches it."""

        async def page(request: Request) -> Response:
            if request.method == "POST":
                return RedirectResponse("/account", 303)
            return HTMLResponse(PAGES[request.url.path])

        async def script(_: Request) -> Response:
            return Response("x", media_type="text/javascript")

        routes = [Route(path, page, methods=["GET", "POST"]) for path in PAGES]
        app = Starlette(routes=[*routes, Route("/static/there.js", script)])
        return httpx.AsyncClient(base_url=self.base_url, transport=httpx.ASGITransport(app))


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """Somebody who can sign in there."""
    house = House("http://house.test", {"admin": Account("a@example.org", "x")})
    yield house
    await house.close()


async def test_every_page_and_file_is_asked_for_once(sessions: Sessions) -> None:
    """Other houses, signing out, downloads and other views of a page are left alone; what is missing is named."""
    outcomes = await visit(sessions, Path())
    assert [(item.path, item.verdict) for item in outcomes] == [
        ("/", "passed"),
        ("/static/there.js", "passed"),
        ("/one", "passed"),
        ("/static/missing.js", "failed"),
        ("/two", "passed"),
    ]
    assert outcomes[3].reasons == ("status is 404, expected 200",)
    assert {item.row.stage for item in outcomes} == {"boot"}


async def test_without_a_front_page_nothing_is_visited(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform of interfaces only has no pages."""
    monkeypatch.delitem(PAGES, "/")
    assert await visit(sessions, Path()) == []
