"""What led to the change that is being made: known to whoever proved the caller, told by nobody who records a fact."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """How surely the actor is known, by which credential, for whom, and in which request."""

    strength: str | None = None
    credential_id: str | None = None
    on_behalf_of: str | None = None
    custodian: str | None = None
    correlation_id: str = ""


_NOTHING = Cause()
_cause: ContextVar[Cause] = ContextVar("au_sys_identity_cause", default=_NOTHING)


def present_cause() -> Cause:
    """That of the request which is being answered; an empty one outside of requests."""
    return _cause.get()


def set_cause(cause: Cause | None) -> None:
    """Called once at the start of a request."""
    _cause.set(cause or _NOTHING)
