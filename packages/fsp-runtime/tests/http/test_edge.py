"""The fused layer: what every request meets before and after its endpoint."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from httpx import AsyncClient
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform import (
    Permission,
    PlatformSettings,
    ProblemMapping,
    RouterMount,
    Service,
    Tier,
    access,
)
from fastapi_services_platform.fastapi import CurrentPrincipal, MaybePrincipal, csrf_token, inject, problem
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for

router = APIRouter()


class TooOld(Exception):
    """A core error of the sample."""


class Counter:
    """A request service that notes when it is closed."""

    closed = 0


async def counter(_scope: object) -> AsyncIterator[Counter]:
    yield Counter()
    Counter.closed += 1


class Note(BaseModel):
    text: str


@router.get("/open")
@access(public=True)
async def open_route(who: MaybePrincipal) -> dict[str, str | None]:
    return {"who": who.urn if who is not None else None}


@router.get("/mine")
@access(authenticated=True)
async def mine(who: CurrentPrincipal, request: Request) -> dict[str, str]:
    return {"who": who.urn, "token": csrf_token(request)}


@router.post("/notes")
@access(permission="demo.note.write")
async def write(note: Note) -> dict[str, str]:
    return {"text": note.text}


@router.post("/form")
@access(authenticated=True)
async def form(request: Request) -> dict[str, object]:
    async with request.form() as data:
        return {"fields": sorted(data)}


@router.get("/forbidden")
@access(permission="demo.note.forbid")
async def forbidden() -> None:
    raise AssertionError("must not run")


@router.get("/boom")
@access(public=True)
async def boom() -> None:
    raise RuntimeError("password=hunter2 at /srv/app.py")


@router.get("/old")
@access(public=True)
async def old() -> None:
    raise TooOld("Version 3 is older than version 4.")


@router.get("/odd")
@access(public=True)
async def odd() -> Response:
    return problem(409, "odd", "Odd", detail="Odd numbers are taken.", numbers=[1, 3])


@router.get("/slow")
@access(public=True)
async def slow() -> None:
    await asyncio.sleep(30)


@router.get("/number/{number:int}")
@access(public=True)
async def number(number: int, counter: Annotated[Counter, inject(Counter)]) -> int:
    return number


@pytest.fixture
def demo(sample: Callable[..., Any]) -> Any:
    return sample(
        routers=(RouterMount("api", router, Tier.API, "/demo"),),
        permissions=(
            Permission("demo.note.write", "Write notes"),
            Permission("demo.note.forbid", "Nobody has this"),
        ),
        services=(Service(Counter, counter, "request"),),
        problems=(ProblemMapping(TooOld, 409, "too-old", "Too old", lambda _: {"newest": 4}),),
    )


@pytest.fixture
async def client(settings: PlatformSettings, demo: Any, identity: Any) -> AsyncIterator[AsyncClient]:
    async with started_app(settings=settings, capabilities=[identity, demo]) as client:
        yield client


async def test_answers_carry_strict_headers_and_an_id(client: AsyncClient) -> None:
    """Every answer has the security headers and a correlation id, an error as well."""
    for path in ("/demo/open", "/nowhere", "/demo/boom"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-correlation-id"]) == 32


async def test_a_harmless_id_of_the_caller_is_kept(client: AsyncClient) -> None:
    """A short id of letters and digits comes back; anything else is replaced."""
    kept = await client.get("/demo/open", headers={"x-correlation-id": "abc-12345678"})
    replaced = await client.get("/demo/open", headers={"x-correlation-id": "<script>alert(1)</script>"})
    assert kept.headers["x-correlation-id"] == "abc-12345678"
    assert "script" not in replaced.headers["x-correlation-id"]


async def test_public_routes_know_who_asks_if_anybody(client: AsyncClient) -> None:
    """Nobody, somebody and somebody with a bad token all get an answer from a public route."""
    said = [
        (await client.get("/demo/open", headers=headers)).json()["who"]
        for headers in ({}, {"authorization": "Bearer ada"}, {"authorization": "Bearer broken"})
    ]
    assert said == [None, "urn:fsp:person:ada", None]


async def test_protected_routes_ask_for_a_caller(client: AsyncClient) -> None:
    """Without a credential 401 with WWW-Authenticate; with a bad one the provider's reason."""
    nobody = await client.get("/demo/mine")
    expired = await client.get("/demo/mine", headers={"authorization": "Bearer broken"})
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (expired.status_code, expired.json()["type"]) == (
        401,
        "http://platform.test/problems/platform/token-expired",
    )


async def test_a_missing_permission_is_a_403_with_its_reason(client: AsyncClient) -> None:
    """The endpoint does not run, and the answer names the permission."""
    answer = await client.get("/demo/forbidden", headers={"authorization": "Bearer ada"})
    assert answer.status_code == 403
    assert answer.json()["permission"] == "demo.note.forbid"


async def test_without_a_provider_everything_but_public_is_closed(settings: PlatformSettings, demo: Any) -> None:
    """No authenticator: 503, never open."""
    async with started_app(settings=settings, capabilities=[demo]) as client:
        assert (await client.get("/demo/open")).status_code == 200
        closed = await client.get("/demo/mine", headers={"authorization": "Bearer ada"})
        assert (closed.status_code, closed.json()["type"].rpartition("/")[2]) == (503, "no-authenticator")


async def test_errors_show_nothing_of_the_inside(client: AsyncClient) -> None:
    """An unexpected error is a 500 problem without text of the error."""
    answer = await client.get("/demo/boom")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]


async def test_core_errors_become_their_problem(client: AsyncClient) -> None:
    """A mapped error gives its status, type and extras."""
    answer = await client.get("/demo/old")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "http://platform.test/problems/demo/too-old",
        "title": "Too old",
        "status": 409,
        "detail": "Version 3 is older than version 4.",
        "newest": 4,
        "correlation_id": answer.headers["x-correlation-id"],
    }


async def test_a_capability_gives_codes_to_the_platforms_problems(
    settings: PlatformSettings, sample: Callable[..., Any], identity: Any
) -> None:
    """By slug or by status, on its own routes only; a body that is no JSON, or of another kind, is told apart there."""
    codes: dict[str | int, str] = {"authentication-required": "WHO", 405: "HOW", 400: "UNREAD", 415: "KIND", 422: "ODD"}
    capability = sample(
        routers=(
            RouterMount("coded", router, Tier.API, "/coded", problem_codes=codes),
            RouterMount("plain", router, Tier.API, "/plain"),
        ),
        permissions=(Permission("demo.note.write", "Write notes"), Permission("demo.note.forbid", "Nobody has this")),
        services=(Service(Counter, counter, "request"),),
    )
    bearer = {"authorization": "Bearer ada"}
    async with started_app(settings=settings, capabilities=[identity, capability]) as client:
        told = [
            await client.get("/coded/mine"),
            await client.put("/coded/open"),
            await client.post("/coded/notes", content=b"{", headers={**bearer, "content-type": "application/json"}),
            await client.post("/coded/notes", content=b"x", headers={**bearer, "content-type": "text/plain"}),
            await client.post("/coded/notes", json={}, headers=bearer),
        ]
        plain = await client.put("/plain/open")
    assert [each.json().get("code") for each in told] == ["WHO", "HOW", "UNREAD", "KIND", "ODD"]
    assert "code" not in plain.json()


async def test_an_endpoint_may_answer_with_a_problem(client: AsyncClient) -> None:
    """problem() is a response with its extras."""
    assert (await client.get("/demo/odd")).json()["numbers"] == [1, 3]


async def test_wrong_input_names_the_field(client: AsyncClient) -> None:
    """A body that does not fit is a 422 problem naming field and rule."""
    answer = await client.post("/demo/notes", json={"txt": "x"}, headers={"authorization": "Bearer ada"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "body.text", "rule": "missing", "message": "Field required"}]


async def test_request_services_are_closed_after_the_answer(client: AsyncClient) -> None:
    """An async generator service is finished once per request."""
    before = Counter.closed
    await client.get("/demo/number/7")
    assert before + 1 == Counter.closed


async def test_a_request_that_takes_too_long_is_given_up(tmp_path: Any, demo: Any, identity: Any) -> None:
    """The time limit answers 504."""
    settings = settings_for(tmp_path, request_timeout=0.05)
    async with started_app(settings=settings, capabilities=[identity, demo]) as client:
        assert (await client.get("/demo/slow")).status_code == 504


class TestForgery:
    """Changes with a cookie need proof that our own page sent them."""

    cookie = {"cookie": "session=ada"}  # noqa: RUF012 - read only

    async def token(self, client: AsyncClient) -> str:
        return str((await client.get("/demo/mine", headers=self.cookie)).json()["token"])

    async def test_without_a_token_a_change_is_refused(self, client: AsyncClient) -> None:
        """A cookie alone changes nothing."""
        answer = await client.post("/demo/notes", json={"text": "x"}, headers=self.cookie)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "csrf-token")

    async def test_the_header_token_is_accepted(self, client: AsyncClient) -> None:
        """A token of the session in X-CSRF-Token lets the change through."""
        headers = {**self.cookie, "x-csrf-token": await self.token(client)}
        assert (await client.post("/demo/notes", json={"text": "x"}, headers=headers)).json() == {"text": "x"}

    async def test_the_token_of_another_session_is_refused(self, client: AsyncClient) -> None:
        """Tokens are bound to their session."""
        headers = {"cookie": "session=eve", "x-csrf-token": await self.token(client)}
        assert (await client.post("/demo/notes", json={"text": "x"}, headers=headers)).status_code == 403

    async def test_the_first_form_field_is_accepted_and_still_there(self, client: AsyncClient) -> None:
        """A form may carry the token; the endpoint reads the whole form afterwards."""
        data = {"csrf_token": await self.token(client), "colour": "green"}
        plain = await client.post("/demo/form", data=data, headers=self.cookie)
        multipart = await client.post("/demo/form", data=data, files={"file": b"x" * 100_000}, headers=self.cookie)
        assert plain.json() == {"fields": ["colour", "csrf_token"]}
        assert multipart.json() == {"fields": ["colour", "csrf_token", "file"]}

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://platform.test.evil.example", "sec-fetch-site": "same-origin"},
        ],
    )
    async def test_changes_from_other_sites_are_refused(self, client: AsyncClient, headers: dict[str, str]) -> None:
        """Even with a fitting token, another site's page changes nothing."""
        sent = {**self.cookie, **headers, "x-csrf-token": await self.token(client)}
        answer = await client.post("/demo/notes", json={"text": "x"}, headers=sent)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "cross-site")

    async def test_bearer_needs_no_token(self, client: AsyncClient) -> None:
        """A credential that no browser attaches by itself is proof enough."""
        answer = await client.post("/demo/notes", json={"text": "x"}, headers={"authorization": "Bearer ada"})
        assert answer.status_code == 200


async def test_browsers_are_sent_to_the_entry_page(
    settings: PlatformSettings, demo: Any, identity: Any, sample: Any
) -> None:
    """A page asked for without a session leads to the sign-in page and back."""
    entry = sample("entry", entry_page="/login")
    async with started_app(settings=settings, capabilities=[identity, demo, entry]) as client:
        answer = await client.get("/demo/mine?a=1", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/demo/mine%3Fa%3D1")
