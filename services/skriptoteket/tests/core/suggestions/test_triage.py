"""An idea gets one verdict."""

import asyncio
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.errors import Conflict, NotFound, ValidationFailed
from skriptoteket.core.governance.suggestions.models import Idea, Suggestion, SuggestionStatus
from skriptoteket.core.governance.suggestions.triage import Suggesting, Verdict
from skriptoteket.core.roles import USER_RIGHTS, Actor
from skriptoteket.core.versions.bank.taxonomy import install_taxonomy

IDEA = Idea(" Counter ", "Counts rows.", ("larare",), ("ovrigt",))


@pytest.fixture
async def suggesting(work: Any, clock: Any) -> Suggesting:
    """The verbs over each kind of store, with the taxonomy in place."""
    await install_taxonomy(work)
    return Suggesting(work, clock, TimeOrderedIds())


async def test_accepting_makes_a_hidden_tool_of_the_suggester(
    suggesting: Suggesting, work: Any, people: dict[str, Actor]
) -> None:
    """With a placeholder address, the decided texts, the suggester as owner and maintainer."""
    idea = await suggesting.suggest(people["author"], IDEA)
    changed = Idea("Row counter", "Counts.", ("rektor",), ("ovrigt",))
    decided = await suggesting.decide(people["reviewer"], idea.id, Verdict("accept", "Yes.", changed))
    async with work.read() as unit:
        tool = await unit.tools.get(decided.draft_tool_id)
        assert {people["author"].subject} == await unit.tools.maintainers(tool.id)
    assert ("Row counter", f"draft-{tool.id}", False) == (tool.title, tool.slug, tool.is_visible)
    [(mine, decision)] = await suggesting.mine(people["author"].subject)
    assert (mine.idea.title, decision.idea.title, decision.rationale) == ("Counter", "Row counter", "Yes.")  # type: ignore[union-attr]  # it was decided above


async def test_the_decider_owns_what_the_suggester_may_not_write(
    suggesting: Suggesting, work: Any, people: dict[str, Actor]
) -> None:
    """Somebody who lost the right to author is not made owner."""
    idea = await suggesting.suggest(people["author"], IDEA)
    verdict = Verdict("accept", "Yes.", suggester_may_author=False)
    decided = await suggesting.decide(people["reviewer"], idea.id, verdict)
    async with work.read() as unit:
        assert people["reviewer"].subject == (await unit.tools.get(decided.draft_tool_id)).owner


async def test_of_two_decisions_one_counts(suggesting: Suggesting, people: dict[str, Actor]) -> None:
    """In the same moment or later, the second is told what was decided."""
    idea = await suggesting.suggest(people["author"], IDEA)
    answers = await asyncio.gather(
        suggesting.decide(people["reviewer"], idea.id, Verdict("accept", "Yes.")),
        suggesting.decide(people["boss"], idea.id, Verdict("deny", "No.")),
        return_exceptions=True,
    )
    lost = [answer for answer in answers if isinstance(answer, Conflict)]
    won = [answer for answer in answers if isinstance(answer, Suggestion)]
    assert (len(won), len(lost), lost[0].reason) == (1, 1, "already_decided")


async def test_an_unknown_verdict_is_no_denial(suggesting: Suggesting, people: dict[str, Actor]) -> None:
    """Nothing is decided, and everything that is wrong is told."""
    idea = await suggesting.suggest(people["author"], IDEA)
    with pytest.raises(ValidationFailed) as refused:
        await suggesting.decide(people["reviewer"], idea.id, Verdict("", ""))
    assert [issue.field for issue in refused.value.issues] == ["verdict", "rationale"]
    assert (await suggesting.one(people["author"], idea.id))[0].status == SuggestionStatus.PENDING


async def test_who_may_suggest_and_see(suggesting: Suggesting, people: dict[str, Actor]) -> None:
    """Users without the right cannot suggest, and strangers see no idea."""
    user = Actor("urn:fsp:person:user", frozenset(USER_RIGHTS))
    with pytest.raises(NotFound):
        await suggesting.suggest(user, IDEA)
    idea = await suggesting.suggest(people["author"], IDEA)
    for attempt in (suggesting.one(user, idea.id), suggesting.every(user)):
        with pytest.raises(NotFound):
            await attempt
