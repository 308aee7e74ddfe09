"""Rules, questions and AuthZEN over HTTP, as an administrator, as somebody with less, and as nobody."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import AsyncClient

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Json = Any  # Any: JSON of many shapes
PASSWORD = "correct horse battery staple"
TOKEN = "a bootstrap token of this test"


@dataclass
class House:
    """A platform with an administrator and two people."""

    client: AsyncClient
    root: dict[str, str]
    ann: dict[str, str]
    ann_urn: str
    bob_urn: str

    async def ask(self, method: str, path: str, who: dict[str, str] | None = None, **more: Json) -> Json:
        answer = await self.client.request(method, path, headers=self.root if who is None else who, **more)
        return answer.status_code, (answer.json() if "json" in answer.headers.get("content-type", "") else answer.text)

    async def may(self, urn: str, resource: str, action: str = "read", **more: Json) -> bool:
        body = {"subject": urn, "resource": resource, "action": action, **more}
        status, found = await self.ask("POST", "/rbac/check", json=body)
        assert status == 200, found
        return bool(found["allowed"])


@pytest.fixture
async def house(start: Start) -> AsyncIterator[House]:
    async with start(bootstrap_token=TOKEN) as client:
        root, _ = await _person(client, "root", bootstrap_token=TOKEN)
        ann, ann_urn = await _person(client, "ann")
        _, bob_urn = await _person(client, "bob")
        yield House(client, root, ann, ann_urn, bob_urn)


async def _person(client: AsyncClient, name: str, **more: str) -> tuple[dict[str, str], str]:
    account = {"email": f"{name}@example.org", "password": PASSWORD}
    made = await client.post("/auth/register", json={**account, **more})
    assert made.status_code in (201, 202), made.text
    login = {"username": account["email"], "password": PASSWORD}
    token = (await client.post("/auth/jwt/login", data=login)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    return headers, (await client.get("/users/me", headers=headers)).json()["urn"]


async def test_a_rule_lives_from_its_making_to_its_removal(house: House) -> None:
    """Made once, found again, listed, effective at once, removed by id, and then without effect."""
    rule = {"subject": house.ann_urn, "resource": "/papers/:id", "action": "read|sign"}
    assert not await house.may(house.ann_urn, "/papers/1")
    status, made = await house.ask("POST", "/rbac/policies", json=rule)
    assert (status, made["domain"], made["effect"]) == (201, "default", "allow")
    assert (await house.ask("POST", "/rbac/policies", json=rule))[0] == 200
    assert await house.may(house.ann_urn, "/papers/1", "sign")
    assert not await house.may(house.ann_urn, "/papers/1/more")
    _, listed = await house.ask("GET", "/rbac/policies", params={"subject": house.ann_urn})
    assert [one["id"] for one in listed["items"]] == [made["id"]]
    assert (await house.ask("DELETE", "/rbac/policies", params={"id": made["id"]}))[0] == 204
    assert (await house.ask("DELETE", "/rbac/policies", params={"id": made["id"]}))[0] == 404
    assert not await house.may(house.ann_urn, "/papers/1")


async def test_a_decision_waits_for_its_version_and_explains_itself(house: House) -> None:
    """The version that a change made can be asked for; the proof names the way; too new a version is 503."""
    body = {"policies": [{"subject": "role:helpdesk", "resource": "/desk/*", "action": "*"}], "assignments": []}
    body["assignments"] = [{"subject": house.ann_urn, "role": "helpdesk"}]
    status, done = await house.ask("POST", "/rbac/policies/bulk", json=body)
    assert (status, done["added"], done["existing"]) == (200, 2, 0)
    question = {"subject": house.ann_urn, "resource": "/desk/1", "action": "open", "explain": True}
    _, found = await house.ask("POST", "/rbac/check", json={**question, "at_least_version": done["version"]})
    assert found["allowed"]
    assert found["version"] >= done["version"]
    chain = [{"subject": house.ann_urn, "role": "role:helpdesk", "domain": "default"}]
    assert (found["proof"]["chain"], found["proof"]["rule"]["resource"]) == (chain, "/desk/*")
    status, behind = await house.ask("POST", "/rbac/check", json={**question, "at_least_version": 10**9})
    assert (status, behind["type"].rpartition("/")[2]) == (503, "policy-behind")
    _, why = await house.ask("GET", "/rbac/explain", params={"decision_id": found["decision_id"]})
    assert why["proof"] == found["proof"]
    _, denied = await house.ask("GET", "/rbac/explain", params={"subject": house.bob_urn, **_asked("/desk/1", "open")})
    assert denied["proof"]["nearest"][:1] == ["with role:helpdesk"]


def _asked(resource: str, action: str) -> dict[str, str]:
    return {"resource": resource, "action": action}


async def test_everybody_may_ask_about_themselves_and_only_some_about_others(house: House) -> None:
    """A question about oneself needs no permission; about others it is 404 without one; nobody gets 401."""
    own = {"resource": "/identity/users/", "action": "read"}
    status, found = await house.ask("POST", "/rbac/check", house.ann, json=own)
    assert (status, found["allowed"], found["reason"]["code"]) == (200, False, "no-rule")
    for path, method in (("/rbac/check", "POST"), ("/rbac/explain", "GET")):
        about = {**own, "subject": house.bob_urn}
        more: Json = {"json": about} if method == "POST" else {"params": about}
        assert (await house.ask(method, path, house.ann, **more))[0] == 404
        assert (await house.client.request(method, path, **more)).status_code == 401
    assert not await house.may("urn:au:user:00000000-0000-7000-8000-000000000000", "/identity/users/")


GUARDED: tuple[tuple[str, str, Json], ...] = (
    ("POST", "/rbac/policies", {"subject": "*", "resource": "/a", "action": "read"}),
    ("DELETE", "/rbac/policies", None),
    ("POST", "/rbac/policies/bulk", {}),
    ("GET", "/rbac/policies", None),
    ("POST", "/rbac/check:batch", {"questions": [{"resource": "/a", "action": "read"}]}),
    ("POST", "/rbac/preview", {}),
    ("POST", "/rbac/prove", {"never": {"kind": "agent", "resource": "/a"}}),
    ("GET", "/rbac/export", None),
    ("POST", "/rbac/import", None),
    ("POST", "/rbac/management/reload", None),
    ("POST", "/rbac/management/reset", {"confirm": "reset"}),
    ("GET", "/rbac/roles/helpdesk/members", None),
    ("POST", "/access/v1/evaluation", {}),
    ("POST", "/access/v1/evaluations", {}),
    ("POST", "/access/v1/search/subject", {}),
    ("POST", "/access/v1/search/resource", {}),
    ("POST", "/access/v1/search/action", {}),
)


async def test_who_lacks_the_permission_is_refused(house: House) -> None:
    """At every guarded route an ordinary person gets 403, nobody gets 401 with how to sign in."""
    for method, path, body in GUARDED:
        assert (path, (await house.ask(method, path, house.ann, json=body))[0]) == (path, 403)
        nobody = await house.client.request(method, path, json=body)
        assert (path, nobody.status_code, "www-authenticate" in nobody.headers) == (path, 401, True)


async def test_patterns_outside_the_dialect_are_refused_with_their_place(house: House) -> None:
    """422 names the field, and nothing is stored."""
    for field, text in (
        ("resource", "/a/*/b"),
        ("resource", "/a*"),
        ("action", "(a|b)"),
        ("subject", "bad\nname"),
        ("domain", "no*"),
    ):
        rule = {"subject": house.ann_urn, "resource": "/a", "action": "read", field: text}
        status, problem = await house.ask("POST", "/rbac/policies", json=rule)
        assert (status, problem["errors"][0]["field"]) == (422, field)
    assert (await house.ask("GET", "/rbac/policies"))[1]["items"] == []


async def test_subjects_roles_and_domains_of_rules_must_exist(house: House) -> None:
    """A rule about nobody, about no role or in no organization is refused."""
    known = {"subject": house.ann_urn, "resource": "/a", "action": "read"}
    for wrong in ({"subject": "role:nowhere"}, {"subject": "urn:au:user:1"}, {"domain": "nowhere"}):
        status, problem = await house.ask("POST", "/rbac/policies", json={**known, **wrong})
        assert (status, problem["type"].rpartition("/")[2]) == (422, "invalid-input"), wrong


async def test_many_are_changed_together_or_not_at_all(house: House) -> None:
    """One bad item stops all; a dry run tells and changes nothing; removing takes what was added."""
    rules = [{"subject": house.ann_urn, "resource": f"/many/{n}", "action": "read"} for n in range(20)]
    status, problem = await house.ask(
        "POST", "/rbac/policies/bulk", json={"policies": [*rules, {**rules[0], "resource": "*x"}]}
    )
    assert (status, problem["errors"][0]["item"]) == (422, 20)
    status, told = await house.ask("POST", "/rbac/policies/bulk", json={"policies": rules, "dry_run": True})
    assert (status, told["added"], told["dry_run"]) == (200, 20, True)
    assert not await house.may(house.ann_urn, "/many/3")
    await house.ask("POST", "/rbac/policies/bulk", json={"policies": rules})
    assert await house.may(house.ann_urn, "/many/3")
    again = (await house.ask("POST", "/rbac/policies/bulk", json={"policies": rules}))[1]
    assert (again["added"], again["existing"]) == (0, 20)
    gone = (await house.ask("POST", "/rbac/policies/bulk", json={"policies": rules, "mode": "remove"}))[1]
    assert gone["removed"] == 20
    asked = [{"subject": house.ann_urn, "resource": "/many/1", "action": "read"}, _asked("/x", "y")]
    status, answers = await house.ask("POST", "/rbac/check:batch", json={"questions": asked})
    assert (status, answers["allowed"]) == (200, [False, True])


async def test_nobody_gives_or_takes_more_than_they_hold(house: House) -> None:
    """Whoever may write rules gives what she holds in that domain, and not beyond."""
    own = [{"subject": house.ann_urn, "resource": place, "action": "*"} for place in ("/own/*", "/identity/policies/*")]
    await house.ask("POST", "/rbac/policies/bulk", json={"policies": own})
    rule = {"subject": house.bob_urn, "resource": "/own/thing", "action": "read"}
    assert (await house.ask("POST", "/rbac/policies", house.ann, json=rule))[0] == 201
    for wider in ({"resource": "/other"}, {"resource": "*"}, {"domain": "*"}, {"effect": "deny", "resource": "/x/*"}):
        status, problem = await house.ask("POST", "/rbac/policies", house.ann, json={**rule, **wider})
        assert (status, problem["type"].rpartition("/")[2]) == (403, "exceeds-own-rights"), wider
    bulk = {"assignments": [{"subject": house.ann_urn, "role": "platform-admin", "domain": "*"}]}
    status, problem = await house.ask("POST", "/rbac/policies/bulk", house.ann, json=bulk)
    assert (status, problem["type"].rpartition("/")[2]) == (403, "exceeds-own-rights")


async def test_the_last_administrator_cannot_be_shut_out(house: House) -> None:
    """A deny rule over everybody, over the role or over the only holder, and taking the role in bulk, are refused."""
    root = (await house.ask("GET", "/users/me"))[1]["urn"]
    for subject in ("*", "role:platform-admin", root):
        deny = {"subject": subject, "domain": "*", "resource": "/identity/*", "action": "*", "effect": "deny"}
        status, problem = await house.ask("POST", "/rbac/policies", json=deny)
        assert (status, problem["type"].rpartition("/")[2]) == (409, "last-admin"), subject
    taken = {"assignments": [{"subject": root, "role": "platform-admin", "domain": "*"}], "mode": "remove"}
    assert (await house.ask("POST", "/rbac/policies/bulk", json=taken))[0] == 409
    assert (await house.ask("GET", "/rbac/policies"))[0] == 200


async def test_a_role_is_given_to_a_role_and_never_to_itself(house: House) -> None:
    """What the inner role gives reaches the holder, the way is told, and a cycle is refused with its path."""
    for name in ("inner", "outer"):
        await house.ask("POST", "/rbac/roles", json={"name": name, "permissions": ["identity.users.read"]})
    assert (await house.ask("POST", "/rbac/users/role:outer/roles", json={"role": "inner"}))[0] == 201
    assert (await house.ask("POST", f"/rbac/users/{house.ann_urn}/roles", json={"role": "outer"}))[0] == 201
    _, held = await house.ask("GET", f"/rbac/users/{house.ann_urn}/roles/implicit", house.ann)
    assert {"role": "inner", "domain": "default", "via": ["role:outer"]} in held["roles"]
    _, given = await house.ask("GET", f"/rbac/users/{house.ann_urn}/permissions")
    assert ["role:outer", "role:inner"] in [one["via"] for one in given["permissions"]]
    for holder, role in (("inner", "outer"), ("inner", "inner")):
        status, problem = await house.ask("POST", f"/rbac/users/role:{holder}/roles", json={"role": role})
        assert (status, problem["type"].rpartition("/")[2]) == (409, "role-cycle")
    assert len((await house.ask("GET", "/rbac/roles/outer/members"))[1]["items"]) == 1
    assert (await house.ask("GET", "/rbac/roles/nowhere/members"))[0] == 404
    assert (await house.ask("GET", f"/rbac/users/{house.bob_urn}/permissions", house.ann))[0] == 404


async def test_a_preview_tells_who_gains_and_loses(house: House) -> None:
    """The members of a role are named before the rule is made."""
    await house.ask("POST", f"/rbac/users/{house.ann_urn}/roles", json={"role": "helpdesk"})
    rule = {"subject": "role:helpdesk", "resource": "/desk/*", "action": "open"}
    status, told = await house.ask("POST", "/rbac/preview", json={"add": [rule]})
    gains = {(one["subject"], one["resource"]) for one in told["gains"]}
    assert (status, told["complete"], told["losses"]) == (200, True, [])
    assert (house.ann_urn, "/desk/*") in gains
    assert not await house.may(house.ann_urn, "/desk/1", "open")
    leaving = {"subject": house.ann_urn, "role": "helpdesk"}
    _, told = await house.ask("POST", "/rbac/preview", json={"remove": [leaving]})
    assert {one["subject"] for one in told["losses"]} == {house.ann_urn}


async def test_an_invariant_holds_or_a_case_is_shown(house: House) -> None:
    """No person without the role reaches the management of rules; give it to one, and that one is shown."""
    await house.ask("POST", "/rbac/roles", json={"name": "ops", "permissions": ["identity.policies.manage"]})
    never = {"role": "ops", "resource": "/rbac/management/*"}
    _, found = await house.ask("POST", "/rbac/prove", json={"never": never})
    assert (found["holds"], found["counterexample"]) == (True, None)
    await house.ask("POST", "/rbac/policies", json={"subject": "role:ops", "resource": "/rbac/:x/*", "action": "reset"})
    _, found = await house.ask("POST", "/rbac/prove", json={"never": never})
    assert (found["holds"], found["counterexample"]["action"]) == (False, "reset")
    assert (await house.ask("POST", "/rbac/prove", json={"never": {"resource": "/a"}}))[0] == 422
    _, found = await house.ask("POST", "/rbac/prove", json={"never": {"kind": "agent", "resource": "*"}})
    assert found["holds"]


async def test_rules_go_out_and_come_in_as_casbin_text(house: House) -> None:
    """An import is a dry run unless told otherwise, all or nothing, and tells each refused line."""
    text = f"p, {house.ann_urn}, default, /csv/:id, read, allow\ng, {house.bob_urn}, role:helpdesk, default\n"
    csv = {**house.root, "content-type": "text/csv"}

    async def send(content: str, **params: str) -> tuple[int, Json]:
        answer = await house.client.post("/rbac/import", content=content, params=params, headers=csv)
        return answer.status_code, answer.json()

    assert (await send(text))[1]["dry_run"] is True
    assert not await house.may(house.ann_urn, "/csv/1")
    status, refused = await send(text + "p, x, default, /a*b, read\n", dry_run="false")
    assert (status, refused["dry_run"], [one["line"] for one in refused["refused"]]) == (200, True, [3])
    status, done = await send(text, dry_run="false")
    assert (status, done["added"], done["refused"]) == (200, 2, [])
    assert await house.may(house.ann_urn, "/csv/1")
    exported = (await house.ask("GET", "/rbac/export"))[1]
    assert f"p,{house.ann_urn},default,/csv/:id,read,allow" in exported.splitlines()
    status, done = await send(exported, mode="replace", dry_run="false")
    assert (status, done["added"], done["removed"]) == (200, 0, 0)
    wrong = await house.client.post("/rbac/import", content=text, headers={**house.root, "content-type": "text/plain"})
    assert wrong.status_code == 415
    assert (await send("\udcff".encode("utf-8", "surrogateescape").decode("latin-1")))[0] == 200


async def test_reload_and_reset(house: House) -> None:
    """A reload changes nothing; a reset leaves what was shipped, and the administrator stays one."""
    await house.ask("POST", "/rbac/policies", json={"subject": house.ann_urn, "resource": "/a", "action": "read"})
    status, told = await house.ask("POST", "/rbac/management/reload")
    assert (status, told["policies"] > 10, told["milliseconds"] >= 0) == (200, True, True)
    assert await house.may(house.ann_urn, "/a")
    assert (await house.ask("POST", "/rbac/management/reset", json={"confirm": "yes"}))[0] == 422
    assert (await house.ask("POST", "/rbac/management/reset", json={"confirm": "reset"}))[0] == 200
    assert not await house.may(house.ann_urn, "/a")
    assert (await house.ask("GET", "/rbac/policies"))[1]["items"] == []


async def test_a_withdrawn_right_is_gone_from_the_next_request_on(house: House) -> None:
    """The permission check of every request asks the same engine."""
    assert (await house.ask("GET", "/users", house.ann))[0] == 403
    rule = {"subject": house.ann_urn, "resource": "/identity/users/*", "action": "read"}
    await house.ask("POST", "/rbac/policies", json=rule)
    assert (await house.ask("GET", "/users", house.ann))[0] == 200
    deny = {**rule, "effect": "deny", "subject": "*"}
    assert (await house.ask("POST", "/rbac/policies", json=deny))[0] == 201
    assert (await house.ask("GET", "/users", house.ann))[0] == 403
