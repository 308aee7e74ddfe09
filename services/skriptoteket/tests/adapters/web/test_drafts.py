"""What becomes of a draft beside its text: who may edit, what came back, what was tried with."""

import re
from typing import Any

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

from .test_authoring import PAGE, accepted, edited, page, reviewed, sent

BOB = {"authorization": "Bearer bob", **PAGE}
ONE_FILE = '[{"kind": "file", "name": "list", "min": 0, "max": 1}]'


async def _shared(client: AsyncClient) -> str:
    """A tool with one draft, that Bob maintains as well."""
    tool = await accepted(client)
    await sent(client, f"/admin/tools/{tool}/maintainers", subject="urn:fsp:person:bob")
    for text in ("x = 0\n", "x = 1\n"):
        await edited(client, tool, source_code=text, action="save")
    return tool


async def test_one_edits_and_the_others_are_told(client: AsyncClient) -> None:
    """A save takes the lock; somebody else sees who holds it, is refused, and takes over only with the right to."""
    tool = await _shared(client)
    his = (await client.get(f"/editor/tools/{tool}", headers=BOB)).text
    assert "anna is editing this draft" in his
    assert "Take over" not in his
    head = re.search(r'name="parent" value="([^"]+)"', his)
    assert head is not None
    parts = {"parent": head.group(1), "source_code": "x = 2\n", "action": "save"}
    late = await client.post(
        f"/editor/tools/{tool}", files={name: (None, text) for name, text in parts.items()}, headers=BOB
    )
    assert (late.status_code, "x = 2" in late.text) == (409, True)
    taking = await client.post(f"/editor/tools/{tool}/take-over", data={"head": head.group(1)}, headers=BOB)
    assert taking.status_code == 403
    api = f"/api/v1/tools/{tool}/draft-lock"
    assert (await client.delete(api)).status_code == 204
    his_program = {**BOB, "accept": "application/json"}
    assert (await client.put(api, json={"head_version_id": head.group(1)}, headers=his_program)).status_code == 200
    assert "bob is editing this draft" in await page(client, f"/editor/tools/{tool}")
    mine = await page(client, "/my-tools")
    assert ("being edited by bob" in mine, "Nobody ran it in the last 30 days." in mine) == (True, True)


async def test_a_reviewer_takes_over(client: AsyncClient, denied: frozenset[str]) -> None:
    """The stranger to the tool who may write every one sees the button; without it the post is refused."""
    tool = await _shared(client)
    text = await page(client, f"/editor/tools/{tool}")
    head = re.search(r'name="parent" value="([^"]+)"', text)
    assert head is not None
    assert "is editing this draft" not in text  # it is her own
    assert await sent(client, f"/editor/tools/{tool}/take-over", head=head.group(1)) == f"/editor/tools/{tool}"


async def test_a_version_is_withdrawn_and_continued(client: AsyncClient) -> None:
    """What comes back beside a newer draft is offered, and a save goes on from its text."""
    tool = await accepted(client)
    await edited(client, tool, source_code="x = 'submitted'\n", action="submit")
    shown = await page(client, f"/editor/tools/{tool}")
    way = re.search(r"/editor/versions/[0-9a-f-]{36}/withdraw", shown)
    assert way is not None
    await edited(client, tool, source_code="x = 'newer'\n", action="save")
    await sent(client, way.group(0), 422, rationale=" ")
    assert await sent(client, way.group(0), rationale="Not ready.") == f"/editor/tools/{tool}"
    shown = await page(client, f"/editor/tools/{tool}")
    assert "x = &#39;newer&#39;" in shown
    offered = re.search(rf"/editor/tools/{tool}\?version=([0-9a-f-]{{36}})", shown)
    assert offered is not None
    returned = await page(client, offered.group(0))
    assert "x = &#39;submitted&#39;" in returned
    assert f'name="content_from" value="{offered.group(1)}"' in returned
    await edited(client, tool, source_code="x = 'submitted'\n", content_from=offered.group(1), action="save")
    assert "Continue from this one" not in await page(client, f"/editor/tools/{tool}")


async def test_a_trial_takes_the_files_of_the_last(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Chosen once, tried twice; somebody else's trial lends nothing."""
    tool = await accepted(client)
    await edited(client, tool, source_code="x = 1\n", input_schema=ONE_FILE, action="save")
    files: dict[str, Any] = {
        "source_code": (None, "x = 1\n"),
        "input_schema": (None, ONE_FILE),
        "action": (None, "try"),
        "trial.list": ("a.csv", b"a;b\n"),
    }
    first = await client.post(f"/editor/tools/{tool}", files=files, headers=PAGE)
    kept = re.search(r'name="same_files" value="([0-9a-f-]{36})"', first.text.replace('type="checkbox" ', ""))
    assert "Use the files of the last trial again: a.csv" in first.text
    assert kept is not None
    files["same_files"] = (None, kept.group(1))
    del files["trial.list"]
    again = await client.post(f"/editor/tools/{tool}", files=files, headers=PAGE)
    run = re.search(r"/my-runs/([0-9a-f-]{36})/live", again.text)
    assert run is not None
    seen = (await client.get(f"/api/v1/runs/{run.group(1)}")).json()
    assert [each["name"] for each in seen["input"]["files"]] == ["a.csv"]
    foreign = {"files_from": (None, run.group(1)), "snapshot": (None, '{"source_code": "x"}')}
    other = (await client.post("/api/v1/admin/tools", json={"title": "Other"})).json()["id"]
    answer = await client.post(f"/api/v1/tools/{other}/sandbox-runs", files=foreign)
    assert answer.status_code == 404


async def test_a_refused_verdict_keeps_its_reason(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """What is wrong stands on the page, with the reason as it was typed; a second decision is told."""
    tool = await accepted(client)
    await edited(client, tool, source_code="x = 1\n", action="submit")
    path, shown = await reviewed(client)
    told = await sent(client, path, 422, verdict="publish", behaviour_hash=shown, rationale="Good & fine.", show="true")
    assert "Good &amp; fine." in told
    assert "address of its own" in told
    stale = await sent(client, path, 409, verdict="publish", behaviour_hash="0" * 64, rationale="Stale.")
    assert "not the version that you looked at" in stale
    await sent(client, path, verdict="publish", behaviour_hash=shown, rationale="Good.")
    assert "wait" in await sent(client, path, 409, verdict="publish", behaviour_hash=shown, rationale="Twice.")
