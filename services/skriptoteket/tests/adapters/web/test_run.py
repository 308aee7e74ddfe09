"""Upload to download, as a person in a browser without JavaScript."""

import re
from datetime import UTC, datetime, timedelta

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.models import Ended, Outcome, OutcomeCode, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

FORM = "/tools/guardian-emails/run"
PAGE = {"accept": "text/html"}
CSV = {"export": ("klass.csv", b"Klass;x\n7A;y\n", "text/csv")}


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(f'name="{name}" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


async def test_the_form_comes_from_the_schema(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """File, text and choice are labelled; the button can be pressed; limits are told."""
    page = (await client.get(FORM, headers=PAGE)).text
    for shown in (
        "Export from the pupil system",
        "Only this class",
        "Semicolon (Outlook)",
        "At most 20 MB",
        'enctype="multipart/form-data"',
    ):
        assert shown in page


async def test_a_double_click_is_one_run(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Both posts of one form lead to the same run."""
    key = hidden((await client.get(FORM, headers=PAGE)).text, "submission_key")
    answers = [await client.post(FORM, files=CSV, data={"submission_key": key}, headers=PAGE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len({answer.headers["location"] for answer in answers}) == 1


async def test_a_wrong_form_is_shown_again(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """422 with an error summary that leads to the field, and what was typed is still there."""
    answer = await client.post(FORM, files={"x": ("", b"")}, data={"class_name": '7"A'}, headers=PAGE)
    assert answer.status_code == 422
    assert 'href="#field-export"' in answer.text
    assert 'value="7&#34;A"' in answer.text


async def test_a_big_file_is_told_on_the_form(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """413 names the file and the limit."""
    answer = await client.post(FORM, files={"export": ("big.csv", b"x" * 20_000_001)}, headers=PAGE)
    assert answer.status_code == 413
    assert "big.csv is over the limit of 20 MB" in answer.text


async def test_waiting_then_refused(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """A waiting run refreshes itself, also without JavaScript; its refusal is told as text; then it rests."""
    at = (await client.post(FORM, files=CSV, headers=PAGE)).headers["location"]
    waiting = (await client.get(at, headers=PAGE)).text
    assert "Number 1 in the queue" in waiting
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting
    assert f'hx-get="{at}/live"' in waiting
    now = datetime.now(UTC)
    async with library.write() as unit:
        rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
        run = await unit.queue.claim(WorkerId("w"), rules, now, timedelta(seconds=30))
        assert run is not None
        assert run.claim is not None
        for state in (RunState.RUNNING, RunState.COLLECTING):
            await unit.queue.move(run.claim, state, now)
        refusal = Outcome(OutcomeCode.INPUT_REFUSED, "No <b>Klass</b> column")
        await unit.queue.finish(run.claim, Ended(refusal), now)
    over = (await client.get(at, headers=PAGE)).text
    assert "No &lt;b&gt;Klass&lt;/b&gt; column" in over
    assert "hx-get" not in over
    assert "klass.csv" in (await client.get("/my-runs", headers=PAGE)).text


async def test_a_run_without_isolation_says_so(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """What a worker for development made is marked on the run's page, in both languages; other runs are not."""
    pages = []
    for runner in ("unsafe", "zygote"):
        at = (await client.post(FORM, files=CSV, headers=PAGE)).headers["location"]
        async with library.write() as unit:
            rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
            run = await unit.queue.claim(WorkerId("w"), rules, datetime.now(UTC), timedelta(seconds=30))
            assert run is not None
            assert run.claim is not None
            await unit.queue.move(run.claim, RunState.RUNNING, datetime.now(UTC), runner=runner)
        pages.append((await client.get(at, headers=PAGE)).text)
        pages.append((await client.get(at, headers={**PAGE, "Accept-Language": "sv"})).text)

    assert ["not isolated" in page or "inte isolerad" in page for page in pages] == [True, True, False, False]


async def test_without_a_worker_the_page_says_so(client: AsyncClient) -> None:
    """In plain words with the command, and the button is off."""
    page = (await client.get(FORM, headers=PAGE)).text
    assert "This tool cannot be run right now" in page
    assert "skriptoteket worker" in page
    assert re.search(r"<button[^>]+disabled[^>]*>.*Run", page)


async def test_pages_of_the_catalogue(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Catalogue by profession and task, a tool, favourites; unknown words are 404."""
    for path in ("/browse", "/browse/larare", "/browse/larare/mentorskap", "/browse?q=guardian"):
        assert "Guardian e-mail list" in (await client.get(path, headers=PAGE)).text
    for path in ("/browse/astronaut", "/browse/larare/flying", "/tools/nothing", "/my-runs/x"):
        assert (await client.get(path, headers=PAGE)).status_code == 404
    kept = await client.post("/tools/guardian-emails/favourite", data={"wanted": "true"}, headers=PAGE)
    assert kept.status_code == 303
    assert "Forget as favourite" in (await client.get("/tools/guardian-emails", headers=PAGE)).text
