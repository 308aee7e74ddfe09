"""Schedules over HTTP, as JSON and as pages."""

from pathlib import Path
from typing import Any

from httpx import AsyncClient

from au_sys_storage_sdk import open_blobs
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

PATH = "/api/v1/schedules"
PAGE = {"accept": "text/html"}
BOB = {"authorization": "Bearer bob"}
CSV = {"export": ("klass.csv", "Klass;Förnamn\n7A;Åsa\n".encode(), "text/csv")}
PLAN = {"tool": "guardian-emails", "cron": "30 7 * * MON-FRI", "timezone": "Europe/Stockholm"}


async def made(client: AsyncClient) -> dict[str, Any]:
    """A schedule of Anna's with a file."""
    answer = await client.post(PATH, data={**PLAN, "inputs": '{"class_name": "7A"}'}, files=CSV)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PATH}/{answer.json()['id']}"
    found: dict[str, Any] = answer.json()
    return found


async def kept(folder: Path) -> list[str]:
    """Every stored file of schedules."""
    async with open_blobs(f"file://{folder}/blobs") as blobs:
        return [key async for key in BlobArtifactStore(blobs).keys("schedules/")]


async def test_a_schedule_keeps_its_files_until_it_is_removed(
    client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path
) -> None:
    """Made with a file, shown with five next times, run now with that file, removed with it; nobody else sees it."""
    found = await made(client)
    at = f"{PATH}/{found['id']}"
    assert (
        len(found["next_times"]),
        found["enabled"],
        [each["name"] for each in found["input"]["files"]],
    ) == (5, True, ["klass.csv"])
    assert len(await kept(tmp_path)) == 1
    run = await client.post(f"{at}/run-now")
    assert (run.status_code, run.json()["kind"], run.json()["state"]) == (202, "scheduled", "queued")
    again = await client.post(f"{at}/run-now")
    assert (again.status_code, again.json()["reason"]) == (409, "action_in_progress")
    for method, path in (("GET", at), ("DELETE", at), ("POST", f"{at}/pause"), ("POST", f"{at}/run-now")):
        assert (await client.request(method, path, headers=BOB)).status_code == 404
    assert (await client.get(PATH, headers=BOB)).json() == []
    assert (await client.delete(at)).status_code == 204
    assert await kept(tmp_path) == []
    assert (await client.get(at)).status_code == 404


async def test_steering(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Paused without next times, changed, resumed with them."""
    at = f"{PATH}/{(await made(client))['id']}"
    paused = (await client.post(f"{at}/pause")).json()
    assert (paused["pause"], paused["next_due_at"], paused["next_times"]) == ("owner", None, [])
    changed = await client.patch(at, json={"cron": "0 6 1 * *", "max_runs": 3})
    assert (changed.status_code, changed.json()["cron"], changed.json()["max_runs"]) == (200, "0 6 1 * *", 3)
    resumed = (await client.post(f"{at}/resume")).json()
    assert (resumed["enabled"], resumed["max_runs"]) == (True, 3)


async def test_what_is_wrong_is_told_and_leaves_no_file(
    client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path
) -> None:
    """Seconds, unknown zones and fields, too short an interval, a missing file, an unknown tool, no JSON."""
    bad = await client.post(PATH, data={**PLAN, "cron": "* * * * *", "timezone": "Mars"}, files=CSV)
    assert (422, {"cron", "timezone"}) == (bad.status_code, {each["field"] for each in bad.json()["errors"]})
    assert await kept(tmp_path) == []
    bare = await client.post(PATH, json={**PLAN, "cron": "0 0 0 * * *"})
    assert (422, {"cron", "export"}) == (bare.status_code, {each["field"] for each in bare.json()["errors"]})
    odd = await client.post(PATH, json={**PLAN, "ends_at": "tomorrow", "odd": 1})
    assert (422, {"ends_at", "odd"}) == (odd.status_code, {each["field"] for each in odd.json()["errors"]})
    assert (await client.post(PATH, json={**PLAN, "tool": "nothing"})).status_code == 404
    assert (await client.post(PATH, content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await client.get(f"{PATH}/nothing")).status_code == 404


async def test_the_pages(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """A form without JavaScript: wrong shown again, right kept, paused, changed and removed."""
    assert "You have no schedule yet" in (await client.get("/schedules", headers=PAGE)).text
    assert "/tools/guardian-emails/schedule" in (await client.get("/tools/guardian-emails", headers=PAGE)).text
    form = "/tools/guardian-emails/schedule"
    assert "Every weekday" in (await client.get(form, headers=PAGE)).text
    times = {"rhythm": "weekdays", "at": "7:15", "timezone": "Europe/Stockholm", "class_name": "7A"}
    wrong = await client.post(form, data={**times, "at": "soon"}, files=CSV, headers=PAGE)
    assert (wrong.status_code, "must be a time such as 07:30" in wrong.text) == (422, True)
    right = await client.post(form, data={**times, "max_runs": ""}, files=CSV, headers=PAGE)
    where = right.headers["location"]
    shown = (await client.get(where, headers=PAGE)).text
    assert "15 7 * * MON-FRI" in shown
    assert "15 7 * * MON-FRI" in (await client.get("/schedules", headers=PAGE)).text
    assert (await client.post(f"{where}/pause", headers=PAGE)).status_code == 303
    assert "Resume" in (await client.get(where, headers=PAGE)).text
    late = await client.post(where, data={**times, "ends_at": "2001-01-01"}, headers=PAGE)
    assert (late.status_code, "must lie in the future" in late.text) == (422, True)
    assert (await client.post(where, data={**times, "rhythm": "monthly"}, headers=PAGE)).status_code == 303
    assert "15 7 1 * *" in (await client.get(where, headers=PAGE)).text
    assert (await client.post(f"{where}/explode", headers=PAGE)).status_code == 422
    assert (await client.post(f"{where}/run-now", headers=PAGE)).status_code == 303
    assert (await client.post(f"{where}/remove", headers=PAGE)).status_code == 303
    assert (await client.get(where, headers=PAGE)).status_code == 404
