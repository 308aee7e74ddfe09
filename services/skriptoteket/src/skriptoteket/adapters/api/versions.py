"""Draft, review and publish routes."""

from typing import Annotated

from fastapi import APIRouter, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.versions import (
    DecisionOut,
    DifferenceOut,
    DraftIn,
    LockIn,
    LockOut,
    PublishedOut,
    PublishIn,
    RationaleIn,
    RollbackIn,
    SaveIn,
    SchemaIssueOut,
    SchemasIn,
    SchemasOut,
    SubmitIn,
    VersionDetail,
    VersionItem,
)
from skriptoteket.adapters.http.acting import Actors, version_id_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.differences import difference
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.fields.schema import check_schema
from skriptoteket.core.identifiers import VersionId
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, PUBLISH, REVIEW, ROLLBACK, Actor
from skriptoteket.core.versions.draft_lock import DraftLocking
from skriptoteket.core.versions.drafting import DraftChange, Drafting
from skriptoteket.core.versions.publication import Expected, Publication
from skriptoteket.core.versions.review import Reviewing

router = APIRouter()

Drafts = Annotated[Drafting, inject(Drafting)]
Reviews = Annotated[Reviewing, inject(Reviewing)]
Publishing = Annotated[Publication, inject(Publication)]
Locks = Annotated[DraftLocking, inject(DraftLocking)]
Lookup = Annotated[ToolLookup, inject(ToolLookup)]
Rights = Annotated[Actors, inject(Actors)]
Audit = Annotated[Ledger, inject(Ledger)]

WRITING = (AUTHOR, AUTHOR_ANY)


@router.get("/tools/{tool}/versions", name="skriptoteket_api_versions")
@access(permission=AUTHOR)
async def versions(
    tool: str, principal: CurrentPrincipal, drafts: Drafts, lookup: Lookup, rights: Rights
) -> list[VersionItem]:
    """Every version of a tool that one maintains, newest first."""
    found, rows = await drafts.versions(await rights.of(principal, WRITING), await lookup.id_of(tool))
    return [VersionItem.of(found, version) for version in rows]


@router.post("/tools/{tool}/versions", status_code=201, name="skriptoteket_api_create_draft")
@access(permission=AUTHOR)
async def create_draft(
    tool: str, body: DraftIn, principal: CurrentPrincipal, drafts: Drafts, lookup: Lookup, rights: Rights
) -> VersionDetail:
    """A draft where there is none."""
    actor = await rights.of(principal, WRITING)
    change = DraftChange(body.given(), body.change_summary)
    derived = version_id_of(body.derived_from) if body.derived_from is not None else None
    made = await drafts.create(actor, await lookup.id_of(tool), change, derived)
    return await _whole(drafts, actor, made.id)


@router.get("/tool-versions/{version_id}", name="skriptoteket_api_version")
@access(permission=AUTHOR)
async def version(version_id: str, principal: CurrentPrincipal, drafts: Drafts, rights: Rights) -> VersionDetail:
    """One version with its source."""
    return await _whole(drafts, await rights.of(principal, WRITING), version_id_of(version_id))


@router.get("/tool-versions/{version_id}/diff", name="skriptoteket_api_diff")
@access(permission=AUTHOR)
async def diff(
    version_id: str, against: str, principal: CurrentPrincipal, drafts: Drafts, rights: Rights
) -> DifferenceOut:
    """What changed from ``against`` to this version."""
    actor = await rights.of(principal, WRITING)
    _, after = await drafts.version(actor, version_id_of(version_id))
    _, before = await drafts.version(actor, version_id_of(against))
    found = difference(before.behaviour, after.behaviour)
    return DifferenceOut(source=list(found.source), changed=found.changed)


@router.get("/tool-versions/{version_id}/decisions", name="skriptoteket_api_decisions")
@access(permission=AUTHOR)
async def decisions(
    version_id: str, principal: CurrentPrincipal, drafts: Drafts, reviews: Reviews, rights: Rights
) -> list[DecisionOut]:
    """The verdicts on the tool's versions, oldest first."""
    actor = await rights.of(principal, WRITING)
    tool, _ = await drafts.version(actor, version_id_of(version_id))
    return [DecisionOut.of(each) for each in await reviews.decisions(actor, tool.id)]


@router.post("/tool-versions/{version_id}/save", status_code=201, name="skriptoteket_api_save")
@access(permission=AUTHOR)
async def save(
    version_id: str, body: SaveIn, principal: CurrentPrincipal, drafts: Drafts, rights: Rights
) -> VersionDetail:
    """A new draft on the head; a lost race answers 409 with the current head."""
    actor = await rights.of(principal, WRITING)
    parent = version_id_of(version_id)
    if version_id_of(body.expected_parent_version_id) != parent:
        parent = version_id_of(body.expected_parent_version_id)
    content = version_id_of(body.content_from) if body.content_from is not None else None
    saved = await drafts.save(actor, parent, DraftChange(body.given(), body.change_summary), content)
    return await _whole(drafts, actor, saved.id)


@router.post("/tool-versions/{version_id}/submit-review", name="skriptoteket_api_submit_review")
@access(permission=AUTHOR)
async def submit_review(
    version_id: str,
    body: SubmitIn,
    principal: CurrentPrincipal,
    drafts: Drafts,
    reviews: Reviews,
    rights: Rights,
    audit: Audit,
) -> VersionItem:
    """Freeze the head for review."""
    actor = await rights.of(principal, WRITING)
    submitted = await reviews.submit(actor, version_id_of(version_id), body.note)
    await audit.record(principal, "version.submitted", submitted.id, tool=str(submitted.tool_id))
    return VersionItem.of(*await drafts.version(actor, submitted.id))


@router.post("/tool-versions/{version_id}/withdraw", status_code=201, name="skriptoteket_api_withdraw")
@access(permission=AUTHOR)
async def withdraw(
    version_id: str,
    body: RationaleIn,
    principal: CurrentPrincipal,
    drafts: Drafts,
    reviews: Reviews,
    rights: Rights,
    audit: Audit,
) -> VersionDetail:
    """Take a version out of review; the answer is the new draft."""
    actor = await rights.of(principal, WRITING)
    archived, draft = await reviews.withdraw(actor, version_id_of(version_id), body.rationale)
    await audit.record(principal, "version.withdrawn", archived.id, body.rationale)
    return await _whole(drafts, actor, draft.id)


@router.post("/tool-versions/{version_id}/request-changes", status_code=201, name="skriptoteket_api_request_changes")
@access(permission=REVIEW)
async def request_changes(
    version_id: str,
    body: RationaleIn,
    principal: CurrentPrincipal,
    drafts: Drafts,
    reviews: Reviews,
    rights: Rights,
    audit: Audit,
) -> VersionDetail:
    """Send a version back; the answer is the new draft."""
    actor = await rights.of(principal, (*WRITING, REVIEW))
    archived, draft = await reviews.request_changes(actor, version_id_of(version_id), body.rationale)
    await audit.record(principal, "version.changes_requested", archived.id, body.rationale)
    return await _whole(drafts, actor, draft.id)


@router.post("/tool-versions/{version_id}/publish", status_code=201, name="skriptoteket_api_publish")
@access(permission=PUBLISH)
async def publish(
    version_id: str, body: PublishIn, principal: CurrentPrincipal, publishing: Publishing, rights: Rights, audit: Audit
) -> PublishedOut:
    """Make a copy of the reviewed version the active one."""
    expected = Expected(body.expected_behaviour_hash, body.expected_content_hash)
    actor = await rights.of(principal, (PUBLISH,))
    done = await publishing.publish(actor, version_id_of(version_id), expected, body.rationale, show=body.show)
    await audit.record(
        principal, "version.published", done.new_active_version_id, body.rationale, behaviour=expected.behaviour_hash
    )
    return PublishedOut.of(done)


@router.post("/tool-versions/{version_id}/rollback", status_code=201, name="skriptoteket_api_rollback")
@access(permission=ROLLBACK)
async def rollback(
    version_id: str, body: RollbackIn, principal: CurrentPrincipal, publishing: Publishing, rights: Rights, audit: Audit
) -> PublishedOut:
    """Bring back what was published once."""
    expected = Expected(body.expected_behaviour_hash, body.expected_content_hash)
    actor = await rights.of(principal, (ROLLBACK,))
    done = await publishing.roll_back(actor, version_id_of(version_id), expected, body.rationale)
    await audit.record(
        principal, "version.rolled_back", done.new_active_version_id, body.rationale, behaviour=expected.behaviour_hash
    )
    return PublishedOut.of(done)


@router.put("/tools/{tool}/draft-lock", name="skriptoteket_api_lock")
@access(permission=AUTHOR)
async def lock(
    tool: str,
    body: LockIn,
    principal: CurrentPrincipal,
    locks: Locks,
    lookup: Lookup,
    rights: Rights,
    audit: Audit,
) -> LockOut:
    """Take, renew or take over the right to edit."""
    actor = await rights.of(principal, WRITING)
    head = version_id_of(body.head_version_id)
    taken = await locks.acquire(actor, await lookup.id_of(tool), head, force=body.force)
    if taken.forced_by is not None:
        await audit.record(principal, "draft.taken_over", taken.tool_id)
    return LockOut.of(taken)


@router.delete("/tools/{tool}/draft-lock", status_code=204, name="skriptoteket_api_unlock")
@access(permission=AUTHOR)
async def unlock(tool: str, principal: CurrentPrincipal, locks: Locks, lookup: Lookup, rights: Rights) -> Response:
    """Give the lock back."""
    await locks.release(await rights.of(principal, WRITING), await lookup.id_of(tool))
    return Response(status_code=204)


@router.post("/tools/{tool}/validate-schemas", name="skriptoteket_api_validate_schemas")
@access(permission=AUTHOR)
async def validate_schemas(tool: str, body: SchemasIn, lookup: Lookup) -> SchemasOut:
    """Look at schemas without saving them."""
    await lookup.id_of(tool)
    issues = [
        *(check_schema(body.input_schema, "input_schema") if body.input_schema is not None else ()),
        *(check_schema(body.settings_schema, "settings_schema") if body.settings_schema is not None else ()),
    ]
    shown = [SchemaIssueOut(schema_name=each.schema, path=each.path, message=each.message) for each in issues]
    return SchemasOut(valid=not shown, issues=shown)


async def _whole(drafts: Drafting, actor: Actor, version_id: VersionId) -> VersionDetail:
    tool, found = await drafts.version(actor, version_id)
    return VersionDetail.whole(tool, found, drafts.reduced_limits(found))
