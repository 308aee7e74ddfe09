"""What an endpoint says about itself for the guard: where its model stands, whether it asks for a proof or an approval.

Declarations stand below the route's own decorators, on the plain function.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from fastapi_services_platform import guarded

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])

_ATTRIBUTE = "__identity_act__"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guard asks on top. ``open``: a machine that needs an approval comes here to get one."""

    model_from: str | None = None
    step_up: bool = False
    approval: bool = False
    open: bool = False


def asked_of(endpoint: object) -> Asked:
    """What an endpoint declared."""
    found = getattr(endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, Asked) else Asked()


def declare(endpoint: Endpoint, **more: object) -> Endpoint:
    """Add to what an endpoint declared."""
    setattr(endpoint, _ATTRIBUTE, replace(asked_of(endpoint), **more))  # type: ignore[arg-type]  # fields of Asked
    return endpoint


def proof_not_needed(endpoint: Endpoint) -> Endpoint:
    """Let machines in without an approval: here they ask for one."""
    return declare(endpoint, open=True)


def asking_step_up(endpoint: Endpoint) -> Endpoint:
    """Ask for a fresh proof of whoever calls."""
    return guarded(declare(endpoint, step_up=True))


def asking_approval(endpoint: Endpoint) -> Endpoint:
    """Ask machines for the approval of each single call."""
    return guarded(declare(endpoint, approval=True))
