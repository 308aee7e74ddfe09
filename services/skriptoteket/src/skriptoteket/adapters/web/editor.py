"""Write, try and submit: the editor. Without JavaScript it is a form that can save."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors, uuid_of
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.http.differences import difference
from skriptoteket.adapters.http.directory import People
from skriptoteket.adapters.http.submitting import form_values
from skriptoteket.adapters.http.trying import TrialDesk
from skriptoteket.adapters.http.uploads import Received, UploadReader
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, FieldIssue, SkriptoteketError, ValidationFailed
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, Actor
from skriptoteket.core.runs.trials import Trial
from skriptoteket.core.versions.draft_lock import DraftLocking
from skriptoteket.core.versions.drafting import DraftChange, Drafting
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState, came_back
from skriptoteket.core.versions.review import Reviewing

router = APIRouter()
submissions = APIRouter()

WRITING = (AUTHOR, AUTHOR_ANY)
TRIAL_PREFIX = "trial."
SETTING_PREFIX = "setting."
STARTER = '''"""One sentence that says what the tool is for."""

import toolkit


def run_tool(input_dir, output_dir, files):
    """Read the uploads, write files, return what the user reads."""
    return toolkit.notice(f"{len(files)} files came in.")
'''


@dataclass(frozen=True, slots=True)
class EditorDesk:
    """Everything that the editor needs. Lives as long as the app."""

    drafting: Drafting
    reviewing: Reviewing
    locking: DraftLocking
    trying: TrialDesk
    lookup: ToolLookup
    actors: Actors
    people: People
    readers: Readers
    ledger: Ledger
    environments: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The content of the editor: texts as they stand in the form, and what is wrong with them."""

    texts: Mapping[str, str]
    issues: Mapping[str, str]
    status: int = 200
    problem: str = ""
    run_id: RunId | None = None


Desk = Annotated[EditorDesk, inject(EditorDesk)]
Page = Annotated[Pages, inject(Pages)]


@router.get("/editor/tools/{tool_id}", name="skriptoteket_editor")
@access(permission=AUTHOR)
async def editor(
    tool_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    version: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """The draft of a tool, or a new one from the active version; ``version`` shows the text of another one."""
    actor = await desk.actors.of(principal, WRITING)
    tool, versions = await desk.drafting.versions(actor, ToolId(uuid_of("tool", tool_id)))
    other = next((each for each in versions if str(each.id) == version), None)
    base = other or _base(tool, versions)
    texts = _texts(base.behaviour if base is not None else Behaviour(STARTER))
    sheet = Sheet({**texts, "content_from": str(other.id) if other is not None else ""}, {})
    return await _render(request, principal, desk, pages, sheet, (tool, versions))


@router.get("/editor/versions/{version_id}", name="skriptoteket_version_page")
@access(permission=AUTHOR)
async def version(
    version_id: str,
    request: Request,
    principal: CurrentPrincipal,
    desk: Desk,
    pages: Page,
    against: Annotated[str, Query(max_length=36)] = "",
) -> Response:
    """One version, to be read, or what differs ``against`` another one of the tool."""
    actor = await desk.actors.of(principal, WRITING)
    tool, found = await desk.drafting.version(actor, VersionId(uuid_of("version", version_id)))
    _, versions = await desk.drafting.versions(actor, tool.id)
    other = next((each for each in versions if str(each.id) == against), None)
    names = await desk.people.names(frozenset({found.created_by, found.submitted_by or "", found.published_by or ""}))
    context = {"reader": desk.readers.of(principal, request), "tool": tool, "version": found, "names": names}
    context["texts"] = _texts(found.behaviour)
    context["other"] = other
    context["changes"] = difference(other.behaviour, found.behaviour) if other is not None else None
    context["compared"] = [("", "–"), *((str(each.id), str(each.version_number)) for each in versions if each != found)]
    return await pages.render(request, "skriptoteket/version.html", context)


@submissions.post("/editor/tools/{tool_id}", name="skriptoteket_edit")
@access(permission=AUTHOR)
async def edit(tool_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page) -> Response:
    """Save, try or submit what stands in the form; whatever goes wrong, the text comes back."""
    actor = await desk.actors.of(principal, WRITING)
    tool, versions = await desk.drafting.versions(actor, ToolId(uuid_of("tool", tool_id)))
    run_id = RunId(desk.trying.ids.new())
    reader = UploadReader(desk.trying.files, f"runs/{run_id}/inputs", desk.trying.limits)
    received = await reader.read(request)
    texts = {name: found[0] for name, found in received.texts.items()}
    action = texts.get("action", "save")
    sheet = Sheet(texts, {})
    try:
        fields = _fields(texts)
        if action == "try":
            start = next((each for each in versions if str(each.id) == texts.get("content_from")), None)
            if not received.uploads and "same_files" in texts:
                wanted = RunId(uuid_of("run", texts["same_files"]))
                received.uploads += await desk.trying.copied(actor, tool.id, wanted, run_id)
            trial = _trial(run_id, tool, start or _base(tool, versions), fields, received)
            run = await desk.trying.trials.submit(actor, trial)
            return await _render(request, principal, desk, pages, replace(sheet, run_id=run.id), (tool, versions))
        saved = await _save(desk, actor, tool, texts, fields)
        await reader.discard()
        if action == "submit":
            await desk.reviewing.submit(actor, saved, texts.get("note", ""))
            await desk.ledger.record(principal, "version.submitted", saved, tool=str(tool.id))
            return RedirectResponse(request.url_for("skriptoteket_my_tools").path, 303)
        return RedirectResponse(request.url_for("skriptoteket_editor", tool_id=tool_id).path, 303)
    except ValidationFailed as error:
        await reader.discard()
        issues = {issue.field: issue.message for issue in error.issues}
        sheet = replace(sheet, issues=issues, status=422)
    except Conflict as error:
        await reader.discard()
        sheet = replace(sheet, status=409, problem=str(error))
    except SkriptoteketError:
        await reader.discard()
        raise
    return await _render(request, principal, desk, pages, sheet, (tool, versions))


async def _render(
    request: Request,
    principal: Principal,
    desk: EditorDesk,
    pages: Pages,
    sheet: Sheet,
    found: tuple[Tool, Sequence[ToolVersion]],
) -> Response:
    tool, versions = found
    actor = await desk.actors.of(principal, WRITING)
    lock = await desk.locking.held(actor, tool.id)
    foreign = lock if lock is not None and lock.holder != principal.urn else None
    people = {each.created_by for each in versions} | ({foreign.holder} if foreign is not None else set())
    names = await desk.people.names(frozenset(people))
    context = {
        "reader": desk.readers.of(principal, request),
        "tool": tool,
        "versions": versions,
        "names": names,
        "sheet": sheet,
        "texts": {**_texts(Behaviour(STARTER)), "change_summary": "", "note": "", "content_from": "", **sheet.texts},
        "lock": foreign,
        "may_take_over": actor.holds(AUTHOR_ANY),
        "came_back": came_back(tool.draft_head_version_id, versions),
        "same_files": await desk.trying.trials.last_with_files(actor, tool.id),
        "head": next((each for each in versions if each.id == tool.draft_head_version_id), None),
        "reduced_limits": {
            name: most
            for each in versions
            if each.state is VersionState.ACTIVE
            for name, most in desk.drafting.reduced_limits(each).items()
        },
        "in_review": next((each for each in versions if each.state is VersionState.IN_REVIEW), None),
        "environments": [(name, name) for name in desk.environments],
        "trial_fields": _trial_fields(sheet.texts.get("input_schema", "[]"), TRIAL_PREFIX),
        "setting_fields": _trial_fields(sheet.texts.get("settings_schema", "[]"), SETTING_PREFIX),
        "compared": [("", "–"), *((str(each.id), str(each.version_number)) for each in versions)],
    }
    return await pages.render(request, "skriptoteket/editor.html", context, sheet.status)


def _base(tool: Tool, versions: Sequence[ToolVersion]) -> ToolVersion | None:
    wanted = tool.draft_head_version_id or tool.active_version_id
    found = next((each for each in versions if each.id == wanted), None)
    return found or (versions[0] if versions else None)


def _texts(behaviour: Behaviour) -> dict[str, str]:
    return {
        "source_code": behaviour.source_code,
        "entrypoint": behaviour.entrypoint,
        "environment": behaviour.environment,
        "usage_instructions": behaviour.usage_instructions,
        "input_schema": json.dumps([dict(each) for each in behaviour.input_schema], ensure_ascii=False, indent=2),
        "settings_schema": json.dumps([dict(each) for each in behaviour.settings_schema], ensure_ascii=False, indent=2),
        "limits": json.dumps(dict(behaviour.limits), ensure_ascii=False),
    }


def _fields(texts: Mapping[str, str]) -> dict[str, object]:
    names = ("source_code", "entrypoint", "environment", "usage_instructions")
    fields: dict[str, object] = {name: texts[name] for name in names if name in texts}
    issues = []
    for name in ("input_schema", "settings_schema", "limits"):
        if name not in texts:
            continue
        try:
            fields[name] = json.loads(texts[name] or "null")
        except (ValueError, RecursionError) as error:
            issues.append(FieldIssue(name, "json", f"is no JSON: {error}"[:300]))
    if issues:
        raise ValidationFailed(issues)
    return fields


async def _save(
    desk: EditorDesk, actor: Actor, tool: Tool, texts: Mapping[str, str], fields: dict[str, object]
) -> VersionId:
    change = DraftChange(fields, texts.get("change_summary", "")[:1000])
    parent = texts.get("parent", "")
    if not parent:
        base = texts.get("derived_from", "")
        derived = VersionId(uuid_of("version", base)) if base else None
        return (await desk.drafting.create(actor, tool.id, change, derived)).id
    head = VersionId(uuid_of("version", parent))
    content = VersionId(uuid_of("version", texts["content_from"])) if texts.get("content_from") else None
    _, before = await desk.drafting.version(actor, head)
    _, start = await desk.drafting.version(actor, content or head)
    if texts.get("action") == "submit" and desk.drafting.hash_of(start, change) == before.behaviour_hash:
        return head
    return (await desk.drafting.save(actor, head, change, content)).id


def _trial(run_id: RunId, tool: Tool, base: ToolVersion | None, fields: dict[str, object], received: Received) -> Trial:
    uploads = [replace(upload, field=upload.field.removeprefix(TRIAL_PREFIX)) for upload in received.uploads]
    values = _under(received, TRIAL_PREFIX, fields.get("input_schema"))
    settings = _under(received, SETTING_PREFIX, fields.get("settings_schema"))
    version_id = base.id if base is not None else None
    return Trial(run_id, tool.id, values, uploads, version_id, fields, settings=settings)


def _under(received: Received, prefix: str, schema: object) -> dict[str, object]:
    """Texts whose names begin with a prefix, as values of a schema."""
    texts = {name.removeprefix(prefix): found for name, found in received.texts.items() if name.startswith(prefix)}
    return form_values(schema if isinstance(schema, list) else (), Received(texts, []))


def _trial_fields(text: str, prefix: str) -> list[dict[str, object]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    fields = [each for each in found if isinstance(each, dict) and "name" in each] if isinstance(found, list) else []
    return [_trial_field(each, prefix) for each in fields]


def _trial_field(field: dict[str, object], prefix: str) -> dict[str, object]:
    # nothing in the trial is required by the browser: that would stop saving
    shown = {**field, "name": f"{prefix}{field['name']}", "label": field.get("label") or field["name"]}
    return {**shown, "required": False, **({"min": 0} if field.get("kind") == "file" else {})}
