"""Whatever stands in a row, a page shows text."""

from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.models import Artifact, Ended, Outcome, OutcomeCode, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

PAGE = {"accept": "text/html"}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
OUTPUTS: tuple[dict[str, Any], ...] = (
    {"kind": "notice", "level": "info", "message": EVIL},
    {"kind": "html", "html": EVIL + '<a href="javascript:alert(1)">x</a><p style="x" id="content">kept</p>'},
    {"kind": "markdown", "markdown": f"{EVIL}\n\n[x](javascript:alert(1)) [y](/logout) **kept**"},
    {
        "kind": "table",
        "title": EVIL,
        "columns": [{"key": "a", "label": EVIL, "align": 'left"><script>'}],
        "rows": [[EVIL], ["=HYPERLINK(1)"], ["-5"], ["+46 70"]],
    },
    {"kind": "json", "title": EVIL, "value": {EVIL: [EVIL]}},
    {"kind": "file", "path": EVIL, "artifact_id": "evil", "label": EVIL},
    {"kind": "plot", "file": "p.svg", "artifact_id": "p_svg", "alt": '"><script>', "title": EVIL},
    {"kind": "unknown", "html": EVIL},
)


async def finished(client: AsyncClient, library: SqlUnitOfWork) -> str:
    """The page of a run whose row holds hostile outputs, as if normalising had never been."""
    files = {"export": ("<b>.csv", b"a", "text/csv")}
    at = (await client.post("/tools/guardian-emails/run", files=files, headers=PAGE)).headers["location"]
    now = datetime.now(UTC)
    async with library.write() as unit:
        rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
        run = await unit.queue.claim(WorkerId("w"), rules, now, timedelta(seconds=30))
        assert run is not None
        assert run.claim is not None
        for state in (RunState.RUNNING, RunState.COLLECTING):
            await unit.queue.move(run.claim, state, now)
        artifacts = tuple(
            Artifact(name, path, 1, "0" * 64, kind, f"runs/{run.id}/1/{name}")
            for name, path, kind in (("evil", EVIL, "text/html"), ("p_svg", "p.svg", "image/svg+xml"))
        )
        await unit.queue.finish(run.claim, Ended(Outcome(OutcomeCode.OK), outputs=OUTPUTS, artifacts=artifacts), now)
    return str(at)


async def test_a_page_shows_hostile_rows_as_text(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """No tag, handler or address of the row's own; the harmless parts stay; the policy allows no inline script."""
    answer = await client.get(await finished(client, library), headers=PAGE)
    assert answer.status_code == 200
    content = answer.text[answer.text.index('<main id="content"') :]
    assert "<script>" not in content
    assert "<img src=x" not in content
    assert "javascript:" not in content.replace("[x](javascript:alert(1))", "")
    assert 'id="content">kept' not in content
    assert 'href="/logout"' not in content[: content.index("</main>")]
    assert "<p>kept</p>" in content
    assert "<strong>kept</strong>" in content
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_a_table_as_csv_holds_no_formula(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """What a spreadsheet would run gets an apostrophe; numbers stay numbers."""
    at = await finished(client, library)
    answer = await client.get(f"{at}/tables/3", headers=PAGE)
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[-3:] == ["'=HYPERLINK(1)", "-5", "'+46 70"]
    assert "attachment" in answer.headers["content-disposition"]
    assert (await client.get(f"{at}/tables/0", headers=PAGE)).status_code == 404
