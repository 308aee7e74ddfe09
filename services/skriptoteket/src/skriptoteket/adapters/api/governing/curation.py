"""Curate routes: tools of the house, reviews, maintainers, suggestions."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.curation import (
    AdminToolOut,
    CandidateIn,
    IdeaIn,
    RecordOut,
    StewardsOut,
    SuggestionOut,
    TextsIn,
    VerdictIn,
)
from skriptoteket.adapters.api.schemas.versions import VersionItem
from skriptoteket.adapters.http.acting import Actors, uuid_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.directory import People
from skriptoteket.core.catalog.curation import Curation
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.governance.stewardship.assignment import Stewardship
from skriptoteket.core.governance.suggestions.models import SuggestionStatus
from skriptoteket.core.governance.suggestions.triage import Suggesting, Verdict
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, CURATE, REASSIGN_OWNER, REVIEW, SUGGEST, TRIAGE
from skriptoteket.core.runs.observing.reliability import Reliability
from skriptoteket.core.versions.review import Reviewing

router = APIRouter()

Curating = Annotated[Curation, inject(Curation)]
Reviews = Annotated[Reviewing, inject(Reviewing)]
Stewards = Annotated[Stewardship, inject(Stewardship)]
Ideas = Annotated[Suggesting, inject(Suggesting)]
Lookup = Annotated[ToolLookup, inject(ToolLookup)]
Rights = Annotated[Actors, inject(Actors)]
Audit = Annotated[Ledger, inject(Ledger)]
Directory = Annotated[People, inject(People)]
Records = Annotated[Reliability, inject(Reliability)]

STEWARDING = (AUTHOR, AUTHOR_ANY, CURATE)


@router.get("/my-tools", name="skriptoteket_api_my_tools")
@access(permission=AUTHOR)
async def my_tools(principal: CurrentPrincipal, lookup: Lookup, records: Records) -> list[AdminToolOut]:
    """The tools that one maintains, newest change first, with how they do."""
    return await _with_records(await lookup.maintained_by(principal.urn), records)


@router.get("/admin/tools", name="skriptoteket_api_admin_tools")
@access(permission=CURATE)
async def tools(
    principal: CurrentPrincipal, curating: Curating, rights: Rights, records: Records
) -> list[AdminToolOut]:
    """Every tool, hidden ones too, with how it does."""
    return await _with_records(await curating.tools(await rights.of(principal, (CURATE,))), records)


@router.post("/admin/tools", status_code=201, name="skriptoteket_api_create_tool")
@access(permission=CURATE)
async def create_tool(
    body: TextsIn, principal: CurrentPrincipal, curating: Curating, rights: Rights, audit: Audit
) -> AdminToolOut:
    """A hidden tool without versions."""
    made = await curating.create(await rights.of(principal, (CURATE,)), body.texts())
    await audit.record(principal, "tool.created", made.id, slug=made.slug)
    return AdminToolOut.of(made)


@router.patch("/tools/{tool}", name="skriptoteket_api_edit_own_tool")
@access(permission=AUTHOR)
async def edit_own_tool(
    tool: str,
    body: TextsIn,
    principal: CurrentPrincipal,
    curating: Curating,
    lookup: Lookup,
    rights: Rights,
    audit: Audit,
) -> AdminToolOut:
    """Texts, address and tags of a tool that one maintains, until it is shown for the first time."""
    actor = await rights.of(principal, (AUTHOR, AUTHOR_ANY, CURATE))
    changed = await curating.edit(actor, await lookup.id_of(tool), body.texts())
    await audit.record(principal, "tool.edited", changed.id, fields=sorted(body.model_fields_set))
    return AdminToolOut.of(changed)


@router.patch("/admin/tools/{tool}", name="skriptoteket_api_edit_tool")
@access(permission=CURATE)
async def edit_tool(
    tool: str,
    body: TextsIn,
    principal: CurrentPrincipal,
    curating: Curating,
    lookup: Lookup,
    rights: Rights,
    audit: Audit,
) -> AdminToolOut:
    """Texts, address and tags."""
    actor = await rights.of(principal, (CURATE,))
    changed = await curating.edit(actor, await lookup.id_of(tool), body.texts())
    await audit.record(principal, "tool.edited", changed.id, fields=sorted(body.model_fields_set))
    return AdminToolOut.of(changed)


@router.post("/admin/tools/{tool}/show", name="skriptoteket_api_show_tool")
@access(permission=CURATE)
async def show_tool(
    tool: str, principal: CurrentPrincipal, curating: Curating, lookup: Lookup, rights: Rights, audit: Audit
) -> AdminToolOut:
    """Into the catalogue; everything that is missing is told."""
    shown = await curating.show(await rights.of(principal, (CURATE,)), await lookup.id_of(tool))
    await audit.record(principal, "tool.shown", shown.id)
    return AdminToolOut.of(shown)


@router.post("/admin/tools/{tool}/hide", name="skriptoteket_api_hide_tool")
@access(permission=CURATE)
async def hide_tool(
    tool: str, principal: CurrentPrincipal, curating: Curating, lookup: Lookup, rights: Rights, audit: Audit
) -> AdminToolOut:
    """Out of the catalogue; waiting runs are cancelled."""
    hidden = await curating.hide(await rights.of(principal, (CURATE,)), await lookup.id_of(tool))
    await audit.record(principal, "tool.hidden", hidden.id)
    return AdminToolOut.of(hidden)


@router.get("/admin/reviews", name="skriptoteket_api_reviews")
@access(permission=REVIEW)
async def reviews(queue: Reviews) -> list[VersionItem]:
    """Everything that waits for review, oldest first."""
    return [VersionItem.of(tool, version) for tool, version in await queue.queue()]


@router.get("/tools/{tool}/maintainers", name="skriptoteket_api_maintainers")
@access(permission=AUTHOR)
async def maintainers(
    tool: str, principal: CurrentPrincipal, stewards: Stewards, lookup: Lookup, rights: Rights
) -> StewardsOut:
    """Who looks after a tool, and how it came so."""
    found, people, records = await stewards.people(await rights.of(principal, STEWARDING), await lookup.id_of(tool))
    return StewardsOut(
        owner=found.owner, maintainers=sorted(people), records=[RecordOut.of(record) for record in records]
    )


@router.post("/tools/{tool}/maintainers", status_code=204, name="skriptoteket_api_add_maintainer")
@access(permission=AUTHOR)
async def add_maintainer(
    tool: str,
    body: CandidateIn,
    principal: CurrentPrincipal,
    stewards: Stewards,
    lookup: Lookup,
    rights: Rights,
    directory: Directory,
    audit: Audit,
) -> Response:
    """Somebody by URN or e-mail address."""
    actor = await rights.of(principal, STEWARDING)
    wanted, candidate = await lookup.id_of(tool), await directory.candidate(body.subject)
    await stewards.add(actor, wanted, candidate)
    await audit.record(principal, "maintainer.added", wanted, subject=candidate.subject)
    return Response(status_code=204)


@router.delete("/tools/{tool}/maintainers/{subject}", status_code=204, name="skriptoteket_api_remove_maintainer")
@access(permission=AUTHOR)
async def remove_maintainer(
    tool: str,
    subject: str,
    reason: Annotated[str, Query(max_length=1000)],
    principal: CurrentPrincipal,
    stewards: Stewards,
    lookup: Lookup,
    rights: Rights,
    audit: Audit,
) -> Response:
    """With a reason; the owner stays."""
    wanted = await lookup.id_of(tool)
    await stewards.remove(await rights.of(principal, STEWARDING), wanted, subject, reason)
    await audit.record(principal, "maintainer.removed", wanted, reason, subject=subject)
    return Response(status_code=204)


@router.put("/tools/{tool}/owner", name="skriptoteket_api_owner")
@access(permission=REASSIGN_OWNER)
async def change_owner(
    tool: str,
    body: CandidateIn,
    principal: CurrentPrincipal,
    stewards: Stewards,
    lookup: Lookup,
    rights: Rights,
    directory: Directory,
    audit: Audit,
) -> AdminToolOut:
    """Another owner, with a reason."""
    actor = await rights.of(principal, (REASSIGN_OWNER,))
    candidate = await directory.candidate(body.subject)
    changed = await stewards.change_owner(actor, await lookup.id_of(tool), candidate, body.reason)
    await audit.record(principal, "owner.changed", changed.id, body.reason, subject=candidate.subject)
    return AdminToolOut.of(changed)


@router.get("/suggestions", name="skriptoteket_api_suggestions")
@access(permission=SUGGEST)
async def suggestions(principal: CurrentPrincipal, ideas: Ideas) -> list[SuggestionOut]:
    """One's own, with their verdicts."""
    return [SuggestionOut.of(found, decision) for found, decision in await ideas.mine(principal.urn)]


@router.post("/suggestions", status_code=201, name="skriptoteket_api_suggest")
@access(permission=SUGGEST)
async def suggest(body: IdeaIn, principal: CurrentPrincipal, ideas: Ideas, rights: Rights) -> SuggestionOut:
    """File an idea."""
    return SuggestionOut.of(await ideas.suggest(await rights.of(principal, (SUGGEST,)), body.idea()))


@router.get("/admin/suggestions", name="skriptoteket_api_admin_suggestions")
@access(permission=TRIAGE)
async def admin_suggestions(
    principal: CurrentPrincipal, ideas: Ideas, rights: Rights, status: SuggestionStatus | None = None
) -> list[SuggestionOut]:
    """Everybody's ideas."""
    return [SuggestionOut.of(each) for each in await ideas.every(await rights.of(principal, (TRIAGE,)), status)]


@router.get("/admin/suggestions/{suggestion_id}", name="skriptoteket_api_admin_suggestion")
@access(permission=TRIAGE)
async def admin_suggestion(
    suggestion_id: str, principal: CurrentPrincipal, ideas: Ideas, rights: Rights
) -> SuggestionOut:
    """One idea with its verdict."""
    wanted = uuid_of("suggestion", suggestion_id)
    return SuggestionOut.of(*await ideas.one(await rights.of(principal, (TRIAGE,)), wanted))


@router.post("/admin/suggestions/{suggestion_id}/decide", name="skriptoteket_api_decide")
@access(permission=TRIAGE)
async def decide(
    suggestion_id: str,
    body: VerdictIn,
    principal: CurrentPrincipal,
    ideas: Ideas,
    rights: Rights,
    directory: Directory,
    audit: Audit,
) -> SuggestionOut:
    """Accept into a draft tool, or deny; once."""
    actor = await rights.of(principal, (TRIAGE,))
    wanted = uuid_of("suggestion", suggestion_id)
    before, _ = await ideas.one(actor, wanted)
    may_author = await directory.may_author(before.suggested_by)
    verdict = Verdict(body.verdict, body.rationale, body.idea(before.idea), may_author)
    decided = await ideas.decide(actor, wanted, verdict)
    await audit.record(principal, "suggestion.decided", decided.id, body.rationale, verdict=decided.status)
    return SuggestionOut.of(*await ideas.one(actor, wanted))


async def _with_records(tools: Sequence[Tool], records: Reliability) -> list[AdminToolOut]:
    found = await records.of({tool.id for tool in tools})
    return [AdminToolOut.of(tool, found[tool.id]) for tool in tools]
