"""Something of every kind that a page shows, planted by programs; ``say`` decides how each text of it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.house import ADMIN, House

Say = Callable[[str], str]
ROLES = {
    "person": (),
    "contributor": ("skriptoteket:contributor",),
    "reviewer": ("skriptoteket:admin",),
    "auditor": ("auditor",),
    "operator": ("platform:operator", "storage:operator", "skriptoteket:superuser"),
}
SOURCE = """from pathlib import Path

import toolkit


def run_tool(input_dir, output_dir, inputs):
    who = inputs.get("who") or "nobody"
    Path(output_dir, "list.csv").write_text("name;number\\n" + who + ";1\\n")
    return {
        "outputs": [
            toolkit.notice("Hej " + who),
            {"kind": "markdown", "markdown": "**Rows** of " + who},
            {"kind": "html", "html": "<p>" + who + "</p>"},
            {"kind": "json", "value": {who: [who]}},
            toolkit.table(["Name", {"key": "rows", "label": who}], [[who, 1]], title=who),
            toolkit.file("list.csv", label=who),
        ]
    }
"""


@dataclass
class Population:
    """Addresses of what was planted: the value of each name in a page's path."""

    urns: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    key: str = ""


def populate(house: House, say: Say) -> Population:
    """Plant everything; each part may be looked at afterwards."""
    made = Population()
    for name, roles in ROLES.items():
        made.urns[name] = house.person(name, *roles)
    people(house, say, made)
    machines(house, say, made)
    outside(house, say, made)
    documents(house, say, made)
    scripts(house, say, made)
    return made


def email_of(role: str) -> str:
    """The address of who holds a role's rights."""
    return ADMIN if role == "admin" else f"{role}@example.org"


def people(house: House, say: Say, made: Population) -> None:
    """Names, a role that is asked for, a group, an organization, an invitation, a backup, wrong sign-ins."""
    house.call(email_of("person"), "PATCH", "/users/me", {"display_name": say("Pia Person")})
    user = house.call(email_of("person"), "GET", "/users/me")["id"]
    body = {"name": "reader", "description": say("Reads people"), "permissions": ["identity.users.read"]}
    house.call(ADMIN, "POST", "/rbac/roles", body)
    house.call(ADMIN, "PATCH", "/rbac/roles/reader", {"requestable": True}, headers={"if-match": "*"})
    asked = house.call(
        email_of("person"), "POST", "/iam/requests", {"role": "reader", "reason": say("The audit"), "duration": 3600}
    )
    denied = house.call(email_of("auditor"), "POST", "/iam/requests", {"role": "reader", "reason": say("Me too")})
    house.call(ADMIN, "POST", f"/iam/requests/{denied['id']}/decide", {"decision": "deny", "note": say("Not now")})
    group = house.call(ADMIN, "POST", "/iam/groups", {"name": say("Night shift"), "description": say("At night")})
    edge = {"source": made.urns["person"], "relation": "member_of", "target": group["urn"]}
    house.call(ADMIN, "POST", "/iam/graph/link", edge)
    house.call(ADMIN, "POST", "/iam/organizations", {"slug": "acme", "name": say("Acme")})
    house.call(ADMIN, "POST", "/iam/organizations/acme/invitations", {"email": "new@example.org"})
    house.call(ADMIN, "POST", "/iam/recovery/backup", {"label": say("By hand")})
    browser = {"user-agent": say("Mozilla/5.0 Firefox")}
    signing = {"email": email_of("person"), "password": say("wrong")}
    house.client.post("/auth/jwt/login", json=signing, headers=browser)
    event = house.call(ADMIN, "GET", "/audit/events?action=role.granted")["items"][0]["id"]
    made.paths |= {"user_id": user, "group_id": group["urn"], "subject": made.urns["person"], "slug_org": "acme"}
    made.paths |= {"event_id": event, "request": asked["id"]}


def machines(house: House, say: Say, made: Population) -> None:
    """A provider, an agent with a key that asks for something, a service account, a delegation."""
    provider = house.call(ADMIN, "POST", "/iam/ai-providers", {"name": say("Acme AI"), "vendor": say("Acme")})
    agent = house.call(
        ADMIN,
        "POST",
        "/iam/ai-agents",
        {
            "name": say("Sorter"),
            "purpose": say("Sorts mail"),
            "provider": provider["urn"],
            "model_spec": {"names": [say("acme-1")]},
            "custodian": made.urns["person"],
        },
    )
    body = {"name": say("Importer"), "purpose": say("Nightly import"), "custodian": made.urns["person"]}
    account = house.call(ADMIN, "POST", "/iam/service-accounts", body)
    house.call(ADMIN, "POST", f"/rbac/users/{account['urn']}/roles", {"role": "org-admin"})
    keys = f"/iam/service-accounts/{account['id']}/keys"
    made.key = house.call(ADMIN, "POST", keys, {"name": say("Night"), "scopes": ["identity.*"]})["secret"]
    proof = {"mode": "human_delegated", "applies_to": "changes"}
    house.call(ADMIN, "PUT", f"/iam/service-accounts/{account['id']}/mfa", proof)
    arguments = {"name": say("Helper"), "purpose": say("Helps"), "custodian": made.urns["person"]}
    asking = {"method": "POST", "path": "/iam/service-accounts", "reason": say("The night shift")}
    asking |= {"arguments": arguments, "summary": say("A helper")}  # type: ignore[dict-item]  # JSON of two shapes
    asked = house.client.post("/mfa/delegated/request", json=asking, headers={"x-api-key": made.key})
    assert asked.status_code == 201, asked.text
    made.urns |= {"agent": agent["urn"], "account": account["urn"]}


def outside(house: House, say: Say, made: Population) -> None:
    """A directory and a login provider; nobody answers there."""
    directory: dict[str, Any] = {"name": "staff", "label": say("Staff")}  # Any: JSON, here and below
    directory |= {"servers": ["ldaps://127.0.0.1:1"], "password": "not a secret"}
    directory |= {"base": "dc=example,dc=org", "user": "cn=reader,dc=example,dc=org"}
    provider: dict[str, Any] = {"name": "corp", "label": say("Corporate"), "kind": "oauth2"}
    provider |= {"issuer": "https://provider.invalid", "client_id": say("us"), "client_secret": "not a secret"}
    ends = ("authorize", "token", "userinfo")
    provider |= {f"{end}_url": f"https://provider.invalid/{end}" for end in ends}
    values = {"LDAP": [directory], "PROVIDERS": [provider]}
    house.call(ADMIN, "PATCH", "/management/settings/", {"accept_weaker": True, "values": values})
    made.paths |= {"name_directory": "staff", "name_provider": "corp"}


def documents(house: House, say: Say, made: Population) -> None:
    """Documents and blobs."""
    house.call(ADMIN, "PUT", "/storage/notes/first", {"title": say("First"), "tags": [say("a"), say("b")]})
    house.call(ADMIN, "PUT", "/storage/notes/first", {"title": say("Second"), say("key"): 1})
    kinds = {"list.csv": "text/csv", "page.html": "text/html", "picture.svg": "image/svg+xml"}
    for name, kind in kinds.items():
        house.call(
            ADMIN, "PUT", f"/blobs/files/{name}", content=say("name;number").encode(), headers={"content-type": kind}
        )
    made.paths |= {"namespace": "notes", "key:path": "first", "blob": "list.csv"}


def scripts(house: House, say: Say, made: Population) -> None:
    """A published tool, a version in review, a suggestion, a run with its result, a schedule, a nomination."""
    writer, reviewer = email_of("contributor"), email_of("reviewer")
    labels = {"label_en": say("Counting"), "label_sv": say("Räkna")}
    house.call(ADMIN, "POST", "/api/v1/admin/categories", {"slug": "counting", **labels})
    body: dict[str, Any] = {"title": say("Counter"), "slug": "counter", "summary": say("Counts rows")}  # Any: JSON
    body |= {"professions": ["gemensamt"], "categories": ["ovrigt"]}
    tool = house.call(ADMIN, "POST", "/api/v1/admin/tools", body)["id"]
    maintainers = {"subject": made.urns["contributor"]}
    house.call(ADMIN, "POST", f"/api/v1/tools/{tool}/maintainers", maintainers)
    schema = [{"kind": "string", "name": "who", "label": say("Who"), "help": say("A name")}]
    version = {"source_code": SOURCE, "input_schema": schema, "change_summary": say("First try")}
    version |= {"usage_instructions": say("Type a name.")}
    draft = house.call(writer, "POST", f"/api/v1/tools/{tool}/versions", version)
    house.call(writer, "POST", f"/api/v1/tool-versions/{draft['id']}/submit-review", {"note": say("Please look")})
    verdict = {"rationale": say("Fine"), "expected_behaviour_hash": draft["behaviour_hash"], "show": True}
    published = house.call(reviewer, "POST", f"/api/v1/tool-versions/{draft['id']}/publish", verdict)
    again = {**version, "source_code": f"# {say('changed')}\n{SOURCE}"}
    waiting = house.call(writer, "POST", f"/api/v1/tools/{tool}/versions", again)
    house.call(writer, "POST", f"/api/v1/tool-versions/{waiting['id']}/submit-review", {"note": say("Once more")})
    suggested = {"title": say("Counter"), "description": say("Counts"), "professions": ["larare"]}
    suggestion = house.call(writer, "POST", "/api/v1/suggestions", {**suggested, "categories": ["ovrigt"]})
    told = {"subject": made.urns["contributor"], "rationale": say("Good at it")}
    house.call(reviewer, "POST", "/api/v1/admin/nominations", told)
    house.until(lambda: house.call(ADMIN, "GET", "/api/v1/tools/counter")["runnable"], "the worker")
    run = house.call(
        ADMIN,
        "POST",
        "/api/v1/tools/counter/runs",
        {"inputs": {"who": say("world")}},
        headers={"prefer": "wait=30"},
    )
    plan = {"tool": "counter", "cron": "30 7 * * MON-FRI", "timezone": "Europe/Stockholm", "inputs": {"who": say("x")}}
    schedule = house.call(ADMIN, "POST", "/api/v1/schedules", plan)["id"]
    made.paths |= {"profession": "gemensamt", "category": "ovrigt", "slug": "counter", "run_id": run["id"]}
    made.paths |= {"schedule_id": schedule, "tool_id": tool, "version_id": waiting["id"]}
    made.paths |= {"published": str(published), "suggestion_id": suggestion["id"]}
