"""Go on to a page that offers to take back what was just done."""

from datetime import UTC, datetime, timedelta

from fastapi import Request
from starlette.responses import RedirectResponse

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.core.recovery.undoing import Undoing
from fastapi_services_platform.fastapi import Pages, offer_undo, service_of

_ROLLBACK = "identity.recovery.rollback"
_JUST_NOW = timedelta(seconds=20)
_LOOKED_AT = 10


async def done(request: Request, href: str) -> RedirectResponse:
    """A redirect; the page offers to undo the caller's newest change, if she may take changes back."""
    response = RedirectResponse(href, 303)
    pages = await service_of(request, Pages)
    if not await pages.allowed(request.state.principal, _ROLLBACK):
        return response
    by, now = caller_of(request).urn, datetime.now(UTC)
    for change in await (await service_of(request, Undoing)).page(limit=_LOOKED_AT):
        if change.actor == by and now - change.at < _JUST_NOW:
            if change.reversible and change.undone_by is None:
                fields = {"confirm": "yes", "back": href.partition("?")[0]}
                offer_undo(request, response, f"/admin/identity/backups/changes/{change.id}", fields)
            break
    return response
