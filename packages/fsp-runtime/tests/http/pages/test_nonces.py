"""Inline code runs only with the nonce of its own answer, and only an answer that has some says so in its policy."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from fastapi_services_platform import Contribution, Manifest, RouterMount, TemplateFolder, Tier, access, create_app
from fastapi_services_platform.fastapi import Pages, inject
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import Prepared
from fastapi_services_platform.testing.started_app import settings_for

PAGE = """{% extends "frame.html" %}
{% block title %}Inline{% endblock %}
{% block content %}
<h1>Inline</h1>
<script nonce="{{ csp_nonce() }}">document.body.dataset.allowed = "yes"</script>
<script>document.body.dataset.foreign = "yes"</script>
<style nonce="{{ csp_nonce() }}">h1 { color: rgb(1, 2, 3) }</style>
{% endblock %}
"""
router = APIRouter()


@router.get("/inline")
@access(public=True)
async def inline(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    return await pages.render(request, "demo/inline.html")


@router.get("/own")
@access(public=True)
async def own(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    text = await pages.text(request, "demo/inline.html")
    return HTMLResponse(text, headers={"content-security-policy": "default-src 'none'"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    package = folder / "nonce_demo"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Pages of a test."""\n')
    (package / "templates" / "inline.html").write_text(PAGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        demo = Prepared(
            Manifest("demo", "1.0", "Inline"),
            Contribution(
                routers=(RouterMount("ui", router, Tier.UI),), templates=(TemplateFolder("nonce_demo", "templates"),)
            ),
        )
        with serve(create_app(settings_for(Path(folder)), capabilities=[demo])) as url:
            yield url


def policy_of(answer: httpx.Response) -> str:
    return answer.headers["content-security-policy"]


def test_the_policy_names_the_nonce_of_the_page(site: str) -> None:
    """The rest of the policy is that of every answer, and the next answer has another nonce."""
    first, second, plain = (httpx.get(f"{site}{path}") for path in ("/inline", "/inline", "/health/live"))
    nonces = re.findall(r'<script nonce="([^"]+)"', first.text)
    added = f" 'nonce-{nonces[0]}'"
    assert len(nonces[0]) >= 22
    assert policy_of(first).count(added) == 2
    assert policy_of(first).replace(added, "") == policy_of(plain)
    assert nonces[0] not in policy_of(second)
    assert "nonce" not in policy_of(plain)


def test_a_policy_of_the_answers_own_stays(site: str) -> None:
    """Whoever brings a policy says everything in it."""
    assert policy_of(httpx.get(f"{site}/own")) == "default-src 'none'"


@pytest.mark.needs_chromium
def test_a_browser_runs_what_bears_the_nonce_and_nothing_else(site: str) -> None:
    """A script and a style with the nonce work; a script without one does not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{site}/inline")
        found = page.evaluate(
            "[document.body.dataset.allowed, document.body.dataset.foreign ?? null,"
            " getComputedStyle(document.querySelector('h1')).color]"
        )
        browser.close()
    assert found == ["yes", None, "rgb(1, 2, 3)"]
