"""Errors as RFC 9457 problems, with the correlation id and without internals; people get a page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any  # Any: what FastAPI and Starlette leave untyped

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform.capability.contribution import ProblemMapping
from fastapi_services_platform.errors import DatabaseBusy
from fastapi_services_platform.http.exchange import Exchange, current, exchange_of

MEDIA_TYPE = "application/problem+json"
_JSON_HEADERS = ((b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store"))

_FORBIDDEN = 403
_NO_CODES: Mapping[str | int, str] = {}
Handler = Callable[[Request, Any], Awaitable[Response]]  # Any: the exception class that the handler is registered for


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is not what the caller wanted. ``slug`` is ``<capability>/<name>`` or a name of the platform's
    own.
    """

    status: int
    slug: str
    title: str
    detail: str = ""
    extras: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemRaised(HTTPException):
    """A problem on its way out of a place that cannot return a response."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.status, problem.detail, dict(problem.headers))


def document(
    problem: Problem, public_url: str, correlation_id: str, codes: Mapping[str | int, str] = _NO_CODES
) -> dict[str, object]:
    """The members of the problem document; ``codes`` are what the route's capability calls the platform's problems."""
    slug = problem.slug if "/" in problem.slug else f"platform/{problem.slug}"
    members: dict[str, object] = {
        "type": f"{public_url.rstrip('/')}/problems/{slug}",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        members["detail"] = problem.detail
    if codes and (code := codes.get(problem.slug) or codes.get(problem.status)):
        members["code"] = code
    reserved = {*members, "correlation_id"} - {"code"}
    members.update({key: value for key, value in problem.extras.items() if key not in reserved})
    members["correlation_id"] = correlation_id
    return members


async def respond(exchange: Exchange, problem: Problem) -> Response:
    """The response for a problem: a page for browsers when the hub's pages are there, JSON for everybody else."""
    if problem.status < 400:
        return Response(status_code=problem.status, headers={**problem.headers, "cache-control": "no-store"})
    await _tell(exchange, problem)
    members = _members(exchange, problem)
    if exchange.wants_html and exchange.edge.problem_page is not None:
        request = Request(exchange.scope)
        try:
            page = await exchange.edge.problem_page(request, members, problem.status)
        except Exception as error:
            exchange.edge.log.error("problem.page_failed", error=repr(error))
        else:
            page.headers.update(problem.headers)
            page.headers["cache-control"] = "no-store"
            return page
    return json_response(members, problem)


def _members(exchange: Exchange, problem: Problem) -> dict[str, object]:
    codes = exchange.entry.terms.problem_codes if exchange.entry is not None else _NO_CODES
    return document(problem, exchange.edge.settings.public_url, exchange.correlation_id, codes)


async def _tell(exchange: Exchange, problem: Problem) -> None:
    """A caller was denied: let it be kept."""
    if problem.status == _FORBIDDEN and exchange.principal is not None and exchange.edge.admission is not None:
        await exchange.edge.admission.tell_denied(exchange, problem)


def json_response(members: Mapping[str, object], problem: Problem) -> Response:
    """The problem document as JSON."""
    body = orjson.dumps(members, default=str)
    headers = {**problem.headers, "cache-control": "no-store"}
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


async def send_json(exchange: Exchange, problem: Problem) -> None:
    """Send the problem document at once: refusals are many when somebody attacks, and must cost little."""
    await _tell(exchange, problem)
    members = _members(exchange, problem)
    body = orjson.dumps(members, default=str)
    headers = [(b"content-length", str(len(body)).encode("ascii")), *_JSON_HEADERS]
    for name, value in problem.headers.items():
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    await exchange.send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": body if exchange.scope["method"] != "HEAD" else b""})


def problem(status: int, slug: str, title: str, *, detail: str = "", **extras: object) -> Response:
    """A problem as a response, for an endpoint with a case that is not an error of its core."""
    exchange = current.get()
    made = Problem(status, slug, title, detail, extras)
    if exchange is None:
        return json_response(document(made, "", ""), made)
    members = _members(exchange, made)
    if exchange.wants_html and exchange.edge.problem_page is not None:
        return _PageLater(exchange, made)
    return json_response(members, made)


class _PageLater(Response):
    """A problem page, rendered when it is sent: rendering is asynchronous, making a response is not."""

    def __init__(self, exchange: Exchange, made: Problem) -> None:
        super().__init__(status_code=made.status)
        self._exchange = exchange
        self._problem = made

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: as Starlette's Response declares them
        page = await respond(self._exchange, self._problem)
        await page(scope, receive, send)


def title_of(status: int) -> str:
    """The standard phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def handlers_for(mappings: Sequence[tuple[str, ProblemMapping]]) -> tuple[dict[Any, Handler], dict[int, Handler]]:
    """Exception handlers in the shape that Starlette looks up: by class along the MRO, and by status."""
    by_class: dict[Any, Handler] = {
        HTTPException: _http_exception,
        RequestValidationError: _invalid_request,
        DatabaseBusy: _store_unavailable,
    }
    for owner, mapping in mappings:
        by_class[mapping.error] = _mapped(owner, mapping)
    return by_class, {}


def find_handler(handlers: Mapping[Any, Handler], error: Exception) -> Handler | None:
    """The handler of the nearest class, as Starlette looks it up."""
    return next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)


def _mapped(owner: str, mapping: ProblemMapping) -> Handler:
    slug = f"{owner}/{mapping.slug}"

    async def handle(request: Request, error: Exception) -> Response:
        extras: dict[str, object] = mapping.extras(error) if mapping.extras is not None else {}
        headers: dict[str, str] = mapping.headers(error) if mapping.headers is not None else {}
        exchange = exchange_of(request.scope)
        return await respond(exchange, Problem(mapping.status, slug, mapping.title, str(error), extras, headers))

    return handle


async def _http_exception(request: Request, error: HTTPException) -> Response:
    exchange = exchange_of(request.scope)
    if isinstance(error, ProblemRaised):
        return await respond(exchange, error.problem)
    title = title_of(error.status_code)
    detail = error.detail if isinstance(error.detail, str) and error.detail != title else ""
    extras: dict[str, object] = {} if isinstance(error.detail, str) else {"errors": error.detail}
    slug = title.lower().replace(" ", "-").replace("'", "")
    found = Problem(error.status_code, slug, title, detail, extras, dict(error.headers or {}))
    return await respond(exchange, found)


async def _store_unavailable(request: Request, _error: DatabaseBusy) -> Response:
    detail = "The database is busy at the moment; nothing was changed."
    found = Problem(503, "store-unavailable", "Busy at this moment", detail, headers={"retry-after": "2"})
    return await respond(exchange_of(request.scope), found)


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    exchange = exchange_of(request.scope)
    errors = [
        {"field": ".".join(str(part) for part in item["loc"]), "rule": item["type"], "message": item["msg"]}
        for item in error.errors()
    ]
    if exchange.entry is not None and exchange.entry.terms.problem_codes:
        unread = _unread(request, errors)
        if unread is not None:
            return await respond(exchange, unread)
        errors = [{"code": item["rule"], **item} for item in errors]
    first = errors[0] if errors else {"field": "body", "message": "is not valid"}
    detail = f"{first['field']}: {first['message']}"
    found = Problem(422, "invalid-request", "The request does not fit", detail, {"errors": errors})
    return await respond(exchange, found)


def _unread(request: Request, errors: Sequence[Mapping[str, str]]) -> Problem | None:
    """What is wrong with a body before any field of it is; told apart for capabilities that have codes for it."""
    if any(item["rule"] == "json_invalid" for item in errors):
        return Problem(400, "malformed-request", "The body cannot be read", "The body is no JSON.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and not kind.endswith("json") and any(item["field"] == "body" for item in errors):
        return Problem(415, "unsupported-media-type", "This kind of body is not read", "Send application/json.")
    return None
