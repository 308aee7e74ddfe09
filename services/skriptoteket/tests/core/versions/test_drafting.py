"""Drafts: what they must hold, and whose they are."""

from dataclasses import replace

import pytest

from skriptoteket.core.catalog.curation import ToolTexts
from skriptoteket.core.errors import (
    Conflict,
    NotFound,
    ValidationFailed,
)
from skriptoteket.core.roles import Actor
from skriptoteket.core.versions.drafting import DraftChange
from skriptoteket.core.versions.models import ONE_FILE, VersionState

from .desk import Desk


async def test_strangers_see_no_versions(desk: Desk, people: dict[str, Actor]) -> None:
    """For somebody who does not maintain the tool its versions do not exist."""
    tool = await desk.tool()
    draft = await desk.draft(tool, "x = 1\n")
    stranger = Actor("urn:fsp:person:stranger", people["author"].rights)
    with pytest.raises(NotFound):
        await desk.drafting.versions(stranger, tool.id)
    with pytest.raises(NotFound):
        await desk.drafting.save(stranger, draft.id, DraftChange({}))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"source_code": "  "}, "source_code"),
        ({"source_code": "x" * 600_000}, "source_code"),
        ({"source_code": "x = '\x00'"}, "source_code"),
        ({"source_code": "x", "entrypoint": "class"}, "entrypoint"),
        ({"source_code": "x", "environment": "mars@1"}, "environment"),
        ({"source_code": "x", "limits": {"memory_mib": 9000}}, "limits.memory_mib"),
        ({"source_code": "x", "requirements": ["magic"]}, "requirements"),
        ({"source_code": "x", "colour": "red"}, "colour"),
        (
            {"source_code": "x", "input_schema": [{"kind": "integer", "name": "n", "min": 5, "max": 1}]},
            "input_schema.0.min",
        ),
    ],
)
async def test_wrong_behaviour_is_named(desk: Desk, fields: dict[str, object], wrong: str) -> None:
    """A wrong field is named with its rule and nothing is saved."""
    tool = await desk.tool()
    with pytest.raises(ValidationFailed) as refused:
        await desk.drafting.create(desk.people["author"], tool.id, DraftChange(fields))
    assert [wrong] == [issue.field for issue in refused.value.issues]
    assert list((await desk.drafting.versions(desk.people["author"], tool.id))[1]) == []


async def test_a_draft_inherits_what_is_not_sent(desk: Desk) -> None:
    """From the version that it is derived from; what is sent as empty or as nothing overwrites."""
    tool = await desk.tool()
    author = desk.people["author"]
    rich = {
        "source_code": "x = 1\n",
        "entrypoint": "main",
        "input_schema": [],
        "settings_schema": [{"kind": "boolean", "name": "loud"}],
        "usage_instructions": "Read me.",
        "limits": {"memory_mib": 1024},
        "idempotent": True,
    }
    first = await desk.drafting.create(author, tool.id, DraftChange(rich, "All of it."))
    assert (first.version_number, first.derived_from, first.change_summary) == (1, None, "All of it.")
    saved = await desk.drafting.save(author, first.id, DraftChange({"source_code": "x = 2\n"}))
    assert replace(first.behaviour, source_code="x = 2\n") == saved.behaviour
    assert (first.id, 2) == (saved.derived_from, saved.version_number)
    fields: dict[str, object] = {"input_schema": None, "settings_schema": [], "usage_instructions": "", "limits": {}}
    emptied = await desk.drafting.save(author, saved.id, DraftChange(fields))
    assert (
        emptied.behaviour.input_schema,
        emptied.behaviour.settings_schema,
        emptied.behaviour.usage_instructions,
        emptied.behaviour.limits,
        emptied.behaviour.entrypoint,
    ) == (ONE_FILE, (), "", {}, "main")
    _, versions = await desk.drafting.versions(author, tool.id)
    assert {VersionState.DRAFT} == {each.state for each in versions}
    back = await desk.drafting.save(author, emptied.id, DraftChange({}), content_from=first.id)
    assert (first.behaviour, emptied.id) == (back.behaviour, back.derived_from)


async def test_one_draft_head_at_a_time(desk: Desk) -> None:
    """A second first draft and a save on an old head are told the current one."""
    tool = await desk.tool()
    author = desk.people["author"]
    first = await desk.draft(tool, "x = 1\n")
    with pytest.raises(Conflict, match="Open it and go on from there") as refused:
        await desk.drafting.create(author, tool.id, DraftChange({"source_code": "y"}))
    assert (refused.value.reason, refused.value.facts) == ("draft_exists", {"draft_head_version_id": str(first.id)})
    second = await desk.drafting.save(author, first.id, DraftChange({"source_code": "x = 2\n"}))
    with pytest.raises(Conflict) as refused:
        await desk.drafting.save(author, first.id, DraftChange({"source_code": "x = 3\n"}))
    assert ("draft_head_moved", str(second.id)) == (
        refused.value.reason,
        refused.value.facts["draft_head_version_id"],
    )


async def test_another_tool_s_version_is_no_parent(desk: Desk) -> None:
    """Neither to derive from nor to take the content from."""
    tool = await desk.tool()
    author = desk.people["author"]
    other = await desk.curation.create(desk.people["reviewer"], ToolTexts(title="Other"))
    stray = await desk.drafting.create(desk.people["reviewer"], other.id, DraftChange({"source_code": "z = 1\n"}))
    with pytest.raises(NotFound):
        await desk.drafting.create(author, tool.id, DraftChange({"source_code": "x"}), derived_from=stray.id)
    head = await desk.draft(tool, "x = 1\n")
    with pytest.raises(NotFound):
        await desk.drafting.save(author, head.id, DraftChange({}), content_from=stray.id)
