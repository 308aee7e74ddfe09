"""Who may add to the queue, and that one submission is one run."""

from pathlib import Path

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

from .test_runs import BOB, CSV, RUNS, submitted


async def test_one_key_is_one_run(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Same key and content: the same run, marked; other content: refused; another person: another run."""
    key = {"idempotency-key": "k-1"}
    first = await submitted(client, headers=key)
    replay = await client.post(RUNS, files=CSV, headers=key)
    other = await client.post(RUNS, files={"export": ("x.csv", b"else", "text/csv")}, headers=key)
    bob = await client.post(RUNS, files=CSV, headers={**key, **BOB})
    assert (first["id"], "true") == (replay.json()["id"], replay.headers["idempotency-replayed"])
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert first["id"] != bob.json()["id"]


async def test_without_a_worker_nothing_is_taken(client: AsyncClient, tmp_path: Path) -> None:
    """503 with the command that mends it; no row and no blob is left."""
    answer = await client.post(RUNS, files=CSV)
    assert (answer.status_code, answer.json()["code"]) == (503, "RUNNER_UNAVAILABLE")
    assert "skriptoteket worker" in answer.json()["fix"]
    assert answer.headers["retry-after"]
    assert (await client.get("/api/v1/runs")).json()["items"] == []
    detail = (await client.get("/api/v1/tools/guardian-emails")).json()
    assert (detail["runnable"], detail["fix"].rpartition(": ")[2]) == (False, "skriptoteket worker")


async def test_ten_waiting_runs_are_enough(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """The eleventh is refused with Retry-After before its body is looked at; it works again after a cancel."""
    runs = [await submitted(client) for _ in range(10)]
    refused = await client.post(RUNS, content=b"no form at all")
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_RUNS")
    assert refused.headers["retry-after"]
    assert (await client.post(f"/api/v1/runs/{runs[0]['id']}/cancel")).status_code == 200
    await submitted(client)
