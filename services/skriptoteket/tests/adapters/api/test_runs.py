"""Submit, watch, cancel and download over HTTP."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from au_sys_storage_sdk import open_blobs
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.models import Artifact, Ended, Outcome, OutcomeCode, RunState, StreamText
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

RUNS = "/api/v1/tools/guardian-emails/runs"
CSV = {"export": ("klass.csv", "Klass;Förnamn\n7A;Åsa\n".encode(), "text/csv")}
BOB = {"authorization": "Bearer bob"}


async def submitted(client: AsyncClient, **more: Any) -> dict[str, Any]:
    """A run of Anna's."""
    answer = await client.post(RUNS, files=CSV, **more)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def finished(library: SqlUnitOfWork, folder: Path, content: bytes = b"a@example.org") -> None:
    """The next run, ended with one file."""
    rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
    now = datetime.now(UTC)

    async def once() -> Any:
        yield content

    async with open_blobs(f"file://{folder}/blobs") as blobs:
        await BlobArtifactStore(blobs).write("runs/x/1/artifacts/0", once())
    async with library.write() as unit:
        run = await unit.queue.claim(WorkerId("w"), rules, now, timedelta(seconds=30))
        assert run is not None
        assert run.claim is not None
        for state in (RunState.RUNNING, RunState.COLLECTING):
            await unit.queue.move(run.claim, state, now)
        artifact = Artifact(
            "list_html",
            'Å "list".html',
            len(content),
            hashlib.sha256(content).hexdigest(),
            "text/html",
            "runs/x/1/artifacts/0",
        )
        table: dict[str, Any] = {
            "kind": "table",
            "title": "T",
            "columns": [{"key": "a", "label": "A", "align": "left"}],
            "rows": [["=1+1"], ["-5"]],
        }
        ended = Ended(
            Outcome(OutcomeCode.OK), outputs=(table,), artifacts=(artifact,), stdout=StreamText("secret", 6, 0)
        )
        await unit.queue.finish(run.claim, ended, now)


async def test_a_submission_is_a_durable_row(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """202 with the address of the waiting run, its place and its input; the address answers the same."""
    answer = await client.post(RUNS, files=CSV, data={"inputs": '{"class_name": " 7A "}'})
    run = answer.json()
    again = (await client.get(answer.headers["location"])).json()
    assert (run["id"], "queued", 1) == (again["id"], again["state"], again["queue"]["position"])
    assert again["input"]["values"] == {"class_name": "7A", "separator": "semicolon"}
    assert [file["name"] for file in again["input"]["files"]] == ["klass.csv"]


async def test_waiting_times_out_with_the_run_as_it_is(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Prefer: wait answers 202 when the run is not over in time."""
    answer = await client.post(RUNS, files=CSV, headers={"prefer": "wait=0"})
    assert (answer.status_code, answer.headers.get("preference-applied")) == (202, None)


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ({"json": {"inputs": {}}}, 422, "VALIDATION_ERROR"),
        ({"json": {"inputs": {}, "more": 1}}, 422, "VALIDATION_ERROR"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "MALFORMED_REQUEST"),
        ({"content": b"hello", "headers": {"content-type": "text/plain"}}, 400, "MALFORMED_REQUEST"),
        (
            {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
            400,
            "MALFORMED_REQUEST",
        ),
        ({"files": {"export": ("a.xlsx", b"PK\x03\x04", "text/csv")}}, 422, "VALIDATION_ERROR"),
        ({"files": {"export": ("a.csv", b"%PDF-1.7", "text/csv")}}, 422, "VALIDATION_ERROR"),
        ({"files": {"export": ("..", b"a", "text/csv")}}, 422, "VALIDATION_ERROR"),
        ({"files": {"other": ("a.csv", b"a", "text/csv")}}, 422, "VALIDATION_ERROR"),
        ({"files": [("export", ("a.csv", b"a")), ("export", ("b.csv", b"b"))]}, 422, "VALIDATION_ERROR"),
        ({"files": CSV, "data": {"inputs": "["}}, 400, "MALFORMED_REQUEST"),
        ({"files": CSV, "data": {"inputs": '{"separator": "dash"}'}}, 422, "VALIDATION_ERROR"),
        ({"files": CSV, "headers": {"idempotency-key": "å"}}, 422, "VALIDATION_ERROR"),
        ({"files": {"export": ("a.csv", b"x" * 20_000_001, "text/csv")}}, 413, "PAYLOAD_TOO_LARGE"),
        ({"files": [("export", (f"{n}.csv", b"x" * 15_000_000)) for n in range(4)]}, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_bad_input(
    client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path, parts: dict[str, Any], status: int, code: str
) -> None:
    """Each gets its code; nothing is queued and no blob is left behind."""
    headers = {key: value.encode() for key, value in parts.pop("headers", {}).items()}
    answer = await client.post(RUNS, headers=headers, **parts)
    assert (status, code) == (answer.status_code, answer.json().get("code"))
    assert (await client.get("/api/v1/runs")).json()["items"] == []
    async with open_blobs(f"file://{tmp_path}/blobs") as blobs:
        assert tuple((await blobs.scoped("skriptoteket").list("runs/")).items) == ()


async def test_cancelling(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Cancelled twice is fine; what is over cannot be cancelled."""
    run = await submitted(client)
    for _ in range(2):
        assert (await client.post(f"/api/v1/runs/{run['id']}/cancel")).status_code == 200
    assert (await client.get(f"/api/v1/runs/{run['id']}")).json()["outcome"] == "cancelled"
    done = await submitted(client)
    await finished(library, tmp_path)
    answer = await client.post(f"/api/v1/runs/{done['id']}/cancel")
    assert (answer.status_code, answer.json()["reason"]) == (409, "wrong_state")


@pytest.mark.parametrize(
    "path", ["", "/logs", "/artifacts", "/artifacts.zip", "/artifacts/list_html", "/events", "/cancel"]
)
async def test_somebody_else_s_run_does_not_exist(
    client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path, path: str
) -> None:
    """Bob gets 404 for everything of Anna's run."""
    run = await submitted(client)
    await finished(library, tmp_path)
    method = "POST" if path == "/cancel" else "GET"
    answer = await client.request(method, f"/api/v1/runs/{run['id']}{path}", headers=BOB)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_users_never_read_logs(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Anna ran it and does not maintain it: what the script printed is not hers to read."""
    run = await submitted(client)
    await finished(library, tmp_path)
    assert (await client.get(f"/api/v1/runs/{run['id']}/logs")).status_code == 404


async def test_events_end_with_done(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """The stream of a finished run tells its state and ends; a wrong Last-Event-ID starts from the beginning."""
    run = await submitted(client)
    await finished(library, tmp_path)
    answer = await client.get(f"/api/v1/runs/{run['id']}/events", headers={"last-event-id": "x"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "event: done" in answer.text


async def test_lists_are_paged(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Newest first, cursor by cursor, each run once; wrong cursors and limits are refused."""
    ids = [(await submitted(client))["id"] for _ in range(5)]
    first = (await client.get("/api/v1/runs", params={"limit": 3})).json()
    rest = (await client.get("/api/v1/runs", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert list(reversed(ids)) == [run["id"] for run in [*first["items"], *rest["items"]]]
    assert None is rest["next_cursor"]
    for params in ({"cursor": "x"}, {"limit": 0}, {"limit": 101}):
        assert (await client.get("/api/v1/runs", params=params)).status_code == 422


async def test_only_the_run_permission_opens_runs(client: AsyncClient) -> None:
    """Nobody without a token gets in; ids that are none are not found."""
    client.headers.pop("authorization")
    assert (await client.get("/api/v1/runs")).status_code == 401
    assert (await client.get("/api/v1/runs/not-a-uuid", headers=BOB)).status_code == 404
