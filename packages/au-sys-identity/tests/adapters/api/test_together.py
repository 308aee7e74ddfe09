"""Agents, providers, groups, edges, custody and organizations over HTTP."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.conformance.people import Together, slug
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

ADMIN = "a very different sentence"
SURFACE = Path(__file__).with_name("surface.txt")
UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
async def world(client: AsyncClient, tmp_path: Path) -> Together:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org"), ADMIN)
    together = Together(client, {})
    together.admin = await together.signed_in("admin@example.org", ADMIN)
    return together


async def test_a_human_who_is_disabled_stops_an_agent_two_levels_down(world: Together) -> None:
    """Also with a key that was made before; the parent and the machine between them as well; enabled, they go on."""
    ann, _header = await world.person("ann")
    provider = await world.provider()
    top = await world.agent(ann, provider, name="Top")
    admin = str((await world.api.get("/users/me", headers=world.admin)).json()["urn"])
    middle = await world.agent(admin, provider, parent=top, name="Middle")
    low = await world.agent(admin, provider, parent=middle, name="Low")
    for machine in (middle, low):
        gone = await world.api.request(
            "DELETE", "/iam/graph/link", headers=world.admin,
            json={"source": admin, "relation": "owner_of", "target": machine},
        )  # fmt: skip
        assert gone.status_code == 204, gone.text
    for parent in (top, middle):  # a child holds no more than what made it
        await world.made(f"/rbac/users/{parent}/roles", {"role": "helpdesk"})
    key = await world.key(low)
    assert await world.acts(key) == "200"
    custody = (await world.api.get(f"/iam/custody/{low}", headers=world.admin)).json()
    assert ([one["urn"] for one in custody["custodians"]], len(custody["chain"])) == ([ann], 3)
    await world.api.patch(f"/users/{ann}", headers=world.admin, json={"is_active": False})
    assert await world.acts(key) == "no-custodian"
    assert (await world.api.get(f"/iam/custody/{low}", headers=world.admin)).json()["living"] is False
    await world.api.patch(f"/users/{ann}", headers=world.admin, json={"is_active": True})
    assert await world.acts(key) == "200"
    await world.api.patch(f"/iam/ai-agents/{top}", headers=world.admin, json={"status": "disabled"})
    assert await world.acts(key) == "no-custodian"
    await world.api.patch(f"/iam/ai-agents/{top}", headers=world.admin, json={"status": "active"})
    await world.api.patch(f"/iam/ai-providers/{provider}", headers=world.admin, json={"status": "disabled"})
    assert await world.acts(key) == "no-custodian"


async def test_every_call_of_an_orphan_is_refused(world: Together) -> None:
    """Whatever it asks of the whole surface, a machine that nobody answers for gets the same 403."""
    ann, _header = await world.person("ann")
    agent = await world.agent(ann, await world.provider())
    key = await world.key(agent)
    await world.api.patch(f"/users/{ann}", headers=world.admin, json={"is_active": False})
    lines = [line.split() for line in SURFACE.read_text().splitlines() if line and line[0].isupper()]
    closed = [
        (method, path) for method, path, needs, *_marks in lines if needs != "public" and "/.well-known/" not in path
    ]
    answers = {}
    for method, path in closed:
        filled = re.sub(r"{[^}]+}", UNKNOWN, path)
        answers[f"{method} {path}"] = slug(await world.api.request(method, filled, headers=key))
    assert len(answers) > 100
    assert {operation: found for operation, found in answers.items() if found != "no-custodian"} == {}


async def test_the_kill_switch_shows_what_it_does(world: Together) -> None:
    """The preview names what stops and what lives on; the act does that; resume undoes it; transfer hands over."""
    ann, as_ann = await world.person("ann")
    bob, as_bob = await world.person("bob")
    provider = await world.provider()
    alone, shared = await world.agent(ann, provider, name="Alone"), await world.agent(ann, provider, name="Shared")
    assert (await world.link(bob, "owner_of", shared)).status_code == 201
    key = await world.key(alone)
    path = f"/iam/custody/{ann}"
    assert slug(await world.api.post(f"{path}/stop", headers=as_bob, json={})) == "not-found"
    shown = (await world.api.post(f"{path}/stop", headers=as_ann, json={"preview": True})).json()
    assert [one["urn"] for one in shown["stops"]] == [alone]
    assert [one["subject"]["urn"] for one in shown["lives_on"]] == [shared]
    assert await world.acts(key) == "200"
    done = (await world.api.post(f"{path}/stop", headers=as_ann, json={"reason": "leaked"})).json()
    assert done["stops"] == [{**shown["stops"][0], "status": "active"}]
    assert await world.acts(key) == "not-authenticated"
    everything = await world.api.post(f"{path}/stop", headers=world.admin, json={"everything": True, "preview": True})
    assert [one["urn"] for one in everything.json()["stops"]] == [shared]
    resumed = (await world.api.post(f"{path}/resume", headers=as_ann, json={})).json()
    assert ([one["urn"] for one in resumed["resumes"]], await world.acts(key)) == ([alone], "200")
    wrong = await world.api.post(f"{path}/transfer", headers=as_ann, json={"to": ann})
    assert slug(wrong) == "invalid-input"
    handed = await world.api.post(f"{path}/transfer", headers=as_ann, json={"to": bob, "reason": "leaves"})
    assert sorted(one["urn"] for one in handed.json()["machines"]) == sorted([alone, shared])
    custody = (await world.api.get(f"/iam/custody/{alone}", headers=as_bob)).json()
    assert [one["urn"] for one in custody["custodians"]] == [bob]
    assert slug(await world.api.get(f"/iam/custody/{alone}", headers=as_ann)) == "not-found"


async def test_the_last_custodian_stays_until_the_machine_stops(world: Together) -> None:
    """The edge is refused while the machine is active, and goes once it is disabled; a machine changes nothing here."""
    ann, as_ann = await world.person("ann")
    agent = await world.agent(ann, await world.provider())
    edge = {"source": ann, "relation": "owner_of", "target": agent}
    refused = await world.api.request("DELETE", "/iam/graph/link", headers=as_ann, json=edge)
    assert (slug(refused), refused.json()["machines"]) == ("last-custodian", [agent])
    key = await world.key(agent)
    for path, body in (("stop", {}), ("resume", {}), ("transfer", {"to": ann})):
        answer = await world.api.post(f"/iam/custody/{agent}/{path}", headers=key, json=body)
        assert slug(answer) == "human-only"
    assert slug(await world.api.post("/iam/graph/link", headers=key, json=edge)) == "human-only"
    await world.api.patch(f"/iam/ai-agents/{agent}", headers=as_ann, json={"status": "disabled"})
    gone = await world.api.delete("/iam/graph/link", headers=as_ann, params=edge)
    assert gone.status_code == 204


async def test_deletion_with_dependents(world: Together) -> None:
    """A parent with children, a provider with agents, a group with members stay; people go, with an heir."""
    ann, _header = await world.person("ann")
    bob, as_bob = await world.person("bob")
    provider = await world.provider()
    parent = await world.agent(ann, provider, name="Parent")
    child = await world.agent(ann, provider, parent=parent, name="Child")
    group = await world.group("Shift")
    assert (await world.link(ann, "member_of", group)).status_code == 201
    for path in (f"/iam/ai-agents/{parent}", f"/iam/ai-providers/{provider}", f"/iam/groups/{group}"):
        answer = await world.api.delete(path, headers=world.admin)
        assert (slug(answer), len(answer.json()["dependents"]) > 0) == ("has-dependents", True), path
    refused = await world.api.delete(f"/users/{ann}", headers=world.admin)
    assert (slug(refused), set(refused.json()["dependents"])) == ("has-dependents", {parent, child})
    assert (await world.api.delete(f"/users/{ann}", headers=world.admin, params={"successor": bob})).status_code == 204
    custody = (await world.api.get(f"/iam/custody/{child}", headers=as_bob)).json()
    assert ([one["urn"] for one in custody["custodians"]], custody["living"]) == ([bob], True)
    assert (await world.api.delete(f"/iam/groups/{group}", headers=world.admin)).status_code == 204


async def test_edges_are_asked_for_over_http(world: Together) -> None:
    """Made once, refused in a circle with its path; memberships, dependents and neighbourhood tell of them."""
    ann, as_ann = await world.person("ann")
    inner, outer = await world.group("Inner"), await world.group("Outer")
    assert (await world.link(ann, "member_of", inner)).status_code == 201
    assert (await world.link(ann, "member_of", inner)).status_code == 200
    assert (await world.link(inner, "member_of", outer)).status_code == 201
    circle = await world.link(outer, "member_of", inner)
    assert (slug(circle), circle.json()["path"]) == ("cycle", [inner, outer, inner])
    assert slug(await world.link(ann, "member_of", ann)) == "relation-not-allowed"
    assert slug(await world.link(ann, "child_of", inner)) == "relation-not-allowed"
    assert slug(await world.link(ann, "member_of", f"urn:au:group:{UNKNOWN}")) == "not-found"
    assert slug(await world.link(ann, "likes", inner)) == "invalid-request"
    mine = (await world.api.get(f"/iam/graph/{ann}/memberships", headers=as_ann)).json()["items"]
    assert [(one["group"]["urn"], one["depth"]) for one in mine] == [(inner, 1), (outer, 2)]
    direct = await world.api.get(f"/iam/graph/{ann}/memberships", headers=as_ann, params={"transitive": "false"})
    assert len(direct.json()["items"]) == 1
    around = (await world.api.get(f"/iam/graph/{inner}/neighbourhood", headers=world.admin)).json()
    assert {(edge["source"], edge["target"]) for edge in around["edges"]} >= {(ann, inner), (inner, outer)}
    members = (await world.api.get(f"/iam/groups/{outer}/members?transitive=true", headers=world.admin)).json()["items"]
    assert [one["subject"]["urn"] for one in members] == [inner, ann]
    place = f"/iam/graph/{outer}/dependents?limit=1"
    first = (await world.api.get(place, headers=world.admin)).json()
    second = (await world.api.get(f"{place}&cursor={first['next_cursor']}", headers=world.admin)).json()
    assert [len(page["items"]) for page in (first, second)] == [1, 1]
    assert first["items"] != second["items"]
    eve, as_eve = await world.person("eve")
    for path in (f"/iam/graph/{ann}/memberships", f"/iam/graph/{ann}/dependents", f"/iam/custody/{ann}"):
        assert slug(await world.api.get(path, headers=as_eve)) == "not-found"
    assert slug(await world.link(eve, "member_of", inner, as_eve)) in ("not-found", "denied")
    assert (await world.api.get(f"/iam/graph/{ann}/neighbourhood", headers=as_eve)).status_code == 403


async def test_a_groups_role_reaches_its_members(world: Together) -> None:
    """Through another group too, from the next request on; nobody takes people into a group that holds more."""
    ann, as_ann = await world.person("ann")
    inner, outer = await world.group("Inner"), await world.group("Outer")
    await world.made(f"/rbac/users/{outer}/roles", {"role": "helpdesk"})
    await world.link(inner, "member_of", outer)
    assert await world.acts(as_ann) == "permission-denied"
    assert (await world.link(ann, "member_of", inner)).status_code == 201
    assert await world.acts(as_ann) == "200"
    edge = {"source": inner, "relation": "member_of", "target": outer}
    assert (await world.api.delete("/iam/graph/link", headers=world.admin, params=edge)).status_code == 204
    assert await world.acts(as_ann) == "permission-denied"
    bob, as_bob = await world.person("bob")
    await world.made("/rbac/roles", {"name": "linker", "description": "", "permissions": ["identity.graph.link"]})
    await world.made(f"/rbac/users/{bob}/roles", {"role": "linker"})
    assert slug(await world.link(bob, "member_of", outer, as_bob)) == "exceeds-own-rights"


async def test_organizations_do_not_exist_for_strangers(world: Together) -> None:
    """404, never 403, the same as for one that is not there; members see it; the administrator of one sees no other."""
    ann, as_ann = await world.person("ann")
    bob, as_bob = await world.person("bob")
    for name in ("acme", "other"):
        await world.made("/iam/organizations", {"slug": name, "name": name.title()})
    assert (
        slug(await world.api.post("/iam/organizations", headers=as_ann, json={"slug": "xyz", "name": "X"})) == "denied"
    )
    conflict = await world.api.post("/iam/organizations", headers=world.admin, json={"slug": "acme", "name": "A"})
    bad = await world.api.post("/iam/organizations", headers=world.admin, json={"slug": "A me", "name": "A"})
    assert (slug(conflict), slug(bad)) == ("conflict", "invalid-input")
    added = await world.api.put(f"/iam/organizations/acme/members/{ann}", headers=world.admin)
    assert (added.status_code, added.json()["urn"]) == (200, ann)
    await world.made(f"/rbac/users/{ann}/roles", {"role": "org-admin", "domain": "acme"})
    assert [one["slug"] for one in (await world.api.get("/iam/organizations", headers=as_ann)).json()["items"]] == [
        "acme"
    ]
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/members"),
        ("PUT", f"/members/{bob}"), ("DELETE", f"/members/{bob}"),
    ):  # fmt: skip
        json = {"name": "x"} if method == "PATCH" else None
        for who, place in ((as_bob, "acme"), (as_ann, "other")):
            answers = [
                await world.api.request(method, f"/iam/organizations/{name}{path}", headers=who, json=json)
                for name in (place, "unknown")
            ]
            assert [answer.status_code for answer in answers] == [404, 404], (method, path)
            assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert slug(await world.api.put(f"/iam/organizations/acme/members/{bob}", headers=as_ann)) == "not-found"
    renamed = await world.api.patch("/iam/organizations/acme", headers=as_ann, json={"name": "Acme & Co"})
    assert (renamed.json()["name"], renamed.headers["etag"]) == ("Acme & Co", '"2"')
    assert slug(await world.api.delete("/iam/organizations/acme", headers=world.admin)) == "has-dependents"
    assert slug(await world.api.delete("/iam/organizations/default", headers=world.admin)) == "conflict"
    assert (await world.api.delete(f"/iam/organizations/acme/members/{ann}", headers=as_ann)).status_code == 204
    assert (await world.api.delete("/iam/organizations/acme", headers=world.admin)).status_code == 204


async def test_what_belongs_to_an_organization_is_reached_in_it(world: Together) -> None:
    """A machine and a group of one tenant do not exist for the administrator of another."""
    ann, as_ann = await world.person("ann")
    bob, as_bob = await world.person("bob")
    for name, urn in (("acme", ann), ("other", bob)):
        await world.made("/iam/organizations", {"slug": name, "name": name})
        await world.made(f"/rbac/users/{urn}/roles", {"role": "org-admin", "domain": name})
    body = {"name": "Importer", "purpose": "Night", "organization": "acme", "custodian": ann}
    machine = (await world.made("/iam/service-accounts", body))["urn"]
    group = (await world.made("/iam/groups", {"name": "Shift", "organization": "acme"}, as_ann))["urn"]
    for path in (f"/iam/service-accounts/{machine}", f"/iam/groups/{group}", f"/iam/graph/{group}/dependents"):
        assert (await world.api.get(path, headers=as_ann)).status_code == 200, path
        assert slug(await world.api.get(path, headers=as_bob)) == "not-found", path
    listed = await world.api.get("/iam/service-accounts?organization=acme", headers=as_ann)
    assert [one["organization"] for one in listed.json()["items"]] == ["acme"]
    assert (await world.api.get("/iam/service-accounts?organization=acme", headers=as_bob)).json()["items"] == []
    assert slug(await world.link(bob, "member_of", group, as_bob)) == "not-found"


async def test_agents_and_providers_are_kept(world: Together) -> None:
    """Listed, read, changed with their version, refused where a field breaks a rule, closed."""
    ann, as_ann = await world.person("ann")
    provider = await world.provider()
    again = await world.api.post("/iam/ai-providers", headers=world.admin, json={"name": "Acme AI", "vendor": "A"})
    assert slug(again) == "conflict"
    homepage = {"name": "B", "vendor": "B", "homepage": "http://plain.example"}
    assert slug(await world.api.post("/iam/ai-providers", headers=world.admin, json=homepage)) == "invalid-input"
    assert slug(await world.api.get("/iam/ai-providers", headers=as_ann)) == "permission-denied"
    agent = await world.agent(ann, provider)
    shown = (await world.api.get(f"/iam/ai-agents/{agent}", headers=as_ann)).json()
    assert (shown["provider"], shown["model_spec"]["names"], shown["kind"]) == (provider, ["acme-1"], "agent")
    assert slug(await world.api.get(f"/iam/service-accounts/{agent}", headers=world.admin)) == "not-found"
    changed = await world.api.patch(
        f"/iam/ai-agents/{agent}", headers={**as_ann, "if-match": '"1"'}, json={"model_spec": {"names": ["acme-2*"]}}
    )
    assert (changed.status_code, changed.json()["model_spec"]["names"]) == (200, ["acme-2*"])
    refused: list[dict[str, object]] = [
        {"model_spec": {"names": []}},
        {"model_spec": {"names": ["a*b"]}},
        {"provider": ann},
    ]
    for body in refused:
        assert (await world.api.patch(f"/iam/ai-agents/{agent}", headers=as_ann, json=body)).status_code == 422, body
    bad = {"name": "x", "purpose": "y", "provider": f"urn:au:provider:{UNKNOWN}", "model_spec": {"names": ["m"]}}
    assert slug(await world.api.post("/iam/ai-agents", headers=world.admin, json=bad)) == "invalid-input"
    assert [one["urn"] for one in (await world.api.get("/iam/ai-agents", headers=as_ann)).json()["items"]] == [agent]
    assert (await world.api.delete(f"/iam/ai-agents/{agent}", headers=as_ann)).status_code == 204
    assert (await world.api.delete(f"/iam/ai-providers/{provider}", headers=world.admin)).status_code == 204
    assert slug(await world.api.get(f"/iam/ai-providers/{provider}", headers=world.admin)) == "not-found"


async def test_our_own_house_is_put_in_order(world: Together) -> None:
    """A dry run gives the report of the real run and changes nothing; the real run repairs, the next finds nothing."""
    ann, _header = await world.person("ann")
    group = await world.group("Shift")
    await world.link(ann, "member_of", group)
    await world.made(f"/rbac/users/{group}/roles", {"role": "helpdesk"})
    wanted = {"source": "integrity", "direction": "iam_to_rbac"}
    clean = await world.made("/iam/sync/run", wanted)
    assert set(clean["counts"].values()) == {0}
    agent = await world.agent(ann, await world.provider())
    await world.api.patch(f"/users/{ann}", headers=world.admin, json={"is_active": False})
    dry = await world.made("/iam/sync/run", wanted)
    assert dry["findings"]["machines_without_custodian"] == [agent]
    real = await world.made("/iam/sync/run", {**wanted, "dry_run": False})
    assert {**real, "dry_run": True} == dry
    back = await world.made("/iam/sync/run", {**wanted, "direction": "rbac_to_iam"})
    assert back["findings"]["subjects_that_nobody_is"] == []
    wrong = await world.api.post("/iam/sync/run", headers=world.admin, json={**wanted, "target": "nonsense"})
    assert slug(wrong) == "invalid-input"
