"""The page on which people ask for an account."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.core.accounts.registration import NewPerson, Registration
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.errors import IdentityError, InvalidInput, WeakPassword
from au_sys_identity.core.sessions.models import Client
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)


@router.get("/register")
@access(public=True)
@within_volume
async def register_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    registration: Annotated[Registration, inject(Registration)],
) -> Response:
    """The form, or a sentence that says whom to ask."""
    return await _page(request, pages, registration)


@router.post("/register")
@access(public=True)
async def register_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    registration: Annotated[Registration, inject(Registration)],
    volume: Annotated[Volume, inject(Volume)],
    email: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """The answer is the same for a new and for a known address."""
    network = network_of(request.client.host if request.client else None)
    await volume.mail(Client(network=network), email[:320])
    wanted = NewPerson(email, display_name or None)
    try:
        await registration.register(wanted, password, network=network)
    except IdentityError as error:
        return await _page(request, pages, registration, email=email, name=display_name, error=error)
    return await _page(request, pages, registration, done=True)


async def _page(
    request: Request,
    pages: Pages,
    registration: Registration,
    *,
    email: str = "",
    name: str = "",
    error: IdentityError | None = None,
    done: bool = False,
) -> Response:
    field = error.field if isinstance(error, InvalidInput) else "password" if isinstance(error, WeakPassword) else ""
    context: dict[str, object] = {
        "open": registration.policy.mode == "open",
        "verification": registration.policy.verification,
        "email": email[:320],
        "name": name[:200],
        "error": str(error) if error else "",
        "error_field": field,
        "done": done,
    }
    return await pages.render(request, "identity/register.html", context, status_code=400 if error else 200)
