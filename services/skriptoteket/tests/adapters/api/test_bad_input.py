"""Every row of the table of bad input, over HTTP: its answer names what is wrong, and nothing is kept."""

from typing import Any

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

NOBODY = "0192f0c1-7e5d-7aaa-8bbb-0123456789ab"
TOOL = "/api/v1/tools/guardian-emails"
CSV = ("klass.csv", b"Klass;x\n7A;y\n", "text/csv")
INTEGER = {"kind": "integer", "name": "n"}
FILE = {"kind": "file", "name": "f"}


@pytest.mark.parametrize(
    "path",
    [
        "runs/not-a-uuid",
        f"runs/{NOBODY}",
        f"runs/{NOBODY}/artifacts/x",
        f"runs/{NOBODY}/artifacts.zip",
        f"runs/{NOBODY}/logs",
        f"runs/{NOBODY}/events",
        "tool-versions/not-a-uuid",
        f"tool-versions/{NOBODY}/decisions",
        "schedules/not-a-uuid",
        f"schedules/{NOBODY}",
        f"admin/suggestions/{NOBODY}",
        "tools/nothing",
        "tools/nothing/settings",
        "tools/guardian-emails/session",
        f"tools/guardian-emails/sandbox-session?snapshot_id={NOBODY}",
        "no/such/path",
    ],
)
async def test_what_is_not_there(client: AsyncClient, path: str) -> None:
    """404, whether it is missing, somebody else's or no id at all."""
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=101", "limit=x", "cursor=forged", "state=odd"])
async def test_lists_refuse_odd_questions(client: AsyncClient, query: str) -> None:
    """422 names the parameter."""
    answer = await client.get(f"/api/v1/runs?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"].split(".")[-1]) == (422, query.partition("=")[0])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source_code": " "}, "source_code"),
        ({"source_code": "x" * (512 * 1024 + 1)}, "source_code"),
        ({"source_code": "x\x00"}, "source_code"),
        ({"source_code": "x", "entrypoint": ""}, "entrypoint"),
        ({"source_code": "x", "entrypoint": "x" * 129}, "entrypoint"),
        ({"source_code": "x", "entrypoint": "two words"}, "entrypoint"),
        ({"source_code": "x", "entrypoint": "import"}, "entrypoint"),
        ({"source_code": "x", "environment": "standard@99"}, "environment"),
        ({"source_code": "x", "requirements": ["magic"]}, "requirements"),
        ({"source_code": "x", "limits": {"wall_seconds": 901}}, "limits.wall_seconds"),
        ({"source_code": "x", "limits": {"speed": 1}}, "limits.speed"),
        ({"source_code": "x", "input_schema": [INTEGER, INTEGER]}, "input_schema.1.name"),
        ({"source_code": "x", "input_schema": [{"kind": "poem", "name": "n"}]}, "input_schema.0.kind"),
        ({"source_code": "x", "input_schema": [{**INTEGER, "min": 3, "max": 1}]}, "input_schema.0.min"),
        ({"source_code": "x", "input_schema": [{**INTEGER, "max": 1, "default": 2}]}, "input_schema.0.default"),
        ({"source_code": "x", "input_schema": [{**FILE, "name": f"f{n}"} for n in range(6)]}, "input_schema"),
        (
            {"source_code": "x", "input_schema": [{"kind": "enum", "name": "n", "options": [{"label": "A"}]}]},
            "input_schema.0.options.0.value",
        ),
        ({"source_code": "x", "surprise": 1}, "surprise"),
        ({"source_code": 7}, "source_code"),
    ],
)
async def test_a_wrong_draft(client: AsyncClient, body: dict[str, Any], field: str) -> None:
    """422 with the path of what is wrong; no version is kept."""
    tool = (await client.post("/api/v1/admin/tools", json={"title": "Counter"})).json()["id"]
    answer = await client.post(f"/api/v1/tools/{tool}/versions", json=body)
    assert answer.status_code == 422, answer.text
    assert field in [each["field"].removeprefix("body.") for each in answer.json()["errors"]]
    assert (await client.get(f"/api/v1/tools/{tool}/versions")).json() == []


async def test_a_syntax_error_is_saved(client: AsyncClient) -> None:
    """What does not compile is text like any other: its sandbox run will say where."""
    tool = (await client.post("/api/v1/admin/tools", json={"title": "Counter"})).json()["id"]
    answer = await client.post(f"/api/v1/tools/{tool}/versions", json={"source_code": "def (:\n"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("files", "status", "field"),
    [
        ({}, 422, "export"),
        ({"export": ("a/b.csv", b"x", "text/csv")}, 422, "export"),
        ({"export": ("a\\b.csv", b"x", "text/csv")}, 422, "export"),
        ({"export": ("x" * 200 + ".csv", b"x", "text/csv")}, 422, "export"),
        ({"export": ("..", b"x", "text/csv")}, 422, "export"),
        ({"export": ("a\u202eb.csv", b"x", "text/csv")}, 422, "export"),
        ({"export": ("a.exe", b"x", "text/csv")}, 422, "export"),
        ({"export": ("a.csv", b"PK\x03\x04", "text/csv")}, 422, "export"),
        ({"other": CSV}, 422, "other"),
        ({"export": CSV, "surprise": (None, "1")}, 422, "surprise"),
        ({"export": CSV, "class_name": (None, "x\x00")}, 422, "class_name"),
        ({"export": CSV, "inputs": (None, "{")}, 400, ""),
        ({"export": CSV, "inputs": (None, "[]")}, 422, "inputs"),
        ({"export": CSV, "session_files": (None, "all")}, 422, "session_files"),
    ],
)
async def test_a_wrong_submission(
    client: AsyncClient, library: SqlUnitOfWork, files: dict[str, Any], status: int, field: str
) -> None:
    """Names are not cleaned silently, content is looked at, unknown fields are named; no run is made."""
    sent = files or {"class_name": (None, "7A")}
    answer = await client.post(f"{TOOL}/runs", files=sent)
    assert status == answer.status_code, answer.text
    if field:
        assert field in [each["field"] for each in answer.json()["errors"]]
    assert (await client.get("/api/v1/runs")).json()["items"] == []


async def test_an_empty_file_is_data(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """The tool says what it thinks of it, not the service."""
    assert (await client.post(f"{TOOL}/runs", files={"export": ("a.csv", b"", "text/csv")})).status_code == 202


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "application/json"}, b"{", 400),
        ({"content-type": "application/json"}, b'{"inputs": {}, "state": 1}', 422),
        ({"content-type": "multipart/form-data"}, b"x", 400),
        ({"content-type": "multipart/form-data; boundary=b"}, b"--b\r\nbroken", 400),
        ({"content-type": "text/plain"}, b"x", 400),
        ({"content-type": "application/json", "idempotency-key": "å ä".encode().decode("latin-1")}, b"{}", 422),
    ],
)
async def test_a_body_that_cannot_be_read(
    client: AsyncClient, library: SqlUnitOfWork, headers: dict[str, str], content: bytes, status: int
) -> None:
    """400 where it cannot be taken apart, 422 where it can and does not fit; no run is made."""
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = await client.post(f"{TOOL}/runs", content=content, headers=raw)
    assert status == answer.status_code, answer.text
    assert (await client.get("/api/v1/runs")).json()["items"] == []


@pytest.mark.parametrize(
    "plan",
    [{"cron": "* * * * * *"}, {"cron": "* * * * *"}, {"timezone": "Mars/Olympus"}, {"max_runs": "0"}, {"cron": "x"}],
)
async def test_a_wrong_schedule(client: AsyncClient, plan: dict[str, str]) -> None:
    """Seconds, every minute, an unknown zone and nonsense are 422, and nothing is kept."""
    body = {"tool": "guardian-emails", "cron": "0 7 * * *", **plan}
    answer = await client.post("/api/v1/schedules", data=body, files={"export": CSV})
    assert answer.status_code == 422, answer.text
    assert (await client.get("/api/v1/schedules")).json() == []


async def test_second_decisions_and_stale_hashes(client: AsyncClient) -> None:
    """409 with the word for it: of a draft, by an old hash, for the second time, of what was never published."""
    tool = (await client.post("/api/v1/admin/tools", json={"title": "Counter"})).json()["id"]
    draft = (await client.post(f"/api/v1/tools/{tool}/versions", json={"source_code": "x = 1\n"})).json()
    at = f"/api/v1/tool-versions/{draft['id']}"
    verdict = {"rationale": "Fine.", "expected_behaviour_hash": draft["behaviour_hash"]}

    async def reason(path: str, body: dict[str, Any]) -> str:
        answer = await client.post(f"{at}/{path}", json=body)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["reason"])

    assert await reason("publish", verdict) == "wrong_state"
    assert await reason("rollback", verdict) == "never_published"
    second = await client.post(f"/api/v1/tools/{tool}/versions", json={"source_code": "x = 2\n"})
    assert (second.status_code, second.json()["reason"]) == (409, "draft_exists")
    assert (await client.post(f"{at}/submit-review", json={"note": ""})).status_code == 200
    assert await reason("publish", {**verdict, "expected_behaviour_hash": "0" * 64}) == "hash_mismatch"
    save = {"expected_parent_version_id": draft["id"], "source_code": "x = 3\n"}
    assert await reason("save", save) == "draft_head_moved"
    assert (await client.post(f"{at}/publish", json=verdict)).status_code == 201
    assert await reason("publish", verdict) == "wrong_state"
