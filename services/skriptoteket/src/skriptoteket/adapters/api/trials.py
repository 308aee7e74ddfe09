"""Sandbox runs: try a version or the editor's unsaved text."""

import json
from typing import Annotated

from fastapi import APIRouter, Request, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.run_answers import answered
from skriptoteket.adapters.api.schemas.runs import RunDetail
from skriptoteket.adapters.api.schemas.versions import BehaviourIn
from skriptoteket.adapters.http.acting import Actors, version_id_of
from skriptoteket.adapters.http.submitting import SubmissionDesk
from skriptoteket.adapters.http.trying import Chosen, TrialDesk
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY

router = APIRouter()

Trying = Annotated[TrialDesk, inject(TrialDesk)]
Desk = Annotated[SubmissionDesk, inject(SubmissionDesk)]
Lookup = Annotated[ToolLookup, inject(ToolLookup)]
Rights = Annotated[Actors, inject(Actors)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "`version_id` or `snapshot` (behaviour fields), `inputs`, `settings`, "
                    "files; `files_from`: an own earlier sandbox run whose files are used when none are sent; "
                    "`check_only`: compile the text and look at its function in the sandbox, run nothing",
                    "properties": {
                        "version_id": {"type": "string"},
                        "snapshot": {"type": "string"},
                        "inputs": {"type": "string"},
                        "settings": {"type": "string"},
                        "files_from": {"type": "string"},
                        "check_only": {"type": "string", "enum": ["true", "false"]},
                    },
                    "additionalProperties": True,
                }
            }
        },
    }
}


@router.post(
    "/tools/{tool}/sandbox-runs",
    status_code=202,
    response_model=RunDetail,
    openapi_extra=_BODY,
    name="skriptoteket_api_sandbox_run",
)
@access(permission=AUTHOR)
async def sandbox_run(
    tool: str, request: Request, principal: CurrentPrincipal, trying: Trying, desk: Desk, lookup: Lookup, rights: Rights
) -> Response:
    """Run what is not published, for oneself; 200 when it ended within ``Prefer: wait=N``."""
    actor = await rights.of(principal, (AUTHOR, AUTHOR_ANY))
    tool_id = await lookup.id_of(tool)
    run = await trying.take(request, principal, actor, tool_id, _chosen)
    return await answered(request, principal, desk, run.id)


def _chosen(texts: dict[str, list[str]]) -> Chosen:
    version = next(iter(texts.pop("version_id", ())), None)
    snapshot = next(iter(texts.pop("snapshot", ())), None)
    if (version is None) == (snapshot is None):
        raise ValidationFailed([FieldIssue("version_id", "choice", "send version_id or snapshot, one of them")])
    if snapshot is None:
        return version_id_of(str(version)), None
    try:
        return None, BehaviourIn.model_validate(json.loads(snapshot)).given()
    except ValueError as error:
        raise ValidationFailed(
            [FieldIssue("snapshot", "type", f"is no object of behaviour fields: {error}"[:300])]
        ) from None
