"""Who is asking, how surely."""

from dataclasses import dataclass, field
from typing import Literal

SubjectKind = Literal["person", "app", "agent"]
"""Kinds of subject that can authenticate; groups and providers never do."""

Strength = Literal["mail", "password", "multi", "phishing_resistant"]
"""How surely a sign-in proved the subject, weakest first."""

Reversibility = Literal["reversible", "recoverable", "irreversible"]
"""Whether an operation can be undone by another one, from what was kept, or not at all."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated subject, as every capability sees it.

    ``session_binding`` is set only when the credential travelled in a cookie: it is the value that anti-forgery
    tokens are bound to, and its presence makes the runtime demand such a token on every change. A program that acts for
    somebody says so in ``on_behalf_of``; ``delegation_id`` names the grant that lets it.
    """

    urn: str
    kind: SubjectKind
    display_name: str
    strength: Strength
    tenant: str = "default"
    email: str | None = None
    locale: str | None = None
    timezone: str | None = None
    session_id: str | None = None
    scopes: frozenset[str] | None = None
    session_binding: str | None = field(default=None, repr=False)
    on_behalf_of: str | None = None
    delegation_id: str | None = None

    @property
    def uses_cookie(self) -> bool:
        """True when the browser attached the credential by itself, so a change needs proof against forgery."""
        return self.session_binding is not None


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No credential was presented."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A credential was presented and is not good enough.

    ``slug`` names the problem type (``token-expired``, ``two-credentials`` …), ``status`` its HTTP status; ``detail``
    is shown to the caller and must not tell whether an account exists.
    """

    slug: str
    detail: str
    status: int = 401
    headers: tuple[tuple[str, str], ...] = ()
    extras: tuple[tuple[str, object], ...] = ()


Authentication = Principal | Anonymous | Refused
"""The answer of an :class:`~fastapi_services_platform.security.ports.Authenticator`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """May she? The answer, with the reason that a person can act on."""

    allowed: bool
    reason: str
    decision_id: str | None = None
