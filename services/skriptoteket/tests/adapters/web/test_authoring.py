"""From suggestion to roll back, through the pages, without JavaScript."""

import re
from typing import Any

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

PAGE = {"accept": "text/html"}
IDEA: dict[str, Any] = {
    "title": "Counter",
    "description": "Counts rows.",
    "professions": "larare",
    "categories": "ovrigt",
}


async def page(client: AsyncClient, path: str, status: int = 200) -> str:
    """A page with the expected status."""
    answer = await client.get(path, headers=PAGE)
    assert status == answer.status_code, answer.text
    return answer.text


async def sent(client: AsyncClient, path: str, status: int = 303, **form: Any) -> str:
    """A form with the expected status; where it leads, or the page that came back."""
    answer = await client.post(path, data=form, headers=PAGE)
    assert status == answer.status_code, answer.text
    return str(answer.headers.get("location", answer.text))


async def edited(client: AsyncClient, tool: str, status: int = 303, **form: str) -> str:
    """The editor's form; where it leads, or the page that came back."""
    text = await page(client, f"/editor/tools/{tool}")
    parent = re.search(r'name="parent" value="([^"]*)"', text)
    assert parent is not None
    parts = {"parent": parent.group(1), "input_schema": "[]", "settings_schema": "[]", "limits": "{}", **form}
    answer = await client.post(
        f"/editor/tools/{tool}", files={name: (None, value) for name, value in parts.items()}, headers=PAGE
    )
    assert status == answer.status_code, answer.text
    return str(answer.headers.get("location", answer.text))


async def accepted(client: AsyncClient) -> str:
    """A tool that came from a suggestion."""
    assert await sent(client, "/suggestions/new", **IDEA) == "/suggestions/mine"
    found = re.search(r"/admin/suggestions/([0-9a-f-]{36})", await page(client, "/admin/suggestions"))
    assert found is not None
    await sent(client, f"/admin/suggestions/{found.group(1)}", **IDEA, verdict="accept", rationale="Good idea.")
    mine = await page(client, "/suggestions/mine")
    assert "Good idea." in mine
    tool = re.search(r"/editor/tools/([0-9a-f-]{36})", mine)
    assert tool is not None
    return tool.group(1)


async def reviewed(client: AsyncClient) -> tuple[str, str]:
    """The path of the only waiting review, and the hash on it."""
    found = re.search(r"/reviews/[0-9a-f-]{36}", await page(client, "/reviews"))
    assert found is not None
    text = await page(client, found.group(0))
    shown = re.search(r'name="behaviour_hash" value="([0-9a-f]{64})"', text)
    assert shown is not None
    return found.group(0), shown.group(1)


async def test_the_whole_way(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """Suggest, accept, write, try, submit, ask for changes, publish, show, publish a bad version, roll back."""
    tool = await accepted(client)
    await edited(client, tool, source_code="x = 1\n", action="save", change_summary="First.")
    tried = await edited(client, tool, 200, source_code="x = 'unsaved'\n", action="try")
    assert "x = &#39;unsaved&#39;" in tried
    assert re.search(r'hx-get="/my-runs/[0-9a-f-]{36}/live"', tried)
    assert await edited(client, tool, source_code="x = 1\n", action="submit", note="Please.") == "/my-tools"
    assert "in review" in await page(client, "/my-tools")
    path, shown = await reviewed(client)
    await sent(client, path, verdict="request_changes", behaviour_hash=shown, rationale="Name it.")
    await edited(client, tool, source_code="x = 2\n", action="submit")
    path, shown = await reviewed(client)
    assert "Name it." in await page(client, path)
    await sent(client, path, verdict="publish", behaviour_hash=shown, rationale="Fine.")
    refused = await sent(client, f"/admin/tools/{tool}/visibility", 422, shown="true")
    assert "address of its own" in refused
    texts: dict[str, Any] = {"slug": "counter", "title": "Counter", "professions": "larare", "categories": "ovrigt"}
    await sent(client, f"/admin/tools/{tool}", **texts)
    await sent(client, f"/admin/tools/{tool}/visibility", shown="true")
    assert "Counter" in await page(client, "/browse")
    await edited(client, tool, source_code="bad = True\n", action="submit")
    path, shown = await reviewed(client)
    assert "diff-added" in await page(client, path)
    await sent(client, path, verdict="publish", behaviour_hash=shown, rationale="Fine too.")
    admin = await page(client, f"/admin/tools/{tool}")
    target = re.findall(
        r'/admin/versions/([0-9a-f-]{36})/rollback.*?behaviour_hash" value="([0-9a-f]{64})"', admin, re.S
    )
    good = next(pair for pair in target if pair[1] != shown)
    await sent(client, f"/admin/versions/{good[0]}/rollback", behaviour_hash=good[1], rationale="It loses rows.")
    assert "Rolled back to version" in await page(client, f"/admin/tools/{tool}")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"source_code": " "}, "must not be empty"),
        ({"source_code": "x", "input_schema": "[{"}, "is no JSON"),
        (
            {"source_code": "x", "input_schema": '[{"kind": "integer", "name": "n", "min": 3, "max": 1}]'},
            "not be above",
        ),
        ({"source_code": "x", "entrypoint": "import"}, "name of a Python function"),
    ],
)
async def test_a_wrong_draft_comes_back_with_its_text(client: AsyncClient, form: dict[str, str], told: str) -> None:
    """422, what is wrong in words, nothing saved, nothing lost."""
    tool = await accepted(client)
    back = await edited(client, tool, 422, change_summary="Mine & yours", **form)
    assert told in back
    assert "Mine &amp; yours" in back
    assert "No version yet." in await page(client, f"/editor/tools/{tool}")


async def test_a_lost_save_keeps_the_text(client: AsyncClient) -> None:
    """A form that was opened before somebody else saved answers 409 and shows its text again."""
    tool = await accepted(client)
    await edited(client, tool, source_code="x = 1\n", action="save")
    old = re.search(r'name="parent" value="([^"]+)"', await page(client, f"/editor/tools/{tool}"))
    assert old is not None
    await edited(client, tool, source_code="x = 2\n", action="save")
    back = await edited(client, tool, 409, source_code="x = 'precious'\n", action="save", parent=old.group(1))
    assert "x = &#39;precious&#39;" in back
    assert "Somebody saved in between" in back


async def test_a_reviewer_tries_the_version_under_review(client: AsyncClient) -> None:
    """The link on the review leads to the editor with exactly that text."""
    tool = await accepted(client)
    await edited(client, tool, source_code="x = 'old'\n", action="save")
    await edited(client, tool, source_code="x = 'under review'\n", action="submit")
    await edited(client, tool, source_code="x = 'next idea'\n", action="save")
    path, _ = await reviewed(client)
    link = re.search(r'href="(/editor/tools/[^"]+version=[^"]+)"', await page(client, path))
    assert link is not None
    assert "under review&#39;" in await page(client, link.group(1))


async def test_the_trial_never_stops_saving(client: AsyncClient) -> None:
    """A file that the tool demands is not demanded by the editor's own form."""
    tool = await accepted(client)
    text = await page(client, f"/editor/tools/{tool}")
    trial = re.search(r'<input class="input input-file"[^>]*name="trial.file"[^>]*>', text)
    assert trial is not None
    assert "required" not in trial.group(0)


async def test_strangers_have_no_editor(client: AsyncClient) -> None:
    """Bob may write tools, not this one."""
    tool = await accepted(client)
    client.headers["authorization"] = "Bearer bob"
    await page(client, f"/editor/tools/{tool}", 404)
    assert "You look after no tool yet" in await page(client, "/my-tools")


async def test_maintainers(client: AsyncClient) -> None:
    """Added by address, shown by name, removed with a reason; the owner stays."""
    tool = await accepted(client)
    await sent(client, f"/admin/tools/{tool}/maintainers", subject="urn:fsp:person:bob")
    assert "bob" in await page(client, f"/admin/tools/{tool}")
    remove = f"/admin/tools/{tool}/maintainers/remove"
    await sent(client, remove, 422, subject="urn:fsp:person:bob", reason="")
    await sent(client, remove, subject="urn:fsp:person:bob", reason="Left.")
    await sent(client, remove, 403, subject="urn:fsp:person:anna", reason="Left.")
    await sent(client, f"/admin/tools/{tool}/maintainers", 422, subject="nobody@example.org")


async def test_another_owner(client: AsyncClient) -> None:
    """By page or API, with a reason that is kept; an unknown person and no reason are told in the form."""
    tool = await accepted(client)
    owner = f"/admin/tools/{tool}/owner"
    assert "write the reason" in await sent(client, owner, 422, owner="urn:fsp:person:bob", reason=" ")
    assert "does not hold the right" in await sent(client, owner, 422, owner="nobody@example.org", reason="New job.")
    await sent(client, owner, owner="urn:fsp:person:bob", reason="New job.")
    found = (await client.get(f"/api/v1/tools/{tool}/maintainers")).json()
    assert found["owner"] == "urn:fsp:person:bob"
    assert found["maintainers"] == ["urn:fsp:person:anna", "urn:fsp:person:bob"]
    back = await client.put(
        f"/api/v1/tools/{tool}/owner", json={"subject": "urn:fsp:person:anna", "reason": "Came back."}
    )
    assert back.json()["owner"] == "urn:fsp:person:anna"
    records = (await client.get(f"/api/v1/tools/{tool}/maintainers")).json()["records"]
    assert [each["reason"] for each in records if each["action"] == "owner_changed"] == ["New job.", "Came back."]


async def test_a_wrong_suggestion_is_shown_again(client: AsyncClient) -> None:
    """422 names the missing tags and keeps the text."""
    back = await sent(client, "/suggestions/new", 422, title="T", description="Keep me")
    assert "choose at least one" in back
    assert "Keep me" in back


async def test_a_maintainer_names_the_tool(client: AsyncClient) -> None:
    """The editor leads to the texts while nobody saw the tool; an address is proposed; a wrong form keeps what was
    typed, also the curator's; the program's way is the same."""
    tool = await accepted(client)
    at = f"/my-tools/{tool}/texts"
    assert at in await page(client, f"/editor/tools/{tool}")
    assert 'value="counter"' in await page(client, at)
    for path in (at, f"/admin/tools/{tool}"):
        wrong = await client.post(path, data={"slug": "no address", "title": "Räknaren"}, headers=PAGE)
        assert (wrong.status_code, 'value="no address"' in wrong.text) == (422, True)
        assert 'value="Räknaren"' in wrong.text
        taken = await client.post(path, data={"slug": "guardian-emails", "title": "T"}, headers=PAGE)
        assert (taken.status_code, "Choose another one." in taken.text) == (409, True)
    texts = {"slug": "my-counter", "title": "Counter", "professions": "larare", "categories": "ovrigt"}
    done = await client.post(at, data=texts, headers=PAGE)
    assert (done.status_code, done.headers["location"]) == (303, f"/editor/tools/{tool}")
    told = await client.patch("/api/v1/tools/my-counter", json={"summary": "Counts."})
    assert (told.status_code, told.json()["summary"], told.json()["professions"]) == (200, "Counts.", ["larare"])
