"""Who may do what: every route for every bundle, for nobody, without a proof, and for owners and strangers."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from starlette.requests import HTTPConnection

from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import (
    Authentication,
    Authenticator,
    Authorizer,
    Capability,
    Contribution,
    Decision,
    Manifest,
    Principal,
    Service,
    create_app,
)
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import BelievingDoor, Prepared
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.core.roles import ADMIN_RIGHTS, CONTRIBUTOR_RIGHTS, SUPERUSER_RIGHTS, USER_RIGHTS
from skriptoteket.manifest.plugin import Skriptoteket

BUNDLES: dict[str, tuple[str, ...]] = {
    "nobody": (),
    "user": USER_RIGHTS,
    "contributor": CONTRIBUTOR_RIGHTS,
    "admin": ADMIN_RIGHTS,
    "superuser": SUPERUSER_RIGHTS,
}
NOTHING = "00000000-0000-7000-8000-000000000000"
PAGE = {"accept": "text/html"}


class BundleDoor(BelievingDoor):
    """``Bearer <bundle>.<name>`` is the person of this name, and holds what the bundle holds."""

    async def authenticate(self, connection: HTTPConnection) -> Authentication:
        """The credential is in nobody's URN, so that it stays out of the log."""
        found = await super().authenticate(connection)
        if isinstance(found, Principal):
            return replace(found, urn=f"urn:fsp:person:{found.display_name.partition('.')[2]}")
        return found

    async def authorize(self, principal: Principal, permission: str, resource: str = "") -> Decision:
        """By the bundle in the name."""
        held = BUNDLES.get(principal.display_name.partition(".")[0], ())
        return Decision(permission in held, f"{permission} was looked up")


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[tuple[AsyncClient, list[Any]]]:
    """A client, and every route of the library."""
    blobs = open_blobs(f"file://{tmp_path}/blobs")
    door = BundleDoor()
    services = (Service(Authenticator, lambda _: door), Service(Authorizer, lambda _: door))
    manifest = Manifest("identity", "1.0", "Believes bundles", provides=("authenticator@1", "authorizer@1"))
    identity = Prepared(manifest, Contribution(services=services))
    storage = Prepared(Manifest("storage", "1.0", "blobs"), Contribution(services=(Service(Blobs, lambda _: blobs),)))
    parts: list[Capability] = [identity, storage, Skriptoteket()]
    app: Any = create_app(settings_for(tmp_path), capabilities=parts)  # Any: its platform is an attribute of our own
    async with started_app(app) as client:
        yield (
            client,
            [
                entry
                for entry in app.platform.inventory.routes
                if entry.owner.name == "skriptoteket" and entry.kind == "http" and not entry.path.startswith("/static")
            ],
        )
    await blobs.close()


def _as(bundle: str, name: str = "anna") -> dict[str, str]:
    return {"authorization": f"Bearer {bundle}.{name}"}


async def test_every_route_for_every_bundle(library: tuple[AsyncClient, list[Any]]) -> None:
    """Who lacks the route's permission gets 403, who holds it something else; nobody signed in gets 401 or is sent to
    sign in; a cookie without proof changes nothing."""
    client, routes = library
    assert len(routes) > 100
    for entry in routes:
        needed = entry.access.permission
        path = re.sub(r"\{[^}]+\}", NOTHING, entry.path)
        for method in entry.methods - {"HEAD", "OPTIONS"}:
            told = f"{method} {entry.path}"
            anonymous = await client.request(method, path)
            assert anonymous.status_code in (401, 303), told
            without = [bundle for bundle, held in BUNDLES.items() if needed not in held]
            # bundles hold each other, so the two at the border speak for all five
            for bundle in (without[-1], list(BUNDLES)[len(without)]):
                answer = await client.request(method, path, headers=_as(bundle))
                refused = answer.status_code == 403
                assert (bundle in without) == refused, f"{told} as {bundle}: {answer.status_code}"
                assert answer.status_code < 500, f"{told} as {bundle}: {answer.text}"
            if method not in ("GET", "HEAD"):
                forged = await client.request(method, path, headers={"cookie": "session=superuser.anna", **PAGE})
                assert forged.status_code == 403, f"{told} without proof"


async def test_owners_maintainers_and_strangers(library: tuple[AsyncClient, list[Any]]) -> None:
    """A draft is its maintainers' and the administrators'; a schedule is its owner's alone, whatever others hold."""
    client, _ = library
    made = await client.post("/api/v1/admin/tools", json={"title": "Mine"}, headers=_as("admin", "eva"))
    tool = made.json()["id"]
    body = {"source_code": "x = 1\n", "input_schema": []}
    early = await client.post(f"/api/v1/tools/{tool}/versions", json=body, headers=_as("contributor"))
    assert early.status_code == 404
    people = {"subject": "urn:fsp:person:anna"}
    assert (
        await client.post(f"/api/v1/tools/{tool}/maintainers", json=people, headers=_as("admin", "eva"))
    ).status_code == 204
    draft = await client.post(f"/api/v1/tools/{tool}/versions", json=body, headers=_as("contributor", "anna"))
    version = draft.json()["id"]
    table = [
        (f"/api/v1/tool-versions/{version}", {"contributor.anna": 200, "contributor.bo": 404, "admin.eva": 200}),
        (f"/api/v1/tools/{tool}/versions", {"contributor.anna": 200, "contributor.bo": 404, "user.bo": 403}),
        (f"/editor/tools/{tool}", {"contributor.anna": 200, "contributor.bo": 404, "superuser.eva": 200}),
    ]
    plan = {"tool": "remove-personal-data", "cron": "0 7 * * *"}
    files = {"file": ("a.txt", b"Hej", "text/plain")}
    schema = (await client.get("/api/v1/tools/remove-personal-data", headers=_as("user"))).json()["input_schema"]
    field = next(each["name"] for each in schema if each["kind"] == "file")
    kept = await client.post(
        "/api/v1/schedules", data=plan, files={field: files["file"]}, headers=_as("contributor", "anna")
    )
    assert kept.status_code == 201, kept.text
    at = f"/api/v1/schedules/{kept.json()['id']}"
    table.append((at, {"contributor.anna": 200, "contributor.bo": 404, "superuser.eva": 404, "user.anna": 403}))
    for path, expected in table:
        for who, status in expected.items():
            kind = {} if path.startswith("/api/") else PAGE
            answer = await client.get(path, headers={"authorization": f"Bearer {who}", **kind})
            assert status == answer.status_code, f"{path} as {who}"
