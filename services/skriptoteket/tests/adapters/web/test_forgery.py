"""A cookie alone changes nothing: every form and every route that writes wants a proof that the page was ours."""

import re

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

from .test_run import CSV, FORM, PAGE, hidden


@pytest.fixture
def browser(client: AsyncClient) -> AsyncClient:
    """Signed in by a cookie, as a browser is."""
    client.headers.pop("authorization")
    client.cookies.set("session", "anna")
    return client


async def test_a_cookie_alone_submits_nothing(browser: AsyncClient, library: SqlUnitOfWork) -> None:
    """Without the form's token a browser's cookie is no proof."""
    token = hidden((await browser.get(FORM, headers=PAGE)).text, "csrf_token")
    assert (await browser.post(FORM, files=CSV, headers=PAGE)).status_code == 403
    assert (await browser.post(FORM, data={"csrf_token": token}, files=CSV, headers=PAGE)).status_code == 303


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tools/guardian-emails/favourite"),
        ("POST", "/suggestions/new"),
        ("POST", "/admin/taxonomy"),
        ("PUT", "/api/v1/tools/guardian-emails/favourite"),
        ("PATCH", "/api/v1/admin/tools/guardian-emails"),
        ("DELETE", "/api/v1/admin/professions/larare"),
        ("POST", "/api/v1/tools/guardian-emails/runs"),
    ],
)
async def test_a_proof_of_somebody_else_s_is_none(browser: AsyncClient, method: str, path: str) -> None:
    """None, a wrong one, one of another session and one that came from another site are all refused with the code."""
    token = hidden((await browser.get("/suggestions/new", headers=PAGE)).text, "csrf_token")
    cases: list[tuple[dict[str, str], bool]] = [
        ({}, False),
        ({"x-csrf-token": token[:-2] + ("aa" if token[-2:] != "aa" else "bb")}, False),
        ({"x-csrf-token": token, "sec-fetch-site": "cross-site"}, False),
        ({"x-csrf-token": token, "origin": "https://evil.example"}, False),
        ({"x-csrf-token": token, "cookie": "session=bob"}, False),
        ({"x-csrf-token": token}, True),
    ]
    for headers, proved in cases:
        answer = await browser.request(method, path, headers=headers)
        assert (answer.status_code != 403) == proved, (headers, answer.text)
        if not proved and path.startswith("/api"):
            assert answer.json()["code"] == "CSRF_FAILED", headers


async def test_every_form_carries_its_proof(browser: AsyncClient, library: SqlUnitOfWork) -> None:
    """Each form that posts has the token before anything else that a body may hold."""
    for path in (
        FORM,
        "/suggestions/new",
        "/admin/taxonomy",
        "/admin/tools",
        "/admin/nominations",
        "/tools/class-groups",
    ):
        page = (await browser.get(path, headers=PAGE)).text
        content = page[page.index('id="content"') :]
        forms = re.findall(r'<form[^>]*method="post"[^>]*>.*?(<(?:input|select|textarea)[^>]+>)', content, re.DOTALL)
        assert forms, path
        assert [first for first in forms if 'name="csrf_token"' not in first] == [], path
