"""Changes by administrators over a real server: in the trail, once each; those of everybody else are not."""

from collections.abc import Iterator

import httpx
import pytest

from au_sys_storage_sdk.adapters.api.auditing import ADMINISTRATION
from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import (
    AuditEvent,
    AuditTrail,
    Authenticator,
    Authorizer,
    Contribution,
    Decision,
    Manifest,
    Principal,
    Service,
    create_app,
)
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.stand_ins import BelievingDoor, Prepared
from fastapi_services_platform.testing.started_app import settings_for


class Door(BelievingDoor):
    """Only root runs storage."""

    async def authorize(self, principal: Principal, permission: str, resource: str = "") -> Decision:
        """Yes, but for one right."""
        return Decision(permission != ADMINISTRATION or principal.display_name == "root", permission)


class Kept:
    """A trail in memory."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    async def record(self, event: AuditEvent) -> None:
        """Keep it."""
        self.events.append(event)


@pytest.fixture(scope="module")
def kept() -> Kept:
    """The trail of this module's server."""
    return Kept()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, kept: Kept) -> Iterator[httpx.Client]:
    """An administrator's client."""
    door = Door()
    services = (
        Service(Authenticator, lambda _scope: door), Service(Authorizer, lambda _scope: door),
        Service(AuditTrail, lambda _scope: kept),
    )  # fmt: skip
    manifest = Manifest("identity", "1.0", "Root and the others", provides=("authenticator@1", "authorizer@1"))
    identity = Prepared(manifest, Contribution(services=services))
    app = create_app(settings_for(tmp_path_factory.mktemp("audited")), capabilities=[Storage(), identity])
    with serve(app) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer root"}) as client:
        yield client


def told(kept: Kept) -> list[tuple[str, str, str]]:
    """What the trail says since the last look."""
    found = [(event.action, event.actor, event.resource) for event in kept.events]
    kept.events.clear()
    return found


def test_each_change_of_an_administrator_is_in_the_trail(root: httpx.Client, kept: Kept) -> None:
    """Documents and blobs, whichever way they are changed, with the digest of what is there now."""
    who, path = "urn:fsp:person:root", "/storage/others/k"
    merge = {"Content-Type": "application/merge-patch+json"}
    assert root.put(path, json={"a": 1}).status_code == 201
    assert kept.events[-1].after is not None
    assert root.post(path, json={"a": 2}).status_code == 200
    assert root.patch(path, content=b'{"a":3}', headers=merge).status_code == 200
    assert root.delete(path).status_code == 204
    assert root.put("/blobs/others/b", content=b"x").status_code == 201
    assert root.delete("/blobs/others/b").status_code == 204
    documents, blobs = [("created", "changed", "changed", "deleted"), ("uploaded", "deleted")]
    expected = [(f"document.{verb}", who, "storage/others/k") for verb in documents]
    assert [*expected, *((f"blob.{verb}", who, "blobs/others/b") for verb in blobs)] == told(kept)


def test_what_changes_many_at_once_is_one_event(root: httpx.Client, kept: Kept) -> None:
    """A batch and a transaction name what they changed; what only looks is not a change."""
    items = [{"op": "put", "key": key, "value": 1, "namespace": "others"} for key in "ab"]
    assert root.post("/storage:transaction", json={"items": [*items, {**items[0], "op": "check"}]}).status_code == 200
    batch = [{key: value for key, value in item.items() if key != "namespace"} for item in items]
    assert root.post("/storage/others:batch", json={"items": [*batch, {"op": "get", "key": "a"}]}).status_code == 200
    changed = [event.details["changed"] for event in kept.events]
    assert [[f"document.{verb} storage/others/{key}" for key in "ab"] for verb in ("created", "changed")] == changed
    assert told(kept) == [("documents.changed", "urn:fsp:person:root", "storage")] * 2


def test_a_resumed_upload_is_in_the_trail(root: httpx.Client, kept: Kept) -> None:
    """Once, when it is complete."""
    begun = root.put("/blobs/others/r", content=b"one", headers={"Upload-Complete": "?0"})
    rest = {"Upload-Complete": "?1", "Upload-Offset": "3", "Content-Type": "application/partial-upload"}
    assert root.patch(begun.headers["location"], content=b"two", headers=rest).status_code == 201
    assert told(kept) == [("blob.uploaded", "urn:fsp:person:root", "blobs/others/r")]


def test_what_was_refused_or_repeated_changed_nothing(root: httpx.Client, kept: Kept) -> None:
    """A failed condition, a document that is not there, a replayed answer."""
    assert root.put("/storage/others/x", json=1, headers={"If-Match": '"1"'}).status_code == 412
    assert root.delete("/storage/others/x").status_code == 404
    assert told(kept) == []
    for _ in range(2):
        assert root.put("/storage/others/x", json=1, headers={"Idempotency-Key": "once"}).status_code == 201
    assert told(kept) == [("document.created", "urn:fsp:person:root", "storage/others/x")]


def test_users_and_programs_are_not_administrators(root: httpx.Client, kept: Kept) -> None:
    """What they change of their own is told by the change feed, and not by the trail."""
    ada = {"Authorization": "Bearer ada"}
    assert root.put("/storage/others/own", json=1, headers=ada).status_code == 201
    assert root.put("/blobs/others/own", content=b"1", headers=ada).status_code == 201
    assert root.delete("/storage/others/own", headers=ada).status_code == 204
    assert told(kept) == []
