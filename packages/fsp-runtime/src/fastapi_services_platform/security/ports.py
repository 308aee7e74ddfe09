"""Ports of the platform that one capability provides and any other may require.

The name of a port in ``Manifest.provides`` and ``Manifest.requires`` is the kebab-case of its class with its version:
``authenticator@1``. A provider contributes a :class:`~fastapi_services_platform.capability.contribution.Service` for
the class.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from starlette.requests import HTTPConnection

from fastapi_services_platform.security.principal import (
    Authentication,
    Decision,
    Principal,
    Refused,
    Reversibility,
    SubjectKind,
)


class Authenticator(Protocol):
    """Turns what a request carries into a principal, into nobody, or into a refusal with its reason."""

    async def authenticate(self, connection: HTTPConnection) -> Authentication: ...


@dataclass(frozen=True, slots=True)
class GuardedRequest:
    """A request on its way to an endpoint: who asks is known, nothing is parsed.

    :meth:`body` reads it whole, within the route's limit; the endpoint gets it all the same.
    """

    connection: HTTPConnection
    principal: Principal
    method: str
    endpoint: object
    reversibility: Reversibility
    body: Callable[[], Awaitable[bytes]]


class RequestGuard(Protocol):
    """Asks for more than a credential: of programs on every request, of people where an endpoint is marked
    (:func:`~fastapi_services_platform.http.permissions.guarded`).

    ``before`` is asked ahead of the permission, ``after`` as the very last thing ahead of the endpoint.
    """

    async def before(self, request: GuardedRequest) -> Refused | None: ...

    async def after(self, request: GuardedRequest) -> Refused | None: ...


class Authorizer(Protocol):
    """Decides whether a principal holds a permission (``<capability>.<noun>.<verb>``), optionally on one object."""

    async def authorize(self, principal: Principal, permission: str, resource: str = "") -> Decision: ...


@dataclass(frozen=True, slots=True)
class DeniedRequest:
    """A request of a signed-in caller that was answered with 403: by which route, and under which problem."""

    principal: Principal
    method: str
    route: str
    slug: str
    permission: str | None = None


@runtime_checkable
class RefusalListener(Protocol):
    """An :class:`Authorizer` that is told of every request that was denied, by whomever."""

    async def denied(self, request: DeniedRequest) -> None: ...


@dataclass(frozen=True, slots=True)
class SubjectCard:
    """What other capabilities may know about a subject."""

    urn: str
    kind: SubjectKind
    display_name: str
    email: str | None
    locale: str | None
    active: bool


class SubjectDirectory(Protocol):
    """Looks subjects up; ``None`` where the caller may not know."""

    async def by_urn(self, urn: str) -> SubjectCard | None: ...

    async def by_email(self, email: str) -> SubjectCard | None: ...

    async def many(self, urns: Sequence[str]) -> Mapping[str, SubjectCard]: ...


class RoleAdministration(Protocol):
    """Grants and withdraws permission bundles that capabilities contribute (``skriptoteket:contributor``)."""

    async def grant(self, subject_urn: str, bundle: str, *, by: str, reason: str) -> None: ...

    async def withdraw(self, subject_urn: str, bundle: str, *, by: str, reason: str) -> None: ...

    async def bundles_of(self, subject_urn: str) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Notice:
    """What a subject is told: one line, some plain sentences, and a path of the platform to act on it.

    ``id`` tells a repetition: the same notice is sent once. It holds no secret, and no link to another host.
    """

    to: str
    title: str
    text: str
    href: str = ""
    id: str = ""


class Notifier(Protocol):
    """Tells subjects something by mail or where they are signed in; it returns when the notice is kept for sending.

    Who is closed, disabled or unknown is told nothing. Without a provider nobody is: who may go without asks for the
    port as optional.
    """

    async def notify(self, notice: Notice) -> None: ...


@dataclass(frozen=True, slots=True)
class PostedNotice:
    """A notice as it is shown to whom it was sent; ``href`` is a path of the platform."""

    title: str
    text: str
    href: str
    at: datetime


class NoticeBoard(Protocol):
    """What subjects were told and have not read yet, for the hub's first page. ``page`` is where they read it all."""

    page: str

    async def unread(self, urn: str, limit: int) -> tuple[Sequence[PostedNotice], int]:
        """The latest ones, newest first, and how many there are in all."""
