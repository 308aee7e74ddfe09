"""Who may go on to the endpoint: availability, authentication, proof against forgery, permission. Denies when nobody
can say.
"""

from asyncio import timeout
from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from fastapi_services_platform.http.door.forgery import HEADER as CSRF_HEADER
from fastapi_services_platform.http.door.forgery import (
    SAFE_METHODS,
    PeekedBody,
    TokenMaker,
    origin_problem,
    token_problem,
)
from fastapi_services_platform.http.door.rate_limits import RateLimiter
from fastapi_services_platform.http.exchange import Exchange
from fastapi_services_platform.http.permissions import effective_reversibility, is_forwarding, is_guarded
from fastapi_services_platform.http.problems import Problem, ProblemRaised
from fastapi_services_platform.http.routing import RouteEntry
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.security.ports import (
    Authenticator,
    Authorizer,
    DeniedRequest,
    GuardedRequest,
    RefusalListener,
    RequestGuard,
)
from fastapi_services_platform.security.principal import Anonymous, Authentication, Principal, Refused

_log = get_logger(__name__)

_TELLING_SECONDS = 2.0
_NO_AUTHENTICATOR = Problem(
    503,
    "no-authenticator",
    "Nobody can say who you are",
    "No capability provides authentication, so only public routes are answered.",
)
_UNAVAILABLE = Problem(503, "authentication-unavailable", "Sign-in is not available", "Try again in a moment.")
_SIGN_IN = Problem(
    401,
    "authentication-required",
    "Sign in first",
    "This needs a signed-in caller.",
    headers={"www-authenticate": "Bearer"},
)


_GUARD_UNAVAILABLE = Problem(
    503, "guard-unavailable", "This cannot be checked", "Try again in a moment.", headers={"retry-after": "2"}
)


def _not_let_on(refused: Refused) -> Problem:
    return Problem(
        refused.status, refused.slug, "Not allowed", refused.detail, dict(refused.extras), dict(refused.headers)
    )


class ReadBody:
    """``receive`` that gives again what the guard read."""

    __slots__ = ("_again", "_receive", "_whole")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._whole: bytes | None = None
        self._again = False

    async def whole(self) -> bytes:
        """The body to its end; empty when the caller went away."""
        if self._whole is None:
            parts: list[bytes] = []
            more = True
            while more:
                message = await self._receive()
                parts.append(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
            self._whole, self._again = b"".join(parts), True
        return self._whole

    async def __call__(self) -> Message:
        if self._again:
            self._again = False
            return {"type": "http.request", "body": self._whole or b"", "more_body": False}
        return await self._receive()


class NoBody(ReadBody):
    """The ``receive`` of a WebSocket, which has no body."""

    __slots__ = ()

    async def whole(self) -> bytes:
        """Nothing, and nothing is read."""
        return b""


def _is_looked_at(principal: Principal, entry: RouteEntry) -> bool:
    """Whether the guard is asked: about programs always, about people where an endpoint wants it."""
    return is_guarded(entry.endpoint) or (principal.kind != "person" and not is_forwarding(entry.endpoint))


class Admission:
    """Resolved once at the start; a request looks nothing up by name."""

    def __init__(
        self,
        authenticator: Authenticator | None,
        authorizer: Authorizer | None,
        tokens: TokenMaker,
        public_origin: str,
        entry_page: str | None,
        limiter: RateLimiter | None = None,
        guard: RequestGuard | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._listener: RefusalListener | None = authorizer if isinstance(authorizer, RefusalListener) else None
        self.tokens = tokens
        self._public_origin = public_origin.encode("ascii")
        self._entry_page = entry_page
        self._limiter = limiter
        self._guard = guard

    async def judge(
        self, exchange: Exchange, entry: RouteEntry, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[Problem | None, Receive]:
        """The refusal, or ``None`` with the ``receive`` that the endpoint gets."""
        reason = entry.owner.unavailable
        if reason is not None:
            return Problem(
                503, "capability-unavailable", "Not available at the moment", reason, headers={"retry-after": "5"}
            ), receive
        scope = exchange.scope
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if unsafe and b"authorization" not in headers and b"x-api-key" not in headers:
            host = headers.get(b"host", b"")
            scheme = b"https" if scope["scheme"] in ("https", "wss") else b"http"
            own = (scheme + b"://" + host, self._public_origin)
            problem = origin_problem(headers, own)
            if problem is not None:
                return problem, receive
        problem = await self._identify(exchange, entry, headers)
        if self._limiter is not None:
            problem = await self._limiter.check(exchange, entry) or problem
        if problem is not None:
            return problem, receive
        principal = exchange.principal
        if principal is not None and principal.uses_cookie and unsafe and scope["type"] == "http":
            problem, receive = await self._check_token(principal, headers, receive)
            if problem is not None:
                return problem, receive
        guard = self._guard
        if guard is None or principal is None or not _is_looked_at(principal, entry):
            return await self._permit(exchange, entry), receive
        return await self._guarded(guard, exchange, entry, principal, receive)

    async def _guarded(
        self, guard: RequestGuard, exchange: Exchange, entry: RouteEntry, principal: Principal, receive: Receive
    ) -> tuple[Problem | None, Receive]:
        body = ReadBody(receive) if exchange.scope["type"] == "http" else NoBody(receive)
        method = exchange.scope.get("method", "GET")  # a WebSocket handshake is a GET
        request = GuardedRequest(
            HTTPConnection(exchange.scope),
            principal,
            method,
            entry.endpoint,
            effective_reversibility(entry.endpoint, method, entry.owner.reversibility),
            body.whole,
        )
        try:
            refused = await guard.before(request)
            if refused is not None:
                return _not_let_on(refused), body
            problem = await self._permit(exchange, entry)
            if problem is not None:
                return problem, body
            refused = await guard.after(request)
        except ProblemRaised:
            raise
        except Exception as error:
            _log.error("guard.failed", exc_info=error)
            return _GUARD_UNAVAILABLE, body
        return (_not_let_on(refused) if refused is not None else None), body

    async def _identify(self, exchange: Exchange, entry: RouteEntry, headers: Mapping[bytes, bytes]) -> Problem | None:
        state = exchange.scope.setdefault("state", {})
        state["principal"] = None
        public = entry.access.public
        if self._authenticator is None:
            return None if public else _NO_AUTHENTICATOR
        if public and not (b"cookie" in headers or b"authorization" in headers or b"x-api-key" in headers):
            return None
        try:
            answer: Authentication = await self._authenticator.authenticate(HTTPConnection(exchange.scope))
        except Exception as error:
            _log.error("authentication.failed", exc_info=error)
            return None if public else _UNAVAILABLE
        if isinstance(answer, Principal):
            exchange.principal = answer
            state["principal"] = answer
            return None
        return None if public else self._not_signed_in(exchange, answer)

    async def tell_denied(self, exchange: Exchange, problem: Problem) -> None:
        """Tell the authorizer that a caller was turned away, when it wants to know; the answer stays what it is."""
        principal, entry = exchange.principal, exchange.entry
        if self._listener is None or principal is None or entry is None:
            return
        permission = problem.extras.get("permission")
        told = str(permission) if permission is not None else None
        method = str(exchange.scope.get("method", "GET"))
        try:
            async with timeout(_TELLING_SECONDS):
                await self._listener.denied(DeniedRequest(principal, method, entry.path, problem.slug, told))
        except Exception as error:
            _log.error("refusal.untold", exc_info=error, slug=problem.slug)

    async def recognise(self, exchange: Exchange) -> None:
        """Note who looks at a page that shows a refusal; nobody, when that cannot be said."""
        scope = exchange.scope
        if self._authenticator is None or exchange.principal is not None:
            return
        if not any(name == b"cookie" for name, _ in scope["headers"]):
            return
        scope.setdefault("state", {}).setdefault("principal", None)
        try:
            answer: Authentication = await self._authenticator.authenticate(HTTPConnection(scope))
        except Exception as error:
            _log.error("authentication.failed", exc_info=error)
            return
        if isinstance(answer, Principal):
            exchange.principal = scope["state"]["principal"] = answer

    def _not_signed_in(self, exchange: Exchange, answer: Anonymous | Refused) -> Problem:
        if self._entry_page is not None and exchange.wants_html and exchange.scope["type"] == "http":
            return Problem(303, "sign-in", "Sign in first", headers={"location": self._entrance(exchange)})
        if isinstance(answer, Refused):
            headers = {"www-authenticate": "Bearer"} if answer.status == 401 else {}
            headers.update(answer.headers)
            return Problem(answer.status, answer.slug, "Not signed in", answer.detail, dict(answer.extras), headers)
        return _SIGN_IN

    def _entrance(self, exchange: Exchange) -> str:
        scope = exchange.scope
        page = self._entry_page or "/"
        if scope["method"] not in ("GET", "HEAD"):
            return page
        target = quote(scope["path"], safe="/")
        query = scope.get("query_string", b"").decode("latin-1")
        return f"{page}?next={quote(target + ('?' + query if query else ''), safe='/')}"

    async def _check_token(
        self, principal: Principal, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[Problem | None, Receive]:
        binding = principal.session_binding or ""
        token = headers.get(CSRF_HEADER)
        if token is not None:
            fits = self.tokens.fits(token.decode("latin-1"), binding)
            return (None if fits else token_problem()), receive
        peeked = PeekedBody(receive)
        found = await peeked.first_field(headers.get(b"content-type", b""))
        if found is None or not self.tokens.fits(found, binding):
            return token_problem(), peeked
        return None, peeked

    async def _permit(self, exchange: Exchange, entry: RouteEntry) -> Problem | None:
        permission = entry.access.permission
        if permission is None:
            return None
        if self._authorizer is None or exchange.principal is None:
            return _NO_AUTHENTICATOR
        try:
            decision = await self._authorizer.authorize(exchange.principal, permission)
        except Exception as error:
            _log.error("authorization.failed", exc_info=error, permission=permission)
            return Problem(503, "authorization-unavailable", "Permissions cannot be checked", "Try again in a moment.")
        if decision.allowed:
            return None
        extras: dict[str, object] = {"permission": permission}
        if decision.decision_id is not None:
            extras["decision_id"] = decision.decision_id
        return Problem(403, "permission-denied", "Not allowed", decision.reason, extras)
