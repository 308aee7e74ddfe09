"""Attack 28: somebody else's id in every place that takes one."""

from __future__ import annotations

import re

import httpx
from tests.attacks.running_platform import Person, RunningPlatform

_NOBODY = "01890000-0000-7000-8000-000000000000"


def test_ids_of_others_open_nothing(platform: RunningPlatform, admin: httpx.Client, ann: Person) -> None:
    """From the running platform's own list: an ordinary person with the administrator's ids gets 403 or 404, and the
    same as for ids that nobody has."""
    owner = admin.get("/users/me").json()["id"]
    machine = admin.post("/iam/service-accounts", json={"name": "Robot", "purpose": "x"}).json()["id"]
    key = admin.post("/auth/api-keys/", json={"name": "Robot", "scopes": ["identity.users.read"]}).json()["id"]
    session = admin.get("/auth/sessions").json()["items"][0]["id"]
    known = {"user_id": owner, "account_id": machine, "key_id": key, "credential_id": key, "session_id": session}
    document = admin.get("/openapi.json").json()
    tried = 0
    for path, item in document["paths"].items():
        names = re.findall(r"{([^}]+)}", path)
        if not names or not set(names) <= known.keys():
            continue
        for method in item:
            there = ann.client.request(method, path.format_map(known), json=_body(path))
            nowhere = ann.client.request(method, path.format_map(dict.fromkeys(names, _NOBODY)), json=_body(path))
            assert there.status_code in (403, 404), (method, path, there.text)
            assert there.status_code == nowhere.status_code, (method, path)
            if there.content and method != "head":
                assert there.json()["title"] == nowhere.json()["title"]
            tried += 1
    assert tried >= 15
    assert admin.get(f"/iam/service-accounts/{machine}").json()["status"] == "active"
    assert admin.get("/users/me").status_code == 200


def test_lists_hold_only_ones_own(admin: httpx.Client, ann: Person) -> None:
    """Keys, sessions and machines of others are in none of the lists of an ordinary person."""
    admin.post("/iam/service-accounts", json={"name": "Robot", "purpose": "x"})
    admin.post("/auth/api-keys/", json={"name": "Robot", "scopes": ["identity.users.read"]})
    lists = [ann.client.get(path).json()["items"] for path in ("/auth/api-keys/", "/iam/service-accounts")]
    assert lists == [[], []]
    assert len(ann.client.get("/auth/sessions").json()["items"]) == 1
    owner = admin.get("/users/me").json()["id"]
    assert ann.client.get("/auth/api-keys/", params={"owner": owner}).status_code == 404
    assert ann.client.get("/users").status_code == 403


def _body(path: str) -> dict[str, object]:
    if path.endswith("/keys"):
        return {"name": "x", "scopes": ["identity.users.read"]}
    if path == "/auth/sessions/{session_id}":
        return {"label": "mine"}
    if path.endswith("/mfa"):
        return {"mode": "none"}
    return {"role": "helpdesk"} if path.endswith("/roles") else {}
