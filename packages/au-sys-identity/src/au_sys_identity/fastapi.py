"""Web door of identity: what endpoints of other capabilities declare about themselves, and take.

Declarations stand below the route's decorator, on the plain function.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.declared_acts import asking_approval, asking_step_up, declare
from au_sys_identity.core.errors import HumanOnly
from au_sys_identity.core.principal import Principal
from fastapi_services_platform import Reversibility, access, reversible

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


def requires(permission: str) -> Callable[[Endpoint], Endpoint]:
    """Ask for a permission (``<capability>.<noun>.<verb>``) before the endpoint runs."""
    return access(permission=permission)


def requires_step_up() -> Callable[[Endpoint], Endpoint]:
    """Ask for a fresh proof: of a person as strong as the account can give, of a machine its MFA."""
    return asking_step_up


def requires_approval() -> Callable[[Endpoint], Endpoint]:
    """Ask machines for the approval of each single call by a person who answers for them."""
    return asking_approval


def act(reversibility: Reversibility, model_from: str | None = None) -> Callable[[Endpoint], Endpoint]:
    """Say what becomes of the effect (``reversible``, ``recoverable``, ``irreversible``), and where a request states
    its AI model (``body.model``).
    """
    if reversibility not in ("reversible", "recoverable", "irreversible"):
        raise ValueError("act: reversibility is reversible, recoverable or irreversible")

    def declared(endpoint: Endpoint) -> Endpoint:
        return reversible(reversibility)(declare(endpoint, model_from=model_from))

    return declared


async def _person(request: Request) -> Principal:
    caller = caller_of(request)
    if caller.kind != "person":
        raise HumanOnly
    return caller


async def _principal(request: Request) -> Principal:
    return caller_of(request)


async def _organization(request: Request) -> str:
    """The organization that a request is about: its path's ``organization``, else the default one."""
    return str(request.path_params.get("organization", "default"))


CurrentPrincipal = Annotated[Principal, Depends(_principal)]
"""Who asks, as identity sees them; on routes that ask for a caller."""

CurrentPerson = Annotated[Principal, Depends(_person)]
"""Who asks, when only people may."""

OrganizationScope = Annotated[str, Depends(_organization)]
"""The organization that the request is about."""

__all__ = [
    "CurrentPerson",
    "CurrentPrincipal",
    "OrganizationScope",
    "act",
    "requires",
    "requires_approval",
    "requires_step_up",
]
