"""Each row of the API through a real server: for an operator with identity's roles, and for a person without any."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import pytest

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform import create_app
from fastapi_services_platform.testing import serve
from fastapi_services_platform.testing.started_app import settings_for

PASSWORD = "correct horse battery staple"
MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Row:
    """One operation: the request, what an operator gets, and a request of the operator's that is wrong."""

    method: str
    path: str
    status: int
    wrong: str
    wrong_status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


BATCH = json.dumps({"items": [{"op": "put", "key": "b", "value": 1}]})
TRANSACTION = json.dumps({"items": [{"op": "put", "namespace": "notes", "key": "t", "value": 1}]})
ROWS = (
    Row("POST", "/storage/notes/a/b", 201, "/storage/notes/a%00", 422, "1"),
    Row("PUT", "/storage/notes/k", 201, "/storage/UPPER/k", 422, '{"n":1}'),
    Row("GET", "/storage/notes/k", 200, "/storage/notes/none", 404),
    Row("HEAD", "/storage/notes/k", 200, "/storage/notes/none", 404),
    Row("PATCH", "/storage/notes/k", 200, "/storage/identity.users/k", 403, '{"m":2}', MERGE),
    Row("GET", "/storage/notes", 200, "/storage/notes?limit=0", 422),
    Row("HEAD", "/storage/notes", 200, "/storage/audit", 403),
    Row("POST", "/storage/notes:batch", 200, "/storage/settings:batch", 403, BATCH),
    Row("POST", "/storage:transaction", 200, "/storage:transaction?", 422, TRANSACTION),
    Row("GET", "/storage", 200, "/storage/switch", 422),
    Row("HEAD", "/storage", 200, "/storage/health", 422),
    Row("PUT", "/blobs/files/k", 201, "/blobs/identity.photos/k", 403, "abc"),
    Row("GET", "/blobs/files/k", 200, "/blobs/files/none", 404),
    Row("HEAD", "/blobs/files/k", 200, "/blobs/files/none", 404),
    Row("GET", "/blobs/files", 200, "/blobs/discovery", 422),
    Row("HEAD", "/blobs/files", 200, "/blobs/storage.uploads", 403),
    Row("POST", "/storage/switch/second?dry_run=true", 202, "/storage/switch/nowhere", 422),
    Row("GET", "/storage/switch/{operation}", 200, "/storage/switch/none", 404),
    Row("HEAD", "/storage/switch/{operation}", 200, "/storage/switch/none", 404),
    Row("POST", "/storage/switch/{operation}/rollback", 202, "/storage/switch/none/rollback", 422),
    Row("DELETE", "/storage/switch/{operation}", 422, "/storage/switch/none", 404),
    Row("DELETE", "/storage/notes/k", 204, "/storage/notes/none", 404),
    Row("DELETE", "/blobs/files/k", 204, "/blobs/files/none", 404),
)


@dataclass(frozen=True)
class Callers:
    """Clients of one server: with every right, with the role of an editor, with no role."""

    admin: httpx.Client
    editor: httpx.Client
    person: httpx.Client


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """Identity and storage on real files behind a real server, and three people."""
    folder = tmp_path_factory.mktemp("table")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "STORAGE_SWITCH_TARGETS": json.dumps({"second": f"sqlite://{folder}/second.db"}),
            "IDENTITY_REGISTRATION": "open", "IDENTITY_REGISTRATION_VERIFY": "off", "IDENTITY_PASSWORD_MEMORY_KIB": "8",
            "IDENTITY_PASSWORD_TIME_COST": "1", "FSP_DATA_DIR": str(folder), "FSP_ENVIRONMENT": "test",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        command = [str(Path(sys.executable).parent / "au-sys-identity"), "create-admin", "--email", "root@example.org"]
        subprocess.run(command, input=PASSWORD, text=True, check=True, capture_output=True)
        identity = entry_points(group="au_sys_plugins")["identity"].load()
        app = create_app(settings_for(folder), capabilities=[Storage(), identity()])
        with serve(app) as url:
            found = Callers(*(signed_in(url, name) for name in ("root", "eve", "ann")))
            editor = found.editor.get("/users/me").json()["id"]
            given = found.admin.post(f"/rbac/users/{editor}/roles", json={"role": "storage:editor"})
            assert given.status_code == 201
            yield found
            for client in (found.admin, found.editor, found.person):
                client.close()


def signed_in(url: str, name: str) -> httpx.Client:
    """A client of a person, who registers unless she is there."""
    client = httpx.Client(base_url=url, timeout=30)
    known = {"email": f"{name}@example.org", "password": PASSWORD}
    client.post("/auth/register", json=known)
    answer = client.post("/auth/jwt/login", json=known)
    assert answer.status_code == 200
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def test_every_row_works_for_an_operator_and_refuses_what_is_wrong(callers: Callers) -> None:
    """In the order of a life: written, read, changed, moved, removed; each row once right and once wrong."""
    found, operation = [], ""
    for row in ROWS:
        if "{operation}" in row.path and not operation:
            operation = moved(callers.admin)
        answer = callers.admin.request(
            row.method, row.path.replace("{operation}", operation), content=row.body, headers=row.headers
        )
        wrong_body = "{}" if row.path == "/storage:transaction" else row.body
        wrong = callers.admin.request(row.method, row.wrong, content=wrong_body, headers=row.headers)
        if answer.status_code != row.status or wrong.status_code != row.wrong_status:
            found.append((row.method, row.path, answer.status_code, wrong.status_code))
        if row.method == "POST" and row.path.endswith("/rollback"):
            operation = answer.json()["operation"]
            settled(callers.admin, operation)
    assert found == []


def moved(client: httpx.Client) -> str:
    """Switch to the second backend and wait for it; the operation."""
    operation = str(client.post("/storage/switch/second").json()["operation"])
    settled(client, operation)
    return operation


def settled(client: httpx.Client, operation: str) -> None:
    """Wait until a switch is over."""
    while client.get(f"/storage/switch/{operation}").json()["phase"] in {"copying", "tailing"}:
        pass


def test_every_row_is_closed_to_a_person_without_a_role(callers: Callers) -> None:
    """403 with the missing right, whatever is there; without a credential 401."""
    for row in (*ROWS, Row("GET", "/storage/notes:watch", 0, "", 0)):
        path = row.path.replace("{operation}", "x")
        answer = callers.person.request(row.method, path, content=row.body, headers=row.headers)
        assert answer.status_code == 403, row
        stranger = callers.person.request(row.method, path, content=row.body, headers={"Authorization": ""})
        assert stranger.status_code == 401, row


def test_an_editor_writes_and_does_not_operate(callers: Callers) -> None:
    """The bundle gives documents and blobs, not backends."""
    assert callers.editor.put("/storage/edited/k", json=1).status_code == 201
    assert callers.editor.put("/blobs/edited/k", content=b"1").status_code == 201
    assert callers.editor.get("/storage").status_code == 403
    assert callers.editor.post("/storage/switch/second").status_code == 403
    assert callers.editor.get("/storage/identity.users").status_code == 403


def test_the_switch_left_its_trace(callers: Callers) -> None:
    """Who moved what where is in the audit trail."""
    page = callers.admin.get("/platform/api/audit", params={"action": "storage.switch-begun"})
    if page.status_code == 404:
        page = callers.admin.get("/platform/audit", headers={"Accept": "text/html"})
    assert "storage.switch-begun" in page.text
