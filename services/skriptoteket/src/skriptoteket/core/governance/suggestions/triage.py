"""Suggest a tool; accept a suggestion into a draft, or deny it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from skriptoteket.core.catalog.models import PLACEHOLDER_PREFIX, Tool
from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.fields.values import has_bad_characters
from skriptoteket.core.governance.suggestions.models import Idea, Suggestion, SuggestionDecision, SuggestionStatus
from skriptoteket.core.governance.suggestions.ports import SuggestionUnit
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import SUGGEST, TRIAGE, Actor

_VERDICTS = {"accept": SuggestionStatus.ACCEPTED, "deny": SuggestionStatus.DENIED}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an administrator decides; ``idea`` replaces the suggester's texts where it is given."""

    verdict: str
    rationale: str
    idea: Idea | None = None
    suggester_may_author: bool = True


class Suggesting:
    """The verbs *suggest* and *decide*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[SuggestionUnit], clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def suggest(self, actor: Actor, idea: Idea) -> Suggestion:
        """File an idea.

        Raises:
            NotFound: the actor does not suggest.
            ValidationFailed: a text is empty or too long, a tag is unknown.
        """
        if not actor.holds(SUGGEST):
            raise NotFound("page", "suggestions")
        async with self._work.write() as unit:
            idea = await _checked(unit, idea)
            made = Suggestion(self._ids.new(), idea, SuggestionStatus.PENDING, actor.subject, self._clock.now())
            await unit.suggestions.add(made)
            return made

    async def mine(self, subject: str) -> Sequence[tuple[Suggestion, SuggestionDecision | None]]:
        """One's own suggestions with their verdicts, newest first."""
        async with self._work.read() as unit:
            found = await unit.suggestions.all(by=subject)
            return [(each, await unit.suggestions.decision(each.id)) for each in found]

    async def every(self, actor: Actor, status: SuggestionStatus | None = None) -> Sequence[Suggestion]:
        """All suggestions, newest first.

        Raises:
            NotFound: the actor does not triage.
        """
        if not actor.holds(TRIAGE):
            raise NotFound("page", "suggestions")
        async with self._work.read() as unit:
            return await unit.suggestions.all(status)

    async def one(self, actor: Actor, suggestion_id: UUID) -> tuple[Suggestion, SuggestionDecision | None]:
        """A suggestion, for its suggester and for those who triage.

        Raises:
            NotFound: no such suggestion for this actor.
        """
        async with self._work.read() as unit:
            found = await unit.suggestions.get(suggestion_id)
            if found.suggested_by != actor.subject and not actor.holds(TRIAGE):
                raise NotFound("suggestion", suggestion_id)
            return found, await unit.suggestions.decision(suggestion_id)

    async def decide(self, actor: Actor, suggestion_id: UUID, wanted: Verdict) -> Suggestion:
        """Accept into a hidden tool without versions that the suggester owns, or deny.

        Raises:
            NotFound, ValidationFailed (unknown verdict, no rationale, wrong texts), Conflict (``already_decided``).
        """
        if not actor.holds(TRIAGE):
            raise NotFound("suggestion", suggestion_id)
        verdict = _VERDICTS.get(wanted.verdict)
        issues = []
        if verdict is None:
            issues.append(FieldIssue("verdict", "unknown", "must be accept or deny"))
        rationale = wanted.rationale.strip()
        if not 1 <= len(rationale) <= 4000:
            issues.append(FieldIssue("rationale", "length", "write the reason, 1 to 4000 characters"))
        if issues or verdict is None:
            raise ValidationFailed(issues)
        async with self._work.write() as unit:
            suggestion = await unit.suggestions.lock(suggestion_id)
            if suggestion.status is not SuggestionStatus.PENDING:
                facts = {"status": suggestion.status}
                text = f"This suggestion is {suggestion.status} already. Load the page to see what was decided."
                raise Conflict("already_decided", text, facts)
            idea = await _checked(unit, wanted.idea or suggestion.idea)
            tool_id = await self._draft_tool(unit, actor, suggestion, idea, wanted) if verdict == "accepted" else None
            decided = replace(suggestion, status=verdict, draft_tool_id=tool_id)
            await unit.suggestions.update(decided)
            decision = SuggestionDecision(suggestion_id, verdict, rationale, idea, actor.subject, self._clock.now())
            await unit.suggestions.add_decision(decision)
            return decided

    async def _draft_tool(
        self, unit: SuggestionUnit, actor: Actor, suggestion: Suggestion, idea: Idea, wanted: Verdict
    ) -> ToolId:
        now = self._clock.now()
        tool_id = ToolId(self._ids.new())
        owner = suggestion.suggested_by if wanted.suggester_may_author else actor.subject
        tool = Tool(
            tool_id,
            f"{PLACEHOLDER_PREFIX}{tool_id}",
            idea.title,
            idea.description[:2000],
            owner,
            now,
            now,
            professions=idea.professions,
            categories=idea.categories,
        )
        await unit.tools.add(tool)
        await unit.tools.add_maintainer(tool_id, owner)
        return tool_id


async def _checked(unit: SuggestionUnit, idea: Idea) -> Idea:
    idea = replace(idea, title=idea.title.strip(), description=idea.description.strip())
    issues = [
        FieldIssue(name, "length", f"write 1 to {most} characters")
        for name, text, most in (("title", idea.title, 255), ("description", idea.description, 8000))
        if not 1 <= len(text) <= most or has_bad_characters(text)
    ]
    known = {
        "professions": {each.slug for each in await unit.taxonomy.professions()},
        "categories": {each.slug for each in await unit.taxonomy.categories()},
    }
    for name, chosen in (("professions", idea.professions), ("categories", idea.categories)):
        if not chosen:
            issues.append(FieldIssue(name, "required", "choose at least one"))
        elif set(chosen) - known[name] or len(set(chosen)) != len(chosen):
            issues.append(FieldIssue(name, "unknown", f"may hold each of {', '.join(sorted(known[name]))} once"))
    if issues:
        raise ValidationFailed(issues)
    return idea
