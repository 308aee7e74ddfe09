"""Curate: every tool with its texts, tags, visibility, versions and people."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, uuid_of, version_id_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.directory import People
from skriptoteket.adapters.web.naming import filled, texts_of
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.browsing import Browsing
from skriptoteket.core.catalog.curation import Curation, ToolTexts
from skriptoteket.core.errors import Conflict, Forbidden, ValidationFailed
from skriptoteket.core.governance.stewardship.assignment import Stewardship
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, CURATE, REASSIGN_OWNER, ROLLBACK
from skriptoteket.core.runs.observing.reliability import Reliability
from skriptoteket.core.versions.drafting import Drafting
from skriptoteket.core.versions.publication import Expected, Publication, earlier_active

router = APIRouter()


@dataclass(frozen=True, slots=True)
class CurationDesk:
    """Everything that the curators' pages need. Lives as long as the app."""

    curation: Curation
    drafting: Drafting
    publication: Publication
    stewardship: Stewardship
    browsing: Browsing
    reliability: Reliability
    actors: Actors
    people: People
    readers: Readers
    ledger: Ledger


Desk = Annotated[CurationDesk, inject(CurationDesk)]
Page = Annotated[Pages, inject(Pages)]

RIGHTS = (CURATE, AUTHOR, AUTHOR_ANY, REASSIGN_OWNER, ROLLBACK)


@router.get("/admin/tools", name="skriptoteket_admin_tools")
@access(permission=CURATE)
async def tools(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """Every tool with where it stands."""
    actor = await desk.actors.of(principal, RIGHTS)
    found = await desk.curation.tools(actor)
    names = await desk.people.names(frozenset(tool.owner for tool in found))
    context = {
        "reader": desk.readers.of(principal, request),
        "tools": found,
        "names": names,
        "records": await desk.reliability.of({tool.id for tool in found}),
    }
    return await pages.render(request, "skriptoteket/admin_tools.html", context)


@router.post("/admin/tools", name="skriptoteket_create_tool")
@access(permission=CURATE)
async def create(
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    title: Annotated[str, Form(max_length=255)],
) -> Response:
    """A hidden tool without versions, then its page."""
    actor = await desk.actors.of(principal, RIGHTS)
    made = await desk.curation.create(actor, ToolTexts(title=title))
    await desk.ledger.record(principal, "tool.created", made.id)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=str(made.id)).path, 303)


@router.get("/admin/tools/{tool_id}", name="skriptoteket_admin_tool")
@access(permission=CURATE)
async def tool(tool_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """One tool: texts, tags, visibility, versions, people."""
    return await _tool_page(tool_id, request, principal, desk, pages, {})


@router.post("/admin/tools/{tool_id}", name="skriptoteket_edit_tool")
@access(permission=CURATE)
async def edit(tool_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """Texts, address and tags; a wrong form is shown again."""
    actor = await desk.actors.of(principal, RIGHTS)
    texts = texts_of(await request.form())
    try:
        changed = await desk.curation.edit(actor, ToolId(uuid_of("tool", tool_id)), texts)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _tool_page(tool_id, request, principal, desk, pages, issues, given=texts)
    except Conflict as error:
        return await _tool_page(tool_id, request, principal, desk, pages, {"slug": str(error)}, status=409, given=texts)
    await desk.ledger.record(principal, "tool.edited", changed.id)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=tool_id).path, 303)


@router.get("/my-tools/{tool_id}/texts", name="skriptoteket_tool_texts")
@access(permission=AUTHOR)
async def texts(tool_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """What a tool is called and where it is found, for its maintainers until it is shown."""
    return await _texts_page(tool_id, request, principal, desk, pages, {})


@router.post("/my-tools/{tool_id}/texts", name="skriptoteket_edit_tool_texts")
@access(permission=AUTHOR)
async def edit_texts(tool_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """Save them, then back to the editor; a wrong form is shown again."""
    actor = await desk.actors.of(principal, RIGHTS)
    given = texts_of(await request.form())
    try:
        changed = await desk.curation.edit(actor, ToolId(uuid_of("tool", tool_id)), given)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _texts_page(tool_id, request, principal, desk, pages, issues, given=given)
    except (Conflict, Forbidden) as error:
        status = 409 if isinstance(error, Conflict) else 403
        return await _texts_page(
            tool_id, request, principal, desk, pages, {"slug": str(error)}, status=status, given=given
        )
    await desk.ledger.record(principal, "tool.edited", changed.id)
    return RedirectResponse(request.url_for("skriptoteket_editor", tool_id=tool_id).path, 303)


@router.post("/admin/tools/{tool_id}/visibility", name="skriptoteket_visibility")
@access(permission=CURATE)
async def visibility(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    shown: Annotated[bool, Form()],
) -> Response:
    """Into the catalogue or out of it."""
    actor = await desk.actors.of(principal, RIGHTS)
    wanted = ToolId(uuid_of("tool", tool_id))
    try:
        await (desk.curation.show(actor, wanted) if shown else desk.curation.hide(actor, wanted))
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _tool_page(tool_id, request, principal, desk, pages, issues)
    await desk.ledger.record(principal, "tool.shown" if shown else "tool.hidden", wanted)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=tool_id).path, 303)


@router.post("/admin/tools/{tool_id}/maintainers", name="skriptoteket_add_maintainer")
@access(permission=CURATE)
async def add_maintainer(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    subject: Annotated[str, Form(max_length=320)],
) -> Response:
    """Somebody by e-mail address or URN."""
    actor = await desk.actors.of(principal, RIGHTS)
    try:
        candidate = await desk.people.candidate(subject)
        await desk.stewardship.add(actor, ToolId(uuid_of("tool", tool_id)), candidate)
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _tool_page(tool_id, request, principal, desk, pages, issues)
    await desk.ledger.record(principal, "maintainer.added", tool_id, subject=candidate.subject)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=tool_id).path, 303)


@router.post("/admin/tools/{tool_id}/maintainers/remove", name="skriptoteket_remove_maintainer")
@access(permission=CURATE)
async def remove_maintainer(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    subject: Annotated[str, Form(max_length=320)],
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """With a reason; the owner stays."""
    actor = await desk.actors.of(principal, RIGHTS)
    await desk.stewardship.remove(actor, ToolId(uuid_of("tool", tool_id)), subject, reason)
    await desk.ledger.record(principal, "maintainer.removed", tool_id, reason, subject=subject)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=tool_id).path, 303)


@router.post("/admin/tools/{tool_id}/owner", name="skriptoteket_change_owner")
@access(permission=REASSIGN_OWNER)
async def change_owner(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    owner: Annotated[str, Form(max_length=320)],
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Somebody else by e-mail address or URN, with a reason; who owned the tool stays a maintainer."""
    actor = await desk.actors.of(principal, RIGHTS)
    wanted = ToolId(uuid_of("tool", tool_id))
    try:
        candidate = await desk.people.candidate(owner)
        await desk.stewardship.change_owner(actor, wanted, candidate, reason)
    except ValidationFailed as error:
        fields = {"subject": "owner", "reason": "owner_reason"}
        issues = {fields.get(issue.field, issue.field): issue.message for issue in error.issues}
        return await _tool_page(tool_id, request, principal, desk, pages, issues)
    await desk.ledger.record(principal, "owner.changed", wanted, reason, subject=candidate.subject)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=tool_id).path, 303)


@router.post("/admin/versions/{version_id}/rollback", name="skriptoteket_roll_back")
@access(permission=ROLLBACK)
async def roll_back(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    behaviour_hash: Annotated[str, Form()],
    rationale: Annotated[str, Form()] = "",
) -> Response:
    """Bring back what was published once; what stands against it is told on the tool's page."""
    actor = await desk.actors.of(principal, RIGHTS)
    wanted = version_id_of(version_id)
    try:
        done = await desk.publication.roll_back(actor, wanted, Expected(behaviour_hash), rationale)
    except (ValidationFailed, Conflict, Forbidden) as error:
        tool, _ = await desk.drafting.version(actor, wanted)
        told = error.issues[0].message if isinstance(error, ValidationFailed) else str(error)
        status = {ValidationFailed: 422, Conflict: 409}.get(type(error), 403)
        return await _tool_page(str(tool.id), request, principal, desk, pages, {"rollback": told}, status=status)
    await desk.ledger.record(principal, "version.rolled_back", done.new_active_version_id, rationale)
    return RedirectResponse(request.url_for("skriptoteket_admin_tool", tool_id=str(done.tool_id)).path, 303)


async def _tool_page(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: CurationDesk,
    pages: Pages,
    issues: dict[str, str],
    *,
    status: int = 422,
    given: ToolTexts | None = None,
) -> Response:
    actor = await desk.actors.of(principal, RIGHTS)
    found, people, records = await desk.stewardship.people(actor, ToolId(uuid_of("tool", tool_id)))
    versions = (await desk.drafting.versions(actor, found.id))[1] if actor.may_write(people) else ()
    active = next((each for each in versions if each.id == found.active_version_id), None)
    urns = people | {found.owner} | {each.created_by for each in versions} | {each.by for each in records}
    context = {
        "reader": desk.readers.of(principal, request),
        "tool": found,
        "form": filled(found, given),
        "maintainers": sorted(people),
        "records": records,
        "versions": versions,
        "names": await desk.people.names(frozenset(urns | {each.subject for each in records})),
        "professions": await desk.browsing.professions(),
        "categories": await desk.browsing.categories(),
        "targets": earlier_active(found, versions),
        "issues": issues,
        "may_roll_back": actor.holds(ROLLBACK),
        "may_reassign": actor.holds(REASSIGN_OWNER),
        "record": (await desk.reliability.of({found.id}))[found.id],
        "reduced_limits": desk.drafting.reduced_limits(active) if active is not None else {},
    }
    return await pages.render(request, "skriptoteket/admin_tool.html", context, status if issues else 200)


async def _texts_page(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: CurationDesk,
    pages: Pages,
    issues: dict[str, str],
    *,
    status: int = 422,
    given: ToolTexts | None = None,
) -> Response:
    actor = await desk.actors.of(principal, RIGHTS)
    found, _ = await desk.drafting.versions(actor, ToolId(uuid_of("tool", tool_id)))
    context = {
        "reader": desk.readers.of(principal, request),
        "tool": found,
        "form": filled(found, given),
        "professions": await desk.browsing.professions(),
        "categories": await desk.browsing.categories(),
        "issues": issues,
    }
    return await pages.render(request, "skriptoteket/tool_texts.html", context, status if issues else 200)
