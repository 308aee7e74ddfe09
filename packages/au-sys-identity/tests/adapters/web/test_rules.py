"""Roles and rules, as an administrator's browser without scripts."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
HTML = {"accept": "text/html"}
ROLES, RULES = "/admin/identity/roles", "/admin/identity/policies"
READ, UNLOCK = "identity.users.read", "identity.users.unlock"


@pytest.fixture
async def admin(client: AsyncClient, tmp_path: Path) -> AsyncClient:
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org", "Ada Admin"), ADMIN)
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD, "display_name": "Ann"})
    await client.post("/login", data={"email": "admin@example.org", "password": ADMIN})
    return client


async def post(client: AsyncClient, page: str, **form: str | list[str]) -> Response:
    """Send a form of a page to the page itself."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', (await client.get(page, headers=HTML)).text)
    assert found
    return await client.post(page, headers=HTML, data={"csrf_token": found.group(1), **form})


async def urn_of(client: AsyncClient, email: str) -> str:
    found = await client.get("/users", params={"q": email})
    return str(found.json()["items"][0]["urn"])


async def test_a_role_is_made_like_a_shipped_one_and_changed_after_a_look(admin: AsyncClient) -> None:
    """What the change would do names who gains and who loses; nothing is changed before it is saved."""
    ann = await urn_of(admin, "ann")
    made = await post(admin, ROLES, name="desk", description="Front desk", like="helpdesk")
    page = f"{ROLES}/desk"
    assert (made.status_code, made.headers["location"]) == (303, f"{page}?done=made")
    given = (await admin.get("/rbac/roles/desk")).json()["permissions"]
    assert given == sorted((await admin.get("/rbac/roles/helpdesk")).json()["permissions"])
    csrf = {
        "x-csrf-token": re.findall(r'name="csrf_token" value="([^"]+)"', (await admin.get(page, headers=HTML)).text)[0]
    }
    await admin.post(f"/rbac/users/{ann}/roles", json={"role": "desk"}, headers=csrf)
    wanted = [name for name in given if name != UNLOCK] + ["identity.groups.read"]
    seen = await post(admin, page, act="preview", permissions=wanted, description="Front desk")
    rows = re.findall(
        r"<tr><td>.*?badge[^>]*>(gains|loses)<.*?</td><td>(.*?)(?:<br>.*?)?</td><td>.*?</td><td>(.*?)</td></tr>",
        seen.text,
    )
    assert {("gains", "Ann", "identity.groups.read"), ("loses", "Ann", UNLOCK)} <= set(rows)
    assert (await admin.get("/rbac/roles/desk")).json()["permissions"] == given
    saved = await post(admin, page, act="save", permissions=wanted, description="Front desk", requestable="on")
    assert saved.headers["location"] == f"{page}?done=saved"
    now = (await admin.get("/rbac/roles/desk")).json()
    assert (now["permissions"], now["requestable"]) == (sorted(wanted), True)
    refused = await post(admin, page, act="delete")
    assert (refused.status_code, "Withdraw the role" in refused.text) == (400, True)


async def test_what_is_wrong_with_a_role_stands_beside_the_field(admin: AsyncClient) -> None:
    """A bad name, a taken one, an unknown permission; what was typed stays. Shipped roles have no form."""
    bad = await post(admin, ROLES, name="No Name!", description="kept text")
    assert (bad.status_code, 'id="field-name-error"' in bad.text, "kept text" in bad.text) == (400, True, True)
    taken = await post(admin, ROLES, name="helpdesk")
    assert (taken.status_code, "is in use already" in taken.text or "taken" in taken.text) == (400, True)
    await post(admin, ROLES, name="desk")
    odd = await post(admin, f"{ROLES}/desk", act="preview", permissions=["no.such.right"])
    assert (odd.status_code, "no.such.right is unknown" in odd.text) == (400, True)
    shipped = (await admin.get(f"{ROLES}/helpdesk", headers=HTML)).text
    assert (UNLOCK in shipped, "fieldset" in shipped) == (True, False)
    assert (await admin.get(f"{ROLES}/nobody", headers=HTML)).status_code == 404
    assert (await post(admin, f"{ROLES}/desk", act="delete")).headers["location"] == f"{ROLES}?done=deleted"


async def test_a_rule_is_added_and_removed_after_a_look(admin: AsyncClient) -> None:
    """Both ways tell first who gains and who loses, and count at once."""
    ann = await urn_of(admin, "ann")
    assert "No rule fits." in (await admin.get(RULES, headers=HTML)).text
    rule = {"subject": ann, "domain": "default", "permission": READ, "effect": "allow"}
    seen = await post(admin, RULES, act="preview", **rule)
    assert (seen.status_code, "gains" in seen.text, READ in seen.text) == (200, True, True)
    assert (await admin.get("/rbac/policies")).json()["items"] == []
    assert (await post(admin, RULES, act="add", **rule)).headers["location"] == f"{RULES}?done=added"
    kept = (await admin.get("/rbac/policies")).json()["items"]
    assert [(one["resource"], one["action"]) for one in kept] == [("/identity/users/*", "read")]
    seen = await post(admin, RULES, act="preview-remove", which=kept[0]["id"])
    assert (seen.status_code, "loses" in seen.text) == (200, True)
    assert (await post(admin, RULES, act="remove", which=kept[0]["id"])).headers["location"] == f"{RULES}?done=removed"
    assert (await admin.get("/rbac/policies")).json()["items"] == []


async def test_what_is_wrong_with_a_rule_stands_beside_the_field(admin: AsyncClient) -> None:
    """The field is named, what was typed stays, nothing is kept."""
    wrong: dict[str, dict[str, str]] = {
        "resource": {"resource": "/a/*/b", "action": "read"},
        "action": {"resource": "/a", "action": "re*d"},
        "domain": {"permission": READ, "domain": "nowhere"},
        "until": {"permission": READ, "until": "2001-01-01"},
        "subject": {"permission": READ, "subject": "urn:au:user:nobody"},
    }
    for field, form in wrong.items():
        typed = {"subject": "role:helpdesk", "domain": "default", **form}
        answer = await post(admin, RULES, act="add", **typed)
        assert (field, answer.status_code, f'id="field-{field}-error"' in answer.text) == (field, 400, True)
        assert f'value="{typed["subject"]}"' in answer.text
    assert (await admin.get("/rbac/policies")).json()["items"] == []


async def test_why_shows_the_way_or_what_would_help(admin: AsyncClient) -> None:
    """For a yes the chain to the rule, for a no the roles that would give it."""
    me, ann = await urn_of(admin, "admin"), await urn_of(admin, "ann")
    yes = await admin.get(f"{RULES}/why", params={"subject": me, "permission": READ}, headers=HTML)
    assert ("The way there" in yes.text, "platform-admin" in yes.text) == (True, True)
    no = await admin.get(f"{RULES}/why", params={"subject": ann, "permission": READ}, headers=HTML)
    assert ("What would help" in no.text, "with role:auditor" in no.text) == (True, True)


async def test_rules_go_out_and_come_in_as_text(admin: AsyncClient) -> None:
    """The file is what comes in again; a text is tried first, and one bad line changes nothing."""
    here = f"{RULES}/exchange"
    text = "p, role:helpdesk, default, /identity/groups/*, read, allow\n"
    bad = await post(admin, here, act="take", text=f"{text}p, x\n", manner="merge")
    assert (bad.status_code, "Refused lines" in bad.text) == (400, True)
    tried = await post(admin, here, act="try", text=text, manner="merge")
    assert (tried.status_code, "What it would do" in tried.text) == (200, True)
    assert (await admin.get("/rbac/policies")).json()["items"] == []
    assert "Done" in (await post(admin, here, act="take", text=text, manner="merge")).text
    out = await admin.get(f"{here}/policies.csv")
    assert (out.headers["content-type"].split(";")[0], text.strip().replace(", ", ",") in out.text) == (
        "text/csv",
        True,
    )


async def test_who_may_not_is_neither_shown_nor_let_in(client: AsyncClient) -> None:
    """A member sees no entry in the menu and is refused on every page."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    await client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
    assert RULES not in (await client.get("/account", headers=HTML)).text
    pages = (ROLES, f"{ROLES}/helpdesk", RULES, f"{RULES}/why", f"{RULES}/exchange", f"{RULES}/exchange/policies.csv")
    assert [(await client.get(page, headers=HTML)).status_code for page in pages] == [403] * len(pages)
