"""Declared access: what a route asks of its caller. Nothing declared stops the start, nobody to ask means no."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, overload

from fastapi_services_platform.security.principal import Reversibility

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])

_ATTRIBUTE = "__fsp_access__"
_REVERSIBILITY = "__fsp_reversibility__"
_GUARDED = "__fsp_guarded__"
_FORWARDING = "__fsp_forwarding__"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Access:
    """One of: a permission (``<capability>.<noun>.<verb>``), any signed-in caller, or everybody."""

    permission: str | None = None
    authenticated: bool = False
    public: bool = False


@overload
def access(*, permission: str, reversibility: Reversibility | None = None) -> Callable[[Endpoint], Endpoint]: ...
@overload
def access(
    *, authenticated: Literal[True], reversibility: Reversibility | None = None
) -> Callable[[Endpoint], Endpoint]: ...
@overload
def access(*, public: Literal[True], reversibility: Reversibility | None = None) -> Callable[[Endpoint], Endpoint]: ...
def access(
    *,
    permission: str | None = None,
    authenticated: bool = False,
    public: bool = False,
    reversibility: Reversibility | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Declare what an endpoint asks of its caller. It stands below the route decorator, so that it sees the plain
    function. ``reversibility`` is told in OpenAPI; unsaid, a change is what the capability's manifest says.

    Raises:
        ValueError: not exactly one of the three is given.
    """
    if (permission is not None) + authenticated + public != 1:
        raise ValueError("access: exactly one of permission=…, authenticated=True or public=True must be given")
    declared = Access(permission=permission, authenticated=authenticated, public=public)

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, declared)
        if reversibility is not None:
            setattr(endpoint, _REVERSIBILITY, reversibility)
        return endpoint

    return declare


def declared_access(endpoint: object) -> Access | None:
    """What an endpoint declared, or ``None``."""
    found = getattr(endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, Access) else None


def declared_reversibility(endpoint: object) -> Reversibility | None:
    """What an endpoint says about undoing it, or ``None``."""
    found: Reversibility | None = getattr(endpoint, _REVERSIBILITY, None)
    return found


def reversible(reversibility: Reversibility) -> Callable[[Endpoint], Endpoint]:
    """Declare what becomes of an endpoint's effect, apart from who may call it."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _REVERSIBILITY, reversibility)
        return endpoint

    return declare


def effective_reversibility(endpoint: object, method: str, unsaid: Reversibility = "recoverable") -> Reversibility:
    """What an endpoint says about undoing it; else reading is reversible, and a change what its capability says."""
    return declared_reversibility(endpoint) or ("reversible" if method.upper() in _READING else unsaid)


def guarded(endpoint: Endpoint) -> Endpoint:
    """Have the platform's guard look at every request to an endpoint, also at those of people."""
    setattr(endpoint, _GUARDED, True)
    return endpoint


def is_guarded(endpoint: object) -> bool:
    """Whether an endpoint is marked for the guard."""
    return bool(getattr(endpoint, _GUARDED, False))


def forwarding(endpoint: Endpoint) -> Endpoint:
    """Declare that an endpoint does nothing itself: what it is asked for are requests of the same caller, each of which
    the guard looks at.
    """
    setattr(endpoint, _FORWARDING, True)
    return endpoint


def is_forwarding(endpoint: object) -> bool:
    """Whether an endpoint only passes requests on."""
    return bool(getattr(endpoint, _FORWARDING, False))
