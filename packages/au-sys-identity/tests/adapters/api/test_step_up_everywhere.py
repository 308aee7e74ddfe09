"""Every operation that the tables mark with step-up refuses an administrator who proved too little, generated."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Json = dict[str, Any]  # Any: JSON of many shapes
ADMIN = {"email": "root@example.org", "password": "correct horse battery staple"}
TOKEN = "a bootstrap token of this test"
NOWHERE = "00000000-0000-7000-8000-000000000000"
SURFACE = Path(__file__).with_name("surface.txt")
BODIES: dict[str, Json] = {
    "PATCH /users/me": {"password": "another fine sentence", "current_password": ADMIN["password"]},
    "PATCH /users/{id}": {"is_active": True},
    "POST /iam/sync/run": {"source": "directory:nowhere", "dry_run": False},
    "DELETE /rbac/policies": {"id": NOWHERE},
    "PATCH /management/settings/": {"values": {"ACCESS_TTL": 300}},
    "POST /mfa/delegated/approve": {"approval_id": NOWHERE, "decision": "approve", "act_hash": "0" * 64},
    "POST /iam/delegations": {"agent": NOWHERE, "permissions": ["x.y.z"], "expires_at": "2099-01-01T00:00:00Z"},
}
"""Where only some fields ask for it, or where the schema alone makes no sensible request."""
QUERIES = {"DELETE /rbac/users/{id}/roles": {"role": "helpdesk"}, "DELETE /rbac/policies": {"id": NOWHERE}}


@dataclass
class Scene:
    """A platform with an administrator who came in by a link in a mail, and somebody and something to act on."""

    client: AsyncClient
    document: Json
    person: str
    machine: str

    def path(self, path: str) -> str:
        """The path with ids that exist where that is easy."""
        if path.startswith(("/users/{", "/rbac/users/")):
            return re.sub(r"{[^}]+}", self.person, path)
        if path.startswith(("/iam/service-accounts/{", "/iam/custody/{")):
            path = re.sub(r"{[^}]+}", self.machine, path, count=1)
        return re.sub(r"{[^}]+}", NOWHERE, path)

    def body(self, operation: Json) -> object:
        """The least that the schema takes."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return self.value(content["schema"]) if content else None

    def value(self, schema: Json) -> object:
        """Something that fits a schema."""
        if "$ref" in schema:
            return self.value(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self.value(schema[choice][0])
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if schema.get("type") == "object":
            wanted = schema.get("required", [])
            return {name: self.value(found) for name, found in schema.get("properties", {}).items() if name in wanted}
        plain: Json = {"integer": schema.get("minimum", 1), "boolean": True, "array": [], "number": 1}
        return plain.get(schema.get("type", "string"), self.text(schema))

    def text(self, schema: Json) -> str:
        """A text of the format that is asked for."""
        formats = {"uuid": NOWHERE, "date-time": "2099-01-01T00:00:00Z", "email": "who@example.org"}
        return formats.get(schema.get("format", ""), "x" * max(3, int(schema.get("minLength", 1))))


def marked() -> list[tuple[str, str]]:
    """Method and path of every line of the tables with the mark."""
    lines = [line.split() for line in SURFACE.read_text(encoding="utf-8").splitlines() if line and line[0].isupper()]
    return [(words[0], words[1]) for words in lines if any("^" in mark for mark in words[3:])]


@pytest.fixture
async def scene(start: Start, tmp_path: Path) -> AsyncIterator[Scene]:
    async with start(bootstrap_token=TOKEN, verification="off") as client:
        assert (await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})).status_code == 201
        tokens = (await client.post("/auth/jwt/login", json=ADMIN)).json()
        strong = {"authorization": f"Bearer {tokens['access_token']}"}
        new = {"email": "who@example.org", "display_name": "Who"}
        person = (await client.post("/users", json=new, headers=strong)).json()["id"]
        account = {"name": "Night", "purpose": "Sends reports"}
        machine = (await client.post("/iam/service-accounts", json=account, headers=strong)).json()["id"]
        document = (await client.get("/openapi.json", headers=strong)).json()
        client.headers["authorization"] = f"Bearer {await by_mail(client, tmp_path / 'outbox')}"
        yield Scene(client, document, person, machine)


async def by_mail(client: AsyncClient, outbox: Path) -> str:
    """An access token of a session that a link in a mail opened."""
    await client.post("/auth/magic-link/request", json={"email": ADMIN["email"]})
    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    await app.platform.inventory.find("identity").capability._wiring.delivery.run()
    for file in outbox.glob("*.eml"):
        body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body(("plain",))
        found = re.search(r"/magic#token=(\S+)", str(body.get_content()) if body else "")
        if found:
            answer = await client.post("/auth/magic-link/login", json={"token": found.group(1)})
            assert answer.json()["strength"] == "mail"
            return str(answer.json()["access_token"])
    raise AssertionError("no letter with a link")


async def test_a_session_by_mail_steps_up_first(scene: Scene) -> None:
    """Each is refused as too weak; only what does not exist may be unknown before that is asked."""
    there = {
        (method.upper(), re.sub(r"{[^}]+}", "{}", path)): operation
        for path, item in scene.document["paths"].items()
        for method, operation in item.items()
    }
    wrong, asked = [], 0
    for method, path in marked():
        operation = there.get((method, re.sub(r"{[^}]+}", "{}", path)))
        if operation is None:
            continue  # test_surface names it
        named = f"{method} {path}"
        body = BODIES.get(named) or scene.body(operation)
        answer = await scene.client.request(method, scene.path(path), json=body, params=QUERIES.get(named))
        slug = answer.json()["type"].rpartition("/")[2] if answer.status_code >= 400 else "done"
        unknown = slug == "not-found" and NOWHERE in scene.path(path)
        asked += not unknown
        if slug not in ("step-up-required", "weak-session") and not unknown:
            wrong.append(f"{named}: {answer.status_code} {slug}")
    assert wrong == []
    assert asked >= 25
