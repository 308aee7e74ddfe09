"""Who looks after a tool."""

from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.curation import Curation, ToolTexts
from skriptoteket.core.errors import Forbidden, NotFound, ValidationFailed
from skriptoteket.core.governance.stewardship.assignment import Candidate, Stewardship
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.roles import Actor

NEW = Candidate("urn:fsp:person:new", may_author=True)


@pytest.fixture
def stewardship(work: Any, clock: Any) -> Stewardship:
    """The verbs over each kind of store."""
    return Stewardship(work, clock, TimeOrderedIds())


@pytest.fixture
async def tool(work: Any, clock: Any, people: dict[str, Actor]) -> ToolId:
    """A tool that the reviewer owns and the author maintains."""
    made = await Curation(work, clock, TimeOrderedIds()).create(people["reviewer"], ToolTexts(title="Counter"))
    async with work.write() as unit:
        await unit.tools.add_maintainer(made.id, people["author"].subject)
    return made.id


async def test_every_change_is_recorded_once(stewardship: Stewardship, tool: ToolId, people: dict[str, Actor]) -> None:
    """Added twice is one record; removed with its reason; a new owner is a maintainer too."""
    boss = people["boss"]
    for _ in range(2):
        await stewardship.add(boss, tool, NEW)
    await stewardship.remove(boss, tool, people["author"].subject, "Left.")
    await stewardship.change_owner(boss, tool, Candidate("urn:fsp:person:heir", True), "New job.")
    found, maintainers, records = await stewardship.people(boss, tool)
    assert found.owner == "urn:fsp:person:heir"
    assert {people["reviewer"].subject, NEW.subject, "urn:fsp:person:heir"} == maintainers
    assert [(record.action, record.reason) for record in records] == [
        ("added", ""),
        ("removed", "Left."),
        ("owner_changed", "New job."),
    ]


async def test_the_owner_stays(stewardship: Stewardship, tool: ToolId, people: dict[str, Actor]) -> None:
    """Removing the owner is refused with what to do first."""
    with pytest.raises(Forbidden, match="another owner first"):
        await stewardship.remove(people["boss"], tool, people["reviewer"].subject, "Because.")


async def test_who_may_choose(stewardship: Stewardship, tool: ToolId, people: dict[str, Actor]) -> None:
    """Maintainers may not choose maintainers, strangers see no tool, curators give no owner away."""
    with pytest.raises(Forbidden):
        await stewardship.add(people["author"], tool, NEW)
    with pytest.raises(NotFound):
        await stewardship.add(Actor("urn:fsp:person:x", people["author"].rights), tool, NEW)
    with pytest.raises(NotFound):
        await stewardship.change_owner(people["reviewer"], tool, NEW, "Because.")


@pytest.mark.parametrize(("candidate", "field"), [(Candidate("urn:fsp:person:user", False), "subject")])
async def test_only_authors_become_maintainers(
    stewardship: Stewardship, tool: ToolId, people: dict[str, Actor], candidate: Candidate, field: str
) -> None:
    """The refusal names the bundle that is missing."""
    with pytest.raises(ValidationFailed, match="skriptoteket:contributor"):
        await stewardship.add(people["boss"], tool, candidate)
