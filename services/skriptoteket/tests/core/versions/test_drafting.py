"""Drafts: what they must hold, and whose they are."""

import pytest

from skriptoteket.core.errors import (
    NotFound,
    ValidationFailed,
)
from skriptoteket.core.roles import Actor
from skriptoteket.core.versions.drafting import DraftChange

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
