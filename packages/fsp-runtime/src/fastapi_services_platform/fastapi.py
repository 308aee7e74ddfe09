"""The web door: what an endpoint takes from the platform."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from fastapi_services_platform.capability.languages import SOURCE_LANGUAGE
from fastapi_services_platform.config.feature_flags import FlagContext
from fastapi_services_platform.http.door.flagged import mark_flagged
from fastapi_services_platform.http.exchange import exchange_of
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.pages.undoing import offer_undo
from fastapi_services_platform.http.permissions import effective_reversibility
from fastapi_services_platform.http.problems import Problem, ProblemRaised, problem
from fastapi_services_platform.security.principal import Principal, Reversibility

T = TypeVar("T")


@cache
def inject(
    interface: type[Any],
) -> Any:  # Any: Depends gives a value of the interface, as the Annotated at the endpoint says
    """Take a service by its type: ``Annotated[SignIn, inject(SignIn)]``. Request services live until the answer is
    sent. The same type gives the same dependency, so that it is looked at once.
    """

    async def take(request: Request) -> object:
        return await exchange_of(request.scope).service_scope().get(interface)

    return Depends(take, use_cache=False)


async def _current(request: Request) -> Principal:
    principal = exchange_of(request.scope).principal
    if principal is None:
        raise ProblemRaised(Problem(401, "authentication-required", "Sign in first", "This needs a signed-in caller."))
    return principal


async def _maybe(request: Request) -> Principal | None:
    return exchange_of(request.scope).principal


def flag(name: str) -> Any:  # Any: for ``dependencies=[flag("x")]``, as Depends declares it
    """A route that is there only while a boolean feature flag is on for the caller: ``dependencies=[flag("x")]``."""

    async def check(request: Request) -> None:
        exchange = exchange_of(request.scope)
        principal = exchange.principal
        context = FlagContext(principal.urn, principal.tenant) if principal is not None else FlagContext()
        if not request.app.state.platform.flags.is_on(name, context):
            raise ProblemRaised(Problem(404, "not-found", "Not Found", "There is nothing under this address."))

    mark_flagged(check, name)
    return Depends(check)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request would lead to: the route's template, and what becomes of its effect."""

    template: str
    reversibility: Reversibility


def operation(request: Request, method: str, path: str) -> Operation | None:
    """The operation of this platform that another request would call, or ``None``."""
    index = exchange_of(request.scope).edge.index
    found = index.find("http", method, path) if index is not None else None
    if found is None or found.allowed:
        return None
    entry = found.entry
    return Operation(entry.path, effective_reversibility(entry.endpoint, method, entry.owner.reversibility))


async def service_of(request: Request, interface: type[T]) -> T:
    """A service by its type, where no dependency can be declared."""
    return await exchange_of(request.scope).service_scope().get(interface)


def language_of(request: Request) -> str:
    """The language that pages speak to whoever asks, for what an endpoint hands on: a letter, a program's texts."""
    exchange = exchange_of(request.scope)
    return exchange.edge.pages.language_of(request) if exchange.edge.pages is not None else SOURCE_LANGUAGE


CurrentPrincipal = Annotated[Principal, Depends(_current)]
"""Who asks; for routes that declared ``permission`` or ``authenticated``."""

MaybePrincipal = Annotated[Principal | None, Depends(_maybe)]
"""Who asks, if anybody; for public routes."""


def csrf_token(request: Request) -> str:
    """A token for a hand-made form, bound to the caller's session."""
    exchange = exchange_of(request.scope)
    admission = exchange.edge.admission
    if admission is None:
        raise LookupError("the platform is not started")
    principal = exchange.principal
    return admission.tokens.make((principal.session_binding or "") if principal is not None else "")


__all__ = [
    "CurrentPrincipal",
    "MaybePrincipal",
    "Operation",
    "Pages",
    "csrf_token",
    "flag",
    "inject",
    "language_of",
    "offer_undo",
    "operation",
    "problem",
    "service_of",
]
