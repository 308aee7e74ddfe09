"""Each behaviour of the AuthZEN Authorization API 1.0, over HTTP."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import AsyncClient, Response

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Json = Any  # Any: JSON of many shapes
ACCOUNT = {"email": "root@example.org", "password": "correct horse battery staple"}
TOKEN = "a bootstrap token of this test"


@dataclass
class Point:
    """A decision point with two rules about its administrator."""

    client: AsyncClient
    headers: dict[str, str]
    me: str

    async def post(self, path: str, body: Json, **headers: str) -> Response:
        return await self.client.post(f"/access/v1/{path}", json=body, headers={**self.headers, **headers})

    def asked(self, number: str = "1", action: str = "read", **more: Json) -> Json:
        return {
            "subject": {"type": "user", "id": self.me},
            "resource": {"type": "record", "id": number},
            "action": {"name": action},
            **more,
        }


@pytest.fixture
async def point(start: Start) -> AsyncIterator[Point]:
    async with start(bootstrap_token=TOKEN) as client:
        made = await client.post("/auth/register", json={**ACCOUNT, "bootstrap_token": TOKEN})
        assert made.status_code == 201, made.text
        login = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        token = (await client.post("/auth/jwt/login", data=login)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        me = (await client.get("/users/me", headers=headers)).json()["urn"]
        for resource in ("/record/2", "/record/secret/:part"):
            deny = {"subject": me, "resource": resource, "action": "*", "effect": "deny"}
            assert (await client.post("/rbac/policies", json=deny, headers=headers)).status_code == 201
        allow = {"subject": me, "resource": "/record/7", "action": "sign"}
        assert (await client.post("/rbac/policies", json=allow, headers=headers)).status_code == 201
        yield Point(client, headers, me)


async def test_one_evaluation(point: Point) -> None:
    """Allowed and denied; unknown members are ignored; a UUID names a subject too; unknown entities are denied."""
    assert (await point.post("evaluation", point.asked())).json() == {"decision": True}
    assert (await point.post("evaluation", point.asked("2", extra={"x": 1}))).json() == {"decision": False}
    named = point.asked()
    named["subject"]["id"] = point.me.rpartition(":")[2]
    assert (await point.post("evaluation", named)).json()["decision"] is True
    named["subject"]["id"] = "nobody@example.org"
    assert (await point.post("evaluation", named)).json()["decision"] is False
    elsewhere = point.asked("2", context={"domain": "elsewhere"})
    assert (await point.post("evaluation", elsewhere)).json()["decision"] is True


async def test_the_context_explains_and_the_request_id_is_echoed(point: Point) -> None:
    """With ``context.explain`` the proof and the version come along; ``X-Request-ID`` goes back."""
    answer = await point.post("evaluation", point.asked("2", context={"explain": True}), **{"x-request-id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    context = answer.json()["context"]
    assert (context["proof"]["rule"]["effect"], context["reason"]["code"]) == ("deny", "denied-by-rule")
    assert context["version"] > 0


async def test_what_is_missing_or_of_a_wrong_type_is_400(point: Point) -> None:
    """Each member that has to be there is named when it is not."""
    for path in ("evaluation", "evaluations", "search/subject", "search/resource", "search/action"):
        bodies: tuple[Json, ...] = (
            [],
            {},
            {"subject": "x"},
            {**point.asked(), "resource": 1, "action": 1, "subject": 1},
        )
        for body in bodies:
            answer = await point.post(path, body)
            assert (path, body, answer.status_code) == (path, body, 400)
            assert answer.json()["type"].endswith("/malformed-request")
        broken = await point.client.post(
            f"/access/v1/{path}", content=b"{", headers={**point.headers, "content-type": "application/json"}
        )
        assert broken.status_code == 400
    items = {"evaluations": [{}] * 1001, **point.asked()}
    assert (await point.post("evaluations", items)).status_code == 400
    wrong = {"evaluations": [{}], "options": {"evaluations_semantic": "sometimes"}, **point.asked()}
    assert (await point.post("evaluations", wrong)).status_code == 400


async def test_many_evaluations_take_defaults_and_stop_as_told(point: Point) -> None:
    """All, until the first deny, until the first permit; an empty list is one evaluation."""
    items = [{"resource": {"type": "record", "id": number}} for number in ("1", "2", "3")]

    async def decisions(semantic: str | None) -> list[bool]:
        options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
        found = (await point.post("evaluations", {**point.asked(), "evaluations": items, **options})).json()
        return [one["decision"] for one in found["evaluations"]]

    assert await decisions(None) == [True, False, True]
    assert await decisions("execute_all") == [True, False, True]
    assert await decisions("deny_on_first_deny") == [True, False]
    assert await decisions("permit_on_first_permit") == [True]
    assert (await point.post("evaluations", {**point.asked("2"), "evaluations": []})).json() == {"decision": False}
    assert (await point.post("evaluations", point.asked())).json() == {"decision": True}


async def test_search_names_subjects_resources_and_actions(point: Point) -> None:
    """Who may, on what, and what; patterns are marked; pages end with an empty token."""
    who = {**point.asked(), "subject": {"type": "user"}, "page": {"limit": 1}}
    found = (await point.post("search/subject", who)).json()
    assert found == {"results": [{"type": "user", "id": point.me}], "page": {"next_token": ""}}
    denied = {**point.asked("2"), "subject": {"type": "user"}}
    assert (await point.post("search/subject", denied)).json()["results"] == []
    what = {**point.asked(action="sign"), "resource": {"type": "record"}}
    results = (await point.post("search/resource", what)).json()["results"]
    assert {"type": "record", "id": "7"} in results
    assert {"type": "record", "id": "*", "properties": {"pattern": True}} in results
    how = (await point.post("search/action", point.asked("7"))).json()["results"]
    assert {"name": "sign"} in how
    assert (await point.post("search/action", point.asked("2"))).json()["results"] == []
    small = {**point.asked("7"), "page": {"limit": 1}}
    first = (await point.post("search/action", small)).json()
    following = {**small, "page": {"limit": 1, "next_token": first["page"]["next_token"]}}
    assert (await point.post("search/action", following)).json()["results"] != first["results"]


async def test_the_configuration_is_public(point: Point) -> None:
    """Where to ask stands in the open."""
    found = (await point.client.get("/.well-known/authzen-configuration")).json()
    assert found["access_evaluation_endpoint"] == "http://platform.test/access/v1/evaluation"


async def test_who_is_not_signed_in_is_told_how(point: Point) -> None:
    """401 with ``WWW-Authenticate``."""
    answer = await point.client.post("/access/v1/evaluation", json=point.asked())
    assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True)
