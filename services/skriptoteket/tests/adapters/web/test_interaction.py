"""A result that offers to go on: its forms on the page, and the same as JSON."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.models import Ended, Outcome, OutcomeCode, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

PAGE = {"accept": "text/html"}
CSV = {"export": ("klass.csv", b"Klass;x\n7A;y\n", "text/csv")}
TOOL = "/api/v1/tools/guardian-emails"
MORE = {
    "action_id": "more",
    "label": "Show <b>more</b>",
    "fields": [{"kind": "integer", "name": "rows", "min": 1, "max": 9, "required": True}],
    "prefill": {"rows": 3},
}


async def end(library: SqlUnitOfWork, offer: Any = (MORE,)) -> None:
    """The worker takes the only waiting run and ends it with an offer."""
    now = datetime.now(UTC)
    async with library.write() as unit:
        rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
        run = await unit.queue.claim(WorkerId("w"), rules, now, timedelta(seconds=30))
        assert run is not None
        assert run.claim is not None
        for state in (RunState.RUNNING, RunState.COLLECTING):
            await unit.queue.move(run.claim, state, now)
        await unit.queue.finish(run.claim, Ended(Outcome(OutcomeCode.OK), next_actions=offer, state={"n": 1}), now)


async def begun(client: AsyncClient, library: SqlUnitOfWork) -> str:
    """The address of a finished run that offers to go on."""
    answer = await client.post("/tools/guardian-emails/run", files=CSV, headers=PAGE)
    assert answer.status_code == 303
    await end(library)
    return answer.headers["location"]


async def test_the_page_offers_its_forms_and_goes_on(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Label escaped, value prefilled; the post leads to the next run; the old page offers nothing more."""
    at = await begun(client, library)
    page = (await client.get(at, headers=PAGE)).text
    assert "Show &lt;b&gt;more&lt;/b&gt;" in page
    assert re.search(r'name="rows"[^>]* value="3"|value="3"[^>]* name="rows"', page)
    sent = {"action_id": "more", "state_rev": "2", "rows": "5"}
    wrong = await client.post(f"{at}/actions", data={**sent, "rows": "99"}, headers=PAGE)
    assert (wrong.status_code, "must be at most 9" in wrong.text) == (422, True)
    answer = await client.post(f"{at}/actions", data=sent, headers=PAGE)
    assert (answer.status_code, answer.headers["location"] != at) == (303, True)
    again = await client.post(f"{at}/actions", data=sent, headers=PAGE)
    assert (again.status_code, "still running" in again.text) == (409, True)
    await end(library, ())
    assert "went on from this result already" in (await client.get(at, headers=PAGE)).text
    assert (await client.post(f"{at}/actions", data={**sent, "action_id": "x"}, headers=PAGE)).status_code == 404


async def test_the_api_goes_on_by_rev(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Session, step, refusals, start over; nobody else sees it."""
    assert (await client.get(f"{TOOL}/session")).status_code == 404
    await begun(client, library)
    session = (await client.get(f"{TOOL}/session")).json()
    assert (session["state_rev"], session["next_actions"][0]["action_id"]) == (2, "more")
    body = {"action_id": "more", "input": {"rows": 4}, "expected_state_rev": 2}
    for wrong, status in (({"expected_state_rev": 1}, 409), ({"input": {}}, 422), ({"state": {}}, 422)):
        assert status == (await client.post(f"{TOOL}/actions", json={**body, **wrong})).status_code
    begun_step = await client.post(f"{TOOL}/actions", json=body)
    assert (begun_step.status_code, begun_step.json()["kind"]) == (202, "action")
    assert (await client.delete(f"{TOOL}/session")).status_code == 409
    await end(library, ())
    assert (await client.delete(f"{TOOL}/session")).status_code == 204
    stranger = await client.get(f"{TOOL}/session", headers={"authorization": "Bearer bob"})
    assert stranger.status_code == 404


async def test_the_next_step_takes_the_same_files(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Reuse gives the step a copy of what was uploaded, none gives it nothing; an unknown word is 422."""
    at = await begun(client, library)
    assert "With the same files: klass.csv" in (await client.get(at, headers=PAGE)).text
    assert (await client.get(f"{TOOL}/session")).json()["files"] == ["klass.csv"]
    body = {"action_id": "more", "input": {"rows": 4}, "expected_state_rev": 2}
    odd = await client.post(f"{TOOL}/actions", json={**body, "session_files": "all"})
    assert odd.status_code == 422
    step = await client.post(f"{TOOL}/actions", json={**body, "session_files": "reuse"})
    assert [each["name"] for each in step.json()["input"]["files"]] == ["klass.csv"]
    await end(library)
    plain = await client.post(f"{TOOL}/actions", json={**body, "expected_state_rev": 4})
    assert plain.json()["input"]["files"] == []
    await end(library)
    again = await client.post(f"{TOOL}/runs", json={"inputs": {}, "session_files": "reuse"})
    assert (again.status_code, again.json()["input"]["files"][0]["name"]) == (202, "klass.csv")
    await end(library)
    form = await client.post(f"{TOOL}/runs", files={"session_files": (None, "clear"), **CSV})
    assert form.status_code == 202
    await end(library, ())
    gone = await client.post(f"{TOOL}/runs", files={"session_files": (None, "reuse")})
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "session_files")
