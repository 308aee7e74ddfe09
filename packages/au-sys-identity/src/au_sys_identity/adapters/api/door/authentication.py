"""Request credentials become a principal."""

import hashlib
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection

from au_sys_identity.core.access.limits import Limit, Limits
from au_sys_identity.core.audit.cause import Cause, set_cause
from au_sys_identity.core.errors import SessionEnded
from au_sys_identity.core.freshness import MAINTENANCE, Freshness
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.tokens.verification import Unproven, Verification
from fastapi_services_platform import Anonymous, Authentication, Refused, current_fields
from fastapi_services_platform import Principal as PlatformPrincipal

_SCOPE_KEY: Final = "au_sys_identity.principal"
_LIMIT_KEY: Final = "au_sys_identity.limit"
_MACHINES = frozenset({"no-custodian", "delegation-ended"})
_ALWAYS_OPEN = frozenset({"/logout", "/login", "/auth/jwt/logout", "/auth/sessions"})
_OPEN: Final[dict[Limit, frozenset[str]]] = {
    "password-change": _ALWAYS_OPEN | {"/account/password", "/users/me"},
    "enrolment": _ALWAYS_OPEN | {"/account/security", "/account/confirm", "/auth/step-up", "/mfa/recovery-codes"},
}
_OPEN_BELOW: Final[dict[Limit, tuple[str, ...]]] = {
    "password-change": (),
    "enrolment": ("/mfa/totp", "/mfa/passkeys", "/account/security/totp", "/account/security/passkeys"),
}
_LED_TO: Final[dict[Limit, str]] = {
    "password-change": "/account/password",
    "enrolment": "/account/security?enrol=required",
}
_REASONS: Final[dict[Limit, str]] = {
    "password-change": "Choose a new password first: on the page /account/password, or with PATCH /users/me.",
    "enrolment": "Set up a second factor first: on the page /account/security, or with POST /mfa/totp.",
}

_RESTORING: Final = Refused(
    "identity/maintenance",
    "A backup is being restored. Try again in a moment.",
    status=503,
    headers=(("retry-after", "5"),),
)


@dataclass(frozen=True, slots=True)
class CookieNames:
    """Names and flags of our cookies: over https ``__Host-`` and ``Secure``; plain names serve loopback only."""

    secure: bool

    @property
    def session(self) -> str:
        """The web session."""
        return self._named("identity_session")

    @property
    def device(self) -> str:
        """What a browser that signed in before is known by."""
        return self._named("identity_device")

    @property
    def flow(self) -> str:
        """What ties the steps of one sign-in together."""
        return self._named("identity_flow")

    @property
    def departure(self) -> str:
        """A browser's trip to an outside provider, sealed."""
        return self._named("identity_departure")

    @property
    def refresh(self) -> str:
        """The refresh token of a program inside a browser."""
        return self._named("identity_refresh")

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name


class RequestAuthenticator:
    """The platform's ``authenticator@1``. A header wins over a cookie; two headers are refused."""

    def __init__(self, verification: Verification, cookies: CookieNames, limits: Limits, freshness: Freshness) -> None:
        self._verification = verification
        self._cookies = cookies
        self._limits = limits
        self._freshness = freshness

    async def authenticate(self, connection: HTTPConnection) -> Authentication:
        """Who asks."""
        set_cause(Cause(correlation_id=_correlation()))
        if await self._freshness.version(MAINTENANCE) % 2 == 1:
            return _RESTORING
        presented = connection.headers.getlist("authorization")
        keys = connection.headers.getlist("x-api-key")
        if len(presented) + len(keys) > 1:
            return Refused("two-credentials", "Send one credential, in one header.", status=400)
        if presented:
            return await self._bearer(connection, presented[0])
        if keys:
            found = await self._verification.api_key(keys[0].strip())
            behalf = connection.headers.get("x-on-behalf-of")
            if behalf is not None and not isinstance(found, Unproven):
                found = await self._on_behalf(found, behalf)
            if isinstance(found, Unproven):
                return _no_key(found)
            return await self._admitted(connection, found, None)
        secret = connection.cookies.get(self._cookies.session)
        if not secret:
            return Anonymous()
        found = await self._verification.cookie(secret)
        if isinstance(found, Unproven):
            return Anonymous()
        binding = hashlib.sha256(b"identity-forgery:" + secret.encode("utf-8", "surrogatepass")).hexdigest()
        return await self._admitted(connection, found, binding)

    async def _on_behalf(self, found: Principal, grant: str) -> Principal | Unproven:
        if found.kind == "person":
            return Unproven("delegation-ended")
        return await self._verification.on_behalf(found, grant)

    async def _bearer(self, connection: HTTPConnection, header: str) -> Authentication:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _refused("not-authenticated", "Send Authorization: Bearer with an access token.")
        found = await self._verification.bearer(token.strip())
        if isinstance(found, Unproven):
            if found.slug in _MACHINES:
                return _no_key(found)
            expired = found.slug == "token-expired"
            return _refused(
                found.slug, "The access token has run out." if expired else "The access token is not valid."
            )
        return await self._admitted(connection, found, None)

    async def _admitted(self, connection: HTTPConnection, found: Principal, binding: str | None) -> Authentication:
        connection.scope[_SCOPE_KEY] = found
        credential = found.key_id or found.session_id
        named = str(credential) if credential else None
        set_cause(Cause(found.strength, named, found.on_behalf_of, correlation_id=_correlation()))
        limit = await self._limits.of(found)
        connection.scope[_LIMIT_KEY] = limit
        if limit is not None and not _open(connection, limit):
            return Refused(f"identity/{limit}-required", _REASONS[limit], status=403)
        return _as_principal(found, binding)


def caller_of(connection: HTTPConnection) -> Principal:
    """Who asks, as identity itself sees them.

    Raises:
        SessionEnded: nobody is signed in.
    """
    found = caller_or_none(connection)
    if found is None:
        raise SessionEnded
    return found


def caller_or_none(connection: HTTPConnection) -> Principal | None:
    """Who asks, if anybody; also when the session may do nothing but change its password."""
    found = connection.scope.get(_SCOPE_KEY)
    return found if isinstance(found, Principal) else None


def _open(connection: HTTPConnection, limit: Limit) -> bool:
    """Whether a limited session may do this: what lifts the limit, and looking at itself."""
    path = connection.scope["path"].rstrip("/")
    if path == "/users/me" and connection.scope.get("method") == "GET":
        return True
    below = _OPEN_BELOW[limit]
    return path in _OPEN[limit] or any(path == start or path.startswith(f"{start}/") for start in below)


def led_to(connection: HTTPConnection) -> str | None:
    """Where a browser whose session is limited goes first."""
    limit: Limit | None = connection.scope.get(_LIMIT_KEY)
    return _LED_TO[limit] if limit else None


def _as_principal(found: Principal, binding: str | None) -> PlatformPrincipal:
    return PlatformPrincipal(
        urn=found.urn,
        kind=found.kind,
        display_name=found.display_name,
        strength=found.strength,
        email=found.email,
        locale=found.locale,
        timezone=found.account.timezone if found.account is not None else None,
        session_id=str(found.session_id) if found.session_id else None,
        scopes=found.scopes,
        session_binding=binding,
        on_behalf_of=found.on_behalf_of,
        delegation_id=found.delegation_id,
    )


def _correlation() -> str:
    return str(current_fields().get("correlation_id", ""))


def put_caller(connection: HTTPConnection, caller: Principal) -> None:
    """Replace who asks by the same one, with what was learned about them since."""
    connection.scope[_SCOPE_KEY] = caller


def _no_key(found: Unproven) -> Refused:
    if found.slug == "delegation-ended":
        return Refused(
            "identity/denied", "The grant that this acts under has ended, or is not this agent's.", status=403
        )
    if found.slug == "no-custodian":
        return Refused("identity/no-custodian", "Nobody who is active answers for this machine.", status=403)
    return _refused("not-authenticated", "The API key is not valid.")


def _refused(slug: str, detail: str) -> Refused:
    challenge = 'Bearer error="invalid_token"'
    return Refused(f"identity/{slug}", detail, headers=(("www-authenticate", challenge),))
