"""Capabilities for tests: one that hands over what it is given, and one that believes every name it is told."""

import re
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from fastapi_services_platform.capability.contribution import Contribution, Service
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.security.ports import Authenticator, Authorizer
from fastapi_services_platform.security.principal import Anonymous, Authentication, Decision, Principal, Refused


@dataclass
class Prepared:
    """A capability that hands over what it was given."""

    manifest: Manifest
    contribution: Contribution = field(default_factory=Contribution)

    async def initialize(self, platform: Platform) -> Contribution:
        """Give the prepared contribution."""
        return self.contribution


_DIGITS = tuple("0123456789")


class BelievingDoor:
    """``Bearer <name>`` and the cookie ``session=<name>`` are believed; the name ``broken`` is a token that has
    expired. What ends with a digit is no name but a secret of another door, and stays out of the log.

    Every permission is held, except those in ``denied``.
    """

    def __init__(self, denied: frozenset[str] = frozenset()) -> None:
        self._denied = denied

    async def authenticate(self, connection: HTTPConnection) -> Authentication:
        """Whoever the request says."""
        bearer = connection.headers.get("authorization", "").removeprefix("Bearer ")
        name = bearer or connection.cookies.get("session", "")
        if not name or bearer.endswith(_DIGITS):
            return Anonymous()
        if name == "broken":
            return Refused("token-expired", "The token has expired.")
        binding = None if bearer else name
        slug = re.sub(r"[^\w.@-]", "", name)
        return Principal(f"urn:fsp:person:{slug}", "person", name, "password", session_binding=binding)

    async def authorize(self, principal: Principal, permission: str, resource: str = "") -> Decision:
        """Yes, unless it is denied to all."""
        return Decision(permission not in self._denied, f"{permission} was looked up")


def believing_identity(denied: frozenset[str] = frozenset()) -> Prepared:
    """A capability that provides ``authenticator@1`` and ``authorizer@1`` through :class:`BelievingDoor`."""
    door = BelievingDoor(denied)
    services = (Service(Authenticator, lambda _scope: door), Service(Authorizer, lambda _scope: door))
    manifest = Manifest("identity", "1.0", "Believes everybody", provides=("authenticator@1", "authorizer@1"))
    return Prepared(manifest, Contribution(services=services))
